-- Where applications want to be told what happened. A sandbox webhook is such an endpoint too.
create table callback_endpoints (
  id bigint primary key default account_id(),
  application_id bigint not null,
  description text not null,
  url text not null,
  username text,
  -- Sealed JSON: secret of the username, Authorization value, signing secrets with the times until which they sign.
  secrets bytea not null,
  -- Names of events: callback statuses (contract §7.3) and the events of §10.5.
  event_types text[] not null,
  format text not null check (format in ('vendor', 'standard')),
  retry_schedule text not null check (retry_schedule in ('vendor', 'fast', 'standard', 'none')),
  batch_rows smallint not null check (batch_rows between 1 and 100),
  timeout_ms integer not null check (timeout_ms between 1000 and 30000),
  -- Posts under way at once.
  concurrency smallint not null check (concurrency between 1 and 200),
  rate_per_second numeric check (rate_per_second > 0),
  enabled boolean not null,
  -- Why it is not enabled, where the platform did it: it answered 410, or failed for five days.
  disabled_because text check (disabled_because in ('gone', 'failing')),
  -- Set by PUT /v1/sandbox/webhook, which knows one per application.
  of_sandbox boolean not null default false,
  -- The last probe.
  reachable boolean not null,
  probe_note text not null,
  probed_at timestamptz not null,
  -- The first failure since the last success.
  failing_since timestamptz,
  version integer not null default 1,
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now()
);
create index callback_endpoints_by_application on callback_endpoints (application_id, id);
create unique index callback_endpoints_of_sandbox on callback_endpoints (application_id) where of_sandbox;
comment on table callback_endpoints is 'callbacks: where applications want to be told what happened';

-- One node at a time posts to an endpoint, so that order, rate and concurrency are exact.
create table callback_leases (
  endpoint_id bigint primary key references callback_endpoints (id) on delete cascade,
  holder text not null,
  expires_at timestamptz not null
) with (fillfactor = 50);
comment on table callback_leases is 'posting: which node posts to an endpoint';

-- What is still to be posted, and what was given up. A row that was accepted is gone; callback_attempts tells of it.
create table callback_queue (
  endpoint_id bigint not null,
  application_id bigint not null,
  message_id bigint not null,
  -- Of the event in the ledger.
  position bigint not null,
  -- The number in `webhook-id: evt_…`.
  event_id bigint not null,
  status text not null,
  -- Null: given up. Infinity: posted with the first row of its batch.
  due_at timestamptz default clock_now(),
  tries smallint not null default 0,
  -- Position of the first event of the batch it was posted in first: a batch stays together, so that its body stays the same.
  batch bigint,
  -- As posted first: of a single row from its first failure, of a batch from before its first try; only with the first row.
  body text,
  -- Asked for again: posted by itself.
  replayed boolean not null default false,
  given_up_at timestamptz,
  primary key (endpoint_id, message_id, position),
  check ((due_at is null) = (given_up_at is not null))
);
create index callback_queue_due on callback_queue (endpoint_id, due_at, position) where due_at is not null;
create index callback_queue_given_up on callback_queue (endpoint_id, given_up_at) where given_up_at is not null;
create index callback_queue_batch on callback_queue (endpoint_id, batch) where batch is not null;
create index callback_queue_by_message on callback_queue (application_id, message_id);
comment on table callback_queue is 'posting: events still to be posted, and those given up';

create table callback_attempts (
  id bigint generated always as identity,
  endpoint_id bigint not null,
  application_id bigint not null,
  message_id bigint not null,
  position bigint not null,
  event_id bigint not null,
  status text not null,
  try smallint not null,
  at timestamptz not null default clock_now(),
  -- How many rows the request carried.
  rows smallint not null,
  outcome text not null check (outcome in ('accepted', 'retry', 'given_up')),
  http_status smallint,
  -- Why it failed, in a few words.
  detail text,
  -- The first 2 kB of the answer without control characters.
  response text,
  latency_ms integer not null,
  next_at timestamptz,
  primary key (endpoint_id, id)
);
create index callback_attempts_by_event on callback_attempts (endpoint_id, event_id);
create index callback_attempts_by_message on callback_attempts (application_id, message_id);
create index callback_attempts_by_age on callback_attempts using brin (at) with (pages_per_range = 32);
comment on table callback_attempts is 'posting: every try and its answer';

-- Queued by the statement that writes the event, so that no event is missed or queued twice, whatever node or room wrote it.
create function queue_callbacks() returns trigger language plpgsql as $$
begin
  insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
  select endpoint.id, fresh.application_id, fresh.message_id, fresh.position, fresh.status,
    ((floor(extract(epoch from fresh.at) * 1000)::bigint - 1288834974657) << 22) | (fresh.position & 4194303)
  from fresh join callback_endpoints endpoint
    on endpoint.application_id = fresh.application_id and endpoint.enabled and fresh.status = any (endpoint.event_types)
  order by fresh.position;
  return null;
end $$;
create trigger queue_callbacks after insert on events
  referencing new table as fresh for each statement execute function queue_callbacks();

-- Readers that follow one application: what is committed below the oldest transaction still under way, in this order.
create index events_by_application on events (application_id, txid, position) where status is not null;
drop index events_by_position;

-- Sealed for another purpose than endpoints are; whoever tests in the sandbox sets it again.
drop table sandbox_webhooks;
