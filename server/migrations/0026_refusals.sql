-- Sends that were refused, with what was consulted. Written behind the answer; forgotten with the application's messages.
create sequence refusal_numbers maxvalue 4194303 cycle;
create table refusals (
  application_id bigint not null,
  -- Of the time of the refusal, in the layout of message ids: milliseconds since 1288834974657 << 22 | a number.
  id bigint not null,
  at timestamptz not null,
  -- In normalised form where it is an address.
  recipient text,
  country text,
  template_id text,
  key_id bigint,
  request_id text,
  code integer not null,
  reason text,
  decision jsonb,
  ip text,
  primary key (application_id, id)
);
create index refusals_by_recipient on refusals (application_id, recipient, id);
create index refusals_by_code on refusals (application_id, code, id);
comment on table refusals is 'refusals: sends that were refused, and why';
