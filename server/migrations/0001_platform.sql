-- The database is the clock. Tests replace this function to travel in time; nothing else may call now() in a rule.
create function clock_now() returns timestamptz language sql stable parallel safe as $$ select now() $$;

-- Message ids carry a node number; a process holds one by renewing its lease.
create table nodes (
  node smallint primary key check (node between 0 and 1023),
  holder text not null,
  expires_at timestamptz not null
);
comment on table nodes is 'platform: leases of the node numbers inside message ids';
