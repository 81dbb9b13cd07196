-- What an operator got for the operator token: shorter of life, ended by itself, and with a name for the ledger.
create table operator_sessions (
  -- Keyed hash of the session token.
  token_hash bytea primary key,
  -- As the operator named themselves; nobody has checked it.
  email text,
  created_at timestamptz not null default clock_now(),
  expires_at timestamptz not null
);
create index operator_sessions_by_expiry on operator_sessions (expires_at);
comment on table operator_sessions is 'accounts: sessions of operators';
