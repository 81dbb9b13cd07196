create table deliveries (
  application_id bigint not null,
  message_id bigint not null,
  version integer not null default 1,
  state text not null check (state in ('queued', 'sending', 'sent', 'delivered', 'failed', 'invalid', 'cancelled')),
  -- The whole plan and its progress, see delivery/state.ts.
  plan jsonb not null,
  -- Why nothing more may be sent automatically: verified, exhausted, expired, cancelled, superseded. Null while open.
  ended text,
  -- Channel in use.
  channel text not null,
  -- Steps that could still be started.
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
  -- An attempt is with an upstream, or its outcome is unknown.
  in_flight boolean not null default false,
  -- When somebody must look at this row again: the next attempt, the end of a wait, or the lapse of the lease of the node at work.
  due_at timestamptz,
  primary key (application_id, message_id)
) with (fillfactor = 70);
create index deliveries_due on deliveries (due_at) where due_at is not null;
comment on table deliveries is 'delivery: the durable effort to get a message there';

create table attempts (
  application_id bigint not null,
  message_id bigint not null,
  -- 1, 2, 3 … over steps and resends.
  attempt smallint not null,
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
  primary key (application_id, message_id, attempt)
);
create index attempts_by_upstream_id on attempts (provider, upstream_id) where upstream_id is not null;
comment on table attempts is 'delivery: provider calls and their answers';
