create table deliveries (
  application_id bigint not null,
  message_id bigint not null,
  -- Compare-and-swap: every change adds one and names the version it read.
  version integer not null default 1,
  state text not null check (state in ('queued', 'sending', 'sent', 'delivered', 'failed', 'invalid', 'cancelled')),
  -- The whole plan and its progress, see delivery/state.ts.
  plan jsonb not null,
  -- A message with a verification is ended at its deadline by the verification, others by the delivery loop.
  has_verification boolean not null,
  -- Why nothing more may be sent: verified, exhausted, expired, cancelled, superseded. Null while open.
  ended text check (ended in ('verified', 'exhausted', 'expired', 'cancelled', 'superseded')),
  -- Channel of the newest hand-over; of the first step before there is one.
  channel text not null,
  -- Steps that could still be started; says what was waiting at the end once ended is set.
  waiting_steps smallint not null,
  -- Hand-overs accepted by an upstream.
  sent_count smallint not null default 0,
  -- The last sequence number given to a callback status of this message.
  sequence integer not null,
  -- Sandbox recipients without any callback: their events carry no status.
  silent boolean not null default false,
  cost_micros bigint not null default 0,
  -- Rendered texts and the code, sealed; erased when nothing can be sent any more.
  content bytea,
  -- Expiry of the code, or 24 hours.
  deadline_at timestamptz not null,
  -- An attempt is with an upstream, or the node that was at it died.
  in_flight boolean not null default false,
  -- When somebody must look at this row again: the next attempt, the end of a wait, or the lapse of the lease of the node at work.
  due_at timestamptz,
  primary key (application_id, message_id),
  check (not in_flight or due_at is not null),
  check (ended is null or content is null)
) with (fillfactor = 70);
create index deliveries_due on deliveries (due_at) where due_at is not null;
comment on table deliveries is 'delivery: the durable effort to get a message there';

create table attempts (
  application_id bigint not null,
  message_id bigint not null,
  -- 1, 2, 3 … over steps and resends: the number customers see.
  attempt smallint not null,
  -- 1, 2, 3 … over the provider calls of one attempt: repeats of unknown ones, retries of temporary refusals.
  try smallint not null,
  step smallint not null,
  channel text not null,
  provider text not null,
  upstream_id text,
  outcome text not null check (outcome in ('accepted', 'refused', 'unknown')),
  error_code integer,
  reason text,
  started_at timestamptz not null,
  answered_at timestamptz not null default clock_now(),
  cost_micros bigint not null default 0,
  primary key (application_id, message_id, attempt, try)
);
create index attempts_by_upstream_id on attempts (provider, upstream_id) where upstream_id is not null;
comment on table attempts is 'delivery: provider calls and their answers';
