-- What the policy `limits` counts: sends and checks per address, device, number prefix and so on. One row per thing counted; its
-- entries are kept as long as the longest window that was asked for.
create table rate_counters (
  application_id bigint not null,
  -- `<send|check>:<dimension>:<value>`
  counter text not null,
  -- Raised with every change: who counted on another state counts again.
  version integer not null,
  -- Ascending. The moment of what was counted, or the end of the span it was counted in, and how many there were.
  times timestamptz[] not null,
  counts integer[] not null,
  -- Nothing here matters after it.
  ends_at timestamptz not null,
  primary key (application_id, counter),
  check (cardinality(times) = cardinality(counts))
) with (fillfactor = 60);
create index rate_counters_by_end on rate_counters using brin (ends_at) with (pages_per_range = 16);
comment on table rate_counters is 'rates: what was counted for rate limits';

-- Undoes a statement that met a row somebody else made after it had looked; whoever sent it does it again.
create function repeat_statement() returns bigint language plpgsql as $$
begin
  raise exception 'a row was made at the same moment' using errcode = 'serialization_failure';
end $$;

-- The limits a send met with their counts, the rules that fired, what budgets and the customer's hook said.
alter table messages add column decision jsonb;
