-- Where a customer is asked before a send is accepted: one hook per application.
create sequence presend_versions;
create table presend_hooks (
  application_id bigint primary key,
  url text not null,
  timeout_ms integer not null check (timeout_ms between 50 and 3000),
  -- Without a good answer: open lets the send pass, closed refuses it.
  on_failure text not null check (on_failure in ('open', 'closed')),
  -- Sealed JSON: Authorization value, signing secrets with the times until which they sign.
  secrets bytea not null,
  enabled boolean not null,
  -- Never the same twice over all hooks, so that their sum tells whether anything changed.
  version bigint not null default nextval('presend_versions'),
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now()
);
comment on table presend_hooks is 'presend: where customers are asked before a send is accepted';

-- Added up by every node each second.
create table presend_counts (
  application_id bigint primary key,
  allowed bigint not null default 0,
  denied bigint not null default 0,
  challenged bigint not null default 0,
  -- Without a good answer, those among them that were not even asked included.
  failed bigint not null default 0,
  skipped bigint not null default 0,
  last_failure text,
  last_failure_at timestamptz
);
comment on table presend_counts is 'presend: what hooks answered, and how often they did not';
