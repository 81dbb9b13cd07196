-- What applications have instead of the shipped rules; the highest version holds. A document that is null: the shipped rules again.
create table fraud_rule_sets (
  application_id bigint not null,
  version integer not null,
  document jsonb,
  author text not null,
  created_at timestamptz not null default clock_now(),
  primary key (application_id, version)
);
comment on table fraud_rule_sets is 'fraud: rule sets of applications, every version';

-- What is closed for a prefix, an address or a device: one row for each and for what closed it, made anew when it happens again.
create table fraud_blocks (
  id bigint not null generated always as identity primary key,
  application_id bigint not null,
  kind text not null check (kind in ('prefix', 'ip', 'device')),
  subject text not null,
  -- 'automatic', or the rule that did it.
  source text not null,
  -- How often in a row: 1 for an hour, 2 for a day, 3 until lifted. 0 for those of rules.
  level smallint not null,
  -- Closed ones; empty: the whole send is refused.
  channels text[] not null,
  reasons jsonb not null,
  since timestamptz not null default clock_now(),
  -- Null: until lifted.
  until timestamptz,
  lifted_at timestamptz,
  lifted_by text,
  unique (application_id, kind, subject, source)
);
create index fraud_blocks_open on fraud_blocks (until) where lifted_at is null;
comment on table fraud_blocks is 'fraud: what is closed for a prefix, an address or a device';

-- How often a rule was asked, and matched. Kept as well as it goes: what a node counted in its last second may be lost with it.
create table fraud_rule_days (
  application_id bigint not null,
  day date not null,
  rule text not null,
  evaluated bigint not null,
  fired bigint not null,
  shadow bigint not null,
  unreadable bigint not null,
  primary key (application_id, day, rule)
) with (fillfactor = 50);
create index fraud_rule_days_by_day on fraud_rule_days using brin (day);
comment on table fraud_rule_days is 'fraud: how often rules were asked and matched, by day';

create table fraud_state (
  one boolean primary key default true check (one),
  -- The week of shadow of applications that were there before begins now.
  installed_at timestamptz not null default clock_now(),
  -- Grows with every change of rules and blocks, so that who missed the word of one sees that there was one.
  changes bigint not null default 0
) with (fillfactor = 50);
comment on table fraud_state is 'fraud: since when there are rules, and how often they changed';
insert into fraud_state default values;
