-- In which database cluster the ledger was written last. Transaction numbers mean nothing in another one, so a copy that is brought
-- there begins a new epoch, and cursors of the former are refused.
create table ledger_origin (
  sole boolean primary key default true check (sole),
  system_identifier text not null,
  epoch integer not null default 1
);
comment on table ledger_origin is 'events: the cluster the ledger was written in, and how often it has moved';
