-- Ids of this room: milliseconds since 1288834974657 << 22 | a number, the layout of message ids without a node, because the
-- database hands them out. Two of one number are 4,194,304 inserts within one millisecond apart.
create sequence account_numbers maxvalue 4194303 cycle;
create function account_id() returns bigint language sql volatile as
  $$ select (((extract(epoch from clock_now()) * 1000)::bigint - 1288834974657) << 22) | nextval('account_numbers') $$;

create table organizations (
  id bigint primary key default account_id(),
  name text not null,
  created_at timestamptz not null default clock_now()
);
comment on table organizations is 'accounts: who owns applications';

create table applications (
  id bigint primary key default account_id(),
  organization_id bigint not null references organizations (id),
  name text not null,
  network text not null default 'virtual' check (network in ('virtual', 'live')),
  sandbox text not null default 'none' check (sandbox in ('none', 'key', 'public')),
  -- Only what was set for this application; the rest are the defaults of the platform, also those changed later.
  policy jsonb not null default '{}' check (jsonb_typeof(policy) = 'object'),
  created_at timestamptz not null default clock_now(),
  check (sandbox = 'none' or network = 'virtual')
);
create index applications_by_organization on applications (organization_id, id);
comment on table applications is 'accounts: what keys, templates, messages and policies belong to';

create table api_keys (
  id bigint primary key default account_id(),
  application_id bigint not null references applications (id),
  dev_key text not null unique,
  -- Keyed hash of dev_key and secret.
  secret_hash bytea not null,
  kind text not null default 'server' check (kind = 'server'),
  description text not null,
  permissions text[] not null
    check (cardinality(permissions) > 0 and permissions <@ array['send', 'verify', 'templates', 'read']),
  -- Addresses and CIDR ranges in canonical form; empty = from anywhere.
  ip_allowlist text[] not null,
  -- Null = never.
  expires_at timestamptz,
  enabled boolean not null default true,
  -- To the minute: written behind the request, see authenticate.ts.
  last_used_at timestamptz,
  created_at timestamptz not null default clock_now()
);
create index api_keys_by_application on api_keys (application_id, id);
comment on table api_keys is 'accounts: credentials of applications';

create table operator_tokens (
  -- Keyed hash of the token.
  token_hash bytea primary key,
  created_at timestamptz not null default clock_now()
);
comment on table operator_tokens is 'accounts: bearer tokens of the operator';
