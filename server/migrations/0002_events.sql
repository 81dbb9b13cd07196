create table events (
  position bigint generated always as identity,
  -- Positions are handed out before commit; readers of the ledger stop at the oldest transaction still under way.
  txid xid8 not null default pg_current_xact_id(),
  application_id bigint not null,
  -- 0 for events that belong to no message.
  message_id bigint not null,
  at timestamptz not null default clock_now(),
  cause text not null,
  -- The callback status or event name; null for entries of the timeline alone.
  status text,
  -- 1, 2, 3 … over the callback statuses of one message.
  sequence integer,
  step smallint,
  attempt smallint,
  channel text,
  error_code integer,
  data jsonb,
  primary key (application_id, message_id, position)
);
create index events_by_position on events using brin (position) with (pages_per_range = 32);
comment on table events is 'events: the append-only ledger';
