-- delivery: what is known about the way a provider call took, and receipts that came before their attempt was known.
alter table attempts add column route jsonb;
comment on column attempts.route is 'line, why, sender, segments and currency of a call to a configured provider; null on the virtual network';

create table parked_receipts (
  id bigint generated always as identity primary key,
  provider text not null,
  receipt jsonb not null,
  parked_at timestamptz not null default clock_now(),
  look_at timestamptz not null default clock_now()
);
create index parked_receipts_look on parked_receipts (look_at);
comment on table parked_receipts is 'delivery: receipts whose attempt is not known yet, kept for five minutes';
