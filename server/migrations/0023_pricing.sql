-- What a provider takes for one unit of a channel, by where it goes, from a moment on. Earlier prices stay: the history is in the rows.
create table prices (
  id bigint not null generated always as identity primary key,
  -- '*': any provider. Not a reference: a price list may come before its provider, and stays after it.
  provider text not null check (provider = '*' or provider ~ '^[a-z0-9-]{2,40}$'),
  channel text not null check (channel in ('whatsapp', 'sms', 'email', 'voice')),
  -- ISO 3166 alpha-2; '*': any country, and recipients of none.
  country text not null check (country = '*' or country ~ '^[A-Z]{2}$'),
  -- First digits of the number, the calling code among them; empty: any.
  prefix text not null check (prefix ~ '^([1-9][0-9]{0,14})?$'),
  -- Of a segment (sms), a message (whatsapp, email), a call (voice).
  price_micros bigint not null check (price_micros >= 0),
  -- undelivered: given back when a receipt says that the message did not arrive.
  refund text not null default 'none' check (refund in ('none', 'undelivered')),
  valid_from timestamptz not null,
  -- Of the last change.
  updated_at timestamptz not null default clock_now(),
  check (channel <> 'email' or (country = '*' and prefix = '')),
  unique (channel, provider, country, prefix, valid_from)
);
comment on table prices is 'pricing: what providers take for a unit of a channel, from a moment on';

-- One row. Every change of prices takes it first, so that changes come one after the other, and nodes see that there was one.
create table price_book (
  only_row boolean not null primary key default true check (only_row),
  version bigint not null
);
insert into price_book (version) values (0);
comment on table price_book is 'pricing: changes with every change of prices';
