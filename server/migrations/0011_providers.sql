create table providers (
  -- Chosen by the operator; part of the webhook addresses and of every attempt.
  id text primary key check (id ~ '^[a-z0-9-]{2,40}$'),
  adapter text not null,
  title text not null,
  -- The settings of the adapter as JSON, sealed.
  settings bytea not null,
  enabled boolean not null,
  -- Until then nothing new is handed over; receipts are still taken.
  drained_until timestamptz,
  -- Of all nodes together; null = without a limit.
  rate_per_second numeric check (rate_per_second > 0),
  -- Hand-overs under way at once, per node.
  concurrency integer not null check (concurrency > 0),
  -- {from, to, time_zone}: when nothing is handed over; null = never.
  quiet_hours jsonb,
  -- {min_calls, error_ratio, window_seconds, open_seconds}
  circuit jsonb not null,
  -- Set by the operator: circuits of all nodes close once more.
  circuit_reset_at timestamptz,
  -- The unguessable part of the webhook addresses, sealed.
  hook_token bytea not null,
  -- Compare-and-swap: every change adds one and names the version it read.
  version integer not null default 1,
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now()
);
comment on table providers is 'providers: configured accounts at upstreams';

create table routes (
  id bigint generated always as identity primary key,
  -- Null = of all applications.
  application_id bigint,
  channel text not null check (channel in ('whatsapp', 'sms', 'email', 'voice')),
  -- Neither country nor prefix: the default route.
  country text check (country ~ '^[A-Z]{2}$'),
  prefix text check (prefix ~ '^[1-9][0-9]{0,14}$'),
  enabled boolean not null,
  note text not null,
  version integer not null default 1,
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now(),
  check (country is null or prefix is null),
  check (channel <> 'email' or (country is null and prefix is null)),
  unique nulls not distinct (application_id, channel, country, prefix)
);
comment on table routes is 'providers: for whom and where to a list of providers serves';

create table route_entries (
  -- Stands in delivery plans: never used for another route or provider.
  id bigint generated always as identity primary key,
  route_id bigint not null references routes (id) on delete cascade,
  provider text not null references providers (id),
  priority integer not null,
  -- Null = the default of the provider.
  sender text,
  -- Which senders customers may ask for: "own", "any" or a list.
  senders jsonb not null,
  -- Per message part.
  price_micros bigint not null check (price_micros >= 0),
  registration_note text not null,
  enabled boolean not null
);
create index route_entries_by_route on route_entries (route_id);
create index route_entries_by_provider on route_entries (provider);
comment on table route_entries is 'providers: one provider of a route, with sender and price';

create table provider_health (
  provider text not null references providers (id) on delete cascade,
  node text not null,
  -- Whether the node has an upstream opened; else the reason says why not.
  opened boolean not null,
  circuit text not null check (circuit in ('closed', 'open', 'half_open')),
  since timestamptz not null,
  reason text,
  calls integer not null,
  errors integer not null,
  updated_at timestamptz not null default clock_now(),
  primary key (provider, node)
) with (fillfactor = 70);
comment on table provider_health is 'providers: how each node sees its providers';

create table hook_marks (
  provider text not null references providers (id) on delete cascade,
  key_hash bytea not null,
  expires_at timestamptz not null,
  primary key (provider, key_hash)
);
create index hook_marks_by_age on hook_marks (expires_at);
comment on table hook_marks is 'providers: what adapters have seen once and must not take again';

-- A rate is shared by the nodes that hand over.
alter table nodes add column worker boolean not null default true;
