-- A key's budget counts what it sends again, also of messages that it has not sent first: its counter joins those of the message.
-- What the message had cost when each of its counters joined; null where all were there from its acceptance.
alter table budget_uses add column from_micros bigint[];

-- What a message counts in each of its counters: what it may still cost and has cost since that counter joined.
create or replace function fold_budget_uses() returns trigger language plpgsql as $$
begin
  -- Mostly a cost is its estimate: then nobody waits for the counter.
  if not exists (
    select from fresh f join gone g on g.application_id = f.application_id and g.message_id = f.message_id
    where f.open_micros + f.cost_micros <> g.open_micros + g.cost_micros
      or f.counter_ids <> g.counter_ids or f.period_starts <> g.period_starts
  ) then return null; end if;
  perform from budget_counters where counter_id in (select unnest(counter_ids) from fresh) order by counter_id for no key update;
  update budget_counters c set spent_micros = c.spent_micros + s.micros
    from (
      select x.counter_id, x.period_start,
        sum(u.sign * greatest(u.open_micros + u.cost_micros - coalesce(x.from_micros, 0), 0))::bigint as micros
      from (select 1 as sign, * from fresh union all select -1, * from gone) u
      cross join lateral unnest(u.counter_ids, u.period_starts, u.from_micros) as x(counter_id, period_start, from_micros)
      group by 1, 2
    ) s where c.counter_id = s.counter_id and c.period_start = s.period_start;
  return null;
end $$;
