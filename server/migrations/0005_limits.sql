-- One row per recipient of an application, so that one row lock decides every rule about that recipient.
create table targets (
  application_id bigint not null,
  -- The normalised address: E.164 or e-mail.
  target text not null,
  version bigint not null,
  -- Accepted sends and resends within the last window, oldest first.
  send_times timestamptz[] not null default '{}',
  -- Wrong codes within the last window, over all codes of the target.
  wrong_times timestamptz[] not null default '{}',
  -- template id → { m: newest message id, v: verification id, e: expiry, s: last send } while a code lives.
  locks jsonb not null default '{}',
  primary key (application_id, target)
) with (fillfactor = 80);
comment on table targets is 'limits: send counters, wrong-code budget and resend locks per recipient';
