-- A key's budget holds over every step a message may come to: the message's mark says for each of its counters that belongs to a key
-- how much of the key's money is still held for steps to come. Null: the counter counts the estimate, as those of budgets do.
alter table budget_uses add column held_micros bigint[];

-- What a message counts in each of its counters: what it may still cost and has cost since that counter joined.
create or replace function fold_budget_uses() returns trigger language plpgsql as $$
declare
  ids bigint[];
  starts timestamptz[];
  sums bigint[];
begin
  select array_agg(counter_id), array_agg(period_start), array_agg(micros) into ids, starts, sums from (
    select x.counter_id, x.period_start,
      sum(u.sign * greatest(coalesce(x.held_micros, u.open_micros) + u.cost_micros - coalesce(x.from_micros, 0), 0))::bigint as micros
    from (select 1 as sign, * from fresh union all select -1, * from gone) u
    cross join lateral unnest(u.counter_ids, u.period_starts, u.from_micros, u.held_micros)
      as x(counter_id, period_start, from_micros, held_micros)
    group by 1, 2
  ) s where micros <> 0;
  -- Mostly a cost takes the place of what was counted for it: then nobody waits for the counter.
  if ids is null then return null; end if;
  perform from budget_counters where counter_id = any(ids) order by counter_id for no key update;
  update budget_counters c set spent_micros = c.spent_micros + s.micros
    from unnest(ids, starts, sums) as s(counter_id, period_start, micros)
    where c.counter_id = s.counter_id and c.period_start = s.period_start;
  return null;
end $$;
