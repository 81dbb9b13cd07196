-- Confirmations of live sends that were answered: each counts once. Forgotten an hour after they could be answered last.
create table used_confirmations (
  nonce text primary key,
  expires_at timestamptz not null
);
create index used_confirmations_by_expiry on used_confirmations (expires_at);
comment on table used_confirmations is 'confirmations: which have been answered';
