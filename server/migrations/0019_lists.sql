-- Who may not be sent to, or may be all the same. Read inside the accepting statement.
create table list_entries (
  id bigint not null generated always as identity primary key,
  -- Null: every application.
  application_id bigint,
  kind text not null check (kind in ('allow', 'block')),
  type text not null check (type in ('number', 'prefix', 'ip', 'email_domain', 'country')),
  -- Normalised: E.164, digits, address or CIDR range, lower-case domain, ISO 3166 alpha-2.
  value text not null,
  -- Of type ip, and only of it.
  network inet check ((network is not null) = (type = 'ip')),
  reason text not null,
  author text not null,
  expires_at timestamptz,
  created_at timestamptz not null default clock_now(),
  unique nulls not distinct (type, value, application_id, kind)
);
create index list_entries_by_network on list_entries using gist (network inet_ops) where network is not null;
comment on table list_entries is 'limits: allow and block lists of the operator';
