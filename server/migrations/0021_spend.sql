-- Prepaid balances and budgets in money. Every amount is in millionths of the installation's currency.
-- What an organization has: the sum of its entries. What is promised to accepted messages: the sum of its reservations. Both sums
-- are kept by triggers, so that no statement can write one without the other.
create table balances (
  organization_id bigint not null primary key,
  mode text not null default 'unlimited' check (mode in ('unlimited', 'prepaid')),
  balance_micros bigint not null default 0,
  reserved_micros bigint not null default 0 check (reserved_micros >= 0),
  threshold_micros bigint not null default 0 check (threshold_micros >= 0),
  updated_at timestamptz not null default clock_now()
) with (fillfactor = 50);
comment on table balances is 'spend: what each organization has, and whether that binds it';

create table balance_entries (
  id bigint not null generated always as identity primary key,
  organization_id bigint not null,
  -- receipt: given back because an attempt was not delivered, or taken again because it was after all (0023).
  kind text not null check (kind in ('top_up', 'charge', 'refund', 'receipt', 'adjustment')),
  amount_micros bigint not null,
  application_id bigint,
  message_id bigint,
  attempt smallint,
  try smallint,
  -- The charge given back.
  refunded_id bigint unique,
  note text not null default '',
  author text not null default '',
  -- The one who writes may write again under the same key.
  key text,
  at timestamptz not null default clock_now(),
  unique (organization_id, key),
  check (case kind when 'charge' then amount_micros < 0 when 'adjustment' then amount_micros <> 0 when 'receipt' then amount_micros <> 0
    else amount_micros > 0 end),
  check ((kind in ('charge', 'refund', 'receipt')) = (message_id is not null)),
  check ((kind = 'refund') = (refunded_id is not null))
);
create unique index balance_entries_by_call on balance_entries (application_id, message_id, attempt, try) where kind = 'charge';
create index balance_entries_by_organization on balance_entries (organization_id, id);
comment on table balance_entries is 'spend: every change of a balance, append-only';

create table balance_reservations (
  application_id bigint not null,
  message_id bigint not null,
  organization_id bigint not null,
  micros bigint not null check (micros > 0),
  primary key (application_id, message_id)
);
comment on table balance_reservations is 'spend: what accepted messages may still cost until their first hand-over';

create function fold_balance_entries() returns trigger language plpgsql as $$
declare
  folded bigint;
begin
  if not exists (select from fresh) then return null; end if;
  perform from balances where organization_id in (select organization_id from fresh) order by organization_id for no key update;
  update balances b set balance_micros = b.balance_micros + s.micros
    from (select organization_id, sum(amount_micros)::bigint as micros from fresh group by organization_id) s
    where b.organization_id = s.organization_id;
  get diagnostics folded = row_count;
  if folded <> (select count(distinct organization_id) from fresh) then
    raise exception 'an entry needs a balance' using errcode = 'check_violation';
  end if;
  return null;
end $$;
create trigger fold_balance_entries after insert on balance_entries
  referencing new table as fresh for each statement execute function fold_balance_entries();

-- A reservation is made only of what is there; deleting one gives it back.
create function fold_balance_reservations() returns trigger language plpgsql as $$
begin
  if not exists (select from changed) then return null; end if;
  perform from balances where organization_id in (select organization_id from changed) order by organization_id for no key update;
  update balances b set reserved_micros = b.reserved_micros + case when tg_op = 'INSERT' then s.micros else -s.micros end
    from (select organization_id, sum(micros)::bigint as micros from changed group by organization_id) s
    where b.organization_id = s.organization_id;
  if tg_op = 'INSERT' and exists (select from balances b where b.organization_id in (select organization_id from changed)
    and (b.mode <> 'prepaid' or b.balance_micros < b.reserved_micros)) then
    raise exception 'a balance cannot reserve more than it has' using errcode = 'check_violation';
  end if;
  return null;
end $$;
create trigger add_balance_reservations after insert on balance_reservations
  referencing new table as changed for each statement execute function fold_balance_reservations();
create trigger drop_balance_reservations after delete on balance_reservations
  referencing old table as changed for each statement execute function fold_balance_reservations();

create function refuse_change() returns trigger language plpgsql as $$
begin
  raise exception '% is not changed afterwards', tg_table_name using errcode = 'check_violation';
end $$;
create trigger balance_entries_stand before update or delete on balance_entries
  for each row execute function refuse_change();
create trigger balance_reservations_stand before update on balance_reservations
  for each row execute function refuse_change();

-- Caps in money of an application, per calendar period in UTC.
create table budgets (
  id bigint not null default account_id() primary key,
  application_id bigint not null,
  scope text not null check (scope in ('all', 'country', 'calling_code')),
  scope_value text,
  period text not null check (period in ('hour', 'day', 'month')),
  cap_micros bigint not null check (cap_micros >= 0),
  ladder jsonb not null default '[]' check (jsonb_typeof(ladder) = 'array'),
  enabled boolean not null default true,
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now(),
  check ((scope = 'all') = (scope_value is null))
);
create index budgets_by_application on budgets (application_id, id);
comment on table budgets is 'spend: caps in money of applications';

-- One row for each budget, and for each key with a budget of its own: what its newest period has spent. Ids are unique over both.
create table budget_counters (
  counter_id bigint not null primary key,
  period_start timestamptz not null,
  spent_micros bigint not null
) with (fillfactor = 50);
comment on table budget_counters is 'spend: what the newest period of a budget has spent';

create table budget_uses (
  application_id bigint not null,
  message_id bigint not null,
  counter_ids bigint[] not null,
  period_starts timestamptz[] not null,
  -- The part of the estimate that no cost has taken the place of.
  open_micros bigint not null check (open_micros >= 0),
  cost_micros bigint not null default 0 check (cost_micros >= 0),
  primary key (application_id, message_id)
) with (fillfactor = 70);
comment on table budget_uses is 'spend: the budgets a message was counted in, for what it costs afterwards';

-- Cost in the place of an estimate changes what the period has spent, while that period is still the newest.
create function fold_budget_uses() returns trigger language plpgsql as $$
begin
  -- Mostly a cost is its estimate: then nobody waits for the counter.
  if not exists (
    select from fresh f join gone g on g.application_id = f.application_id and g.message_id = f.message_id
    where f.open_micros + f.cost_micros <> g.open_micros + g.cost_micros
  ) then return null; end if;
  perform from budget_counters where counter_id in (select unnest(counter_ids) from fresh) order by counter_id for no key update;
  update budget_counters c set spent_micros = c.spent_micros + s.micros
    from (
      select x.counter_id, x.period_start, sum(f.open_micros + f.cost_micros - g.open_micros - g.cost_micros)::bigint as micros
      from fresh f join gone g on g.application_id = f.application_id and g.message_id = f.message_id
      cross join lateral unnest(f.counter_ids, f.period_starts) as x(counter_id, period_start)
      group by 1, 2
    ) s where c.counter_id = s.counter_id and c.period_start = s.period_start;
  return null;
end $$;
create trigger fold_budget_uses after update on budget_uses
  referencing old table as gone new table as fresh for each statement execute function fold_budget_uses();
