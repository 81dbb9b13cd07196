-- Addresses that are not to be written to. Read inside the accepting statement.
create table opt_outs (
  application_id bigint not null,
  -- The normalised address: E.164 or e-mail.
  target text not null,
  -- Who said so: the person, the operator, or an upstream.
  source text not null check (source in ('uplink', 'operator', 'upstream')),
  -- The word the person wrote, in upper case.
  keyword text,
  created_at timestamptz not null default clock_now(),
  -- Grows with time; lists go on from it.
  number bigint not null generated always as identity,
  primary key (application_id, target)
);
create index opt_outs_by_number on opt_outs (application_id, number);
create index opt_outs_by_target on opt_outs (target, number);
comment on table opt_outs is 'limits: who has unsubscribed from an application';

create table uplinks (
  -- Together the name under which an upstream repeats itself.
  provider text not null,
  upstream_id text not null,
  -- Null where nobody is known to have written to this person.
  application_id bigint,
  from_address text not null,
  to_address text not null,
  -- Sealed.
  body bytea not null,
  received_at timestamptz not null default clock_now(),
  primary key (provider, upstream_id)
);
create index uplinks_by_application on uplinks (application_id, received_at);
comment on table uplinks is 'uplinks: what people wrote to our senders, each taken once';

-- The address of the steps that do not go to `recipient`, for finding the message a person answers to. Most messages have none.
alter table messages add column other_recipient text;
create index messages_by_other_recipient on messages (application_id, other_recipient, id) where other_recipient is not null;
