-- A keyed hash by which every start knows whether its master key is the one of this database.
create table master_key_checks (
  is_only boolean primary key default true check (is_only),
  key_check bytea not null
);
comment on table master_key_checks is 'accounts: whether a master key is the one of this database';
