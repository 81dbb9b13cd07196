-- Whether an operator lets a key of kind agent send to real people on the terms it has. Keys of before ask once as well.
alter table api_keys add column approval text not null default 'none'
  check (approval in ('none', 'pending', 'approved', 'refused'));

-- The first live send of a key, refused until an operator has seen it. One is pending per key at most.
create table approval_requests (
  id bigint primary key default account_id(),
  api_key_id bigint not null references api_keys (id) on delete cascade,
  application_id bigint not null,
  -- outdated: the terms changed before anybody decided.
  state text not null default 'pending' check (state in ('pending', 'approved', 'refused', 'outdated')),
  -- Of the key when it was decided, before that when it was asked.
  terms jsonb not null,
  operation text not null,
  -- Masked.
  recipient text not null,
  recipients integer not null check (recipients > 0),
  template_id text not null,
  -- Channels in order, each with what a hand-over is estimated to cost in micros.
  channels jsonb not null,
  currency text not null,
  -- As the caller names its program; nobody has checked it.
  client text,
  request_id text,
  note text,
  asked_at timestamptz not null default clock_now(),
  decided_at timestamptz check ((decided_at is null) = (state = 'pending'))
);
create unique index approval_requests_pending on approval_requests (api_key_id) where state = 'pending';
create index approval_requests_by_state on approval_requests (state, id);
comment on table approval_requests is 'accounts: first live sends of agent keys, as an operator is asked about them';
