-- Wrong codes and resends are told to nobody, but counted; they are few.
create index events_uncalled on events (application_id, txid, position) where status is null and cause in ('wrong_code', 'resent');

-- How far the ledger of an application is counted into insight_rollups.
create table insight_followers (
  application_id bigint primary key,
  txid xid8 not null,
  position bigint not null
) with (fillfactor = 50);
comment on table insight_followers is 'insights: how far the ledger of an application is counted';

-- What became of what was accepted in an hour, and once more in a day (UTC), so that a quarter is read from a few rows.
create table insight_rollups (
  application_id bigint not null,
  span text not null check (span in ('hour', 'day')),
  starts_at timestamptz not null,
  -- Empty where there is none: of e-mail addresses, of what belongs to no hand-over.
  country text not null,
  channel text not null,
  template_id text not null,
  provider text not null,
  messages bigint not null,
  steps_sent bigint not null,
  delivered bigint not null,
  verifications bigint not null,
  verified bigint not null,
  resends bigint not null,
  fallbacks bigint not null,
  wrong_codes bigint not null,
  exhausted bigint not null,
  expired bigint not null,
  cost_micros bigint not null,
  -- Histograms, each one number: every twelve decimal digits are the counter of a bucket, so that adding numbers adds histograms.
  accept_to_sent numeric not null,
  sent_to_delivered numeric not null,
  accept_to_verified numeric not null,
  primary key (application_id, span, starts_at, country, channel, template_id, provider)
) with (fillfactor = 70);
create index insight_rollups_by_time on insight_rollups using brin (starts_at);
comment on table insight_rollups is 'insights: what was sent, arrived, was verified and cost, by hour and by day';
