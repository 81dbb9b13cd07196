-- The schema that the migrations make. Made by `npm run generate`; do not edit by hand.
-- A table belongs to the room that its comment names.

CREATE OR REPLACE FUNCTION public.account_id()
 RETURNS bigint
 LANGUAGE sql
AS $function$ select (((extract(epoch from clock_now()) * 1000)::bigint - 1288834974657) << 22) | nextval('account_numbers') $function$
;

CREATE OR REPLACE FUNCTION public.clock_now()
 RETURNS timestamp with time zone
 LANGUAGE sql
 STABLE PARALLEL SAFE
AS $function$ select now() $function$
;

CREATE OR REPLACE FUNCTION public.fold_balance_entries()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.fold_balance_reservations()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
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
end $function$
;

CREATE OR REPLACE FUNCTION public.fold_budget_uses()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
declare
  ids bigint[];
  starts timestamptz[];
  sums bigint[];
begin
  select array_agg(counter_id), array_agg(period_start), array_agg(micros) into ids, starts, sums from (
    select x.counter_id, x.period_start,
      sum(u.sign * greatest(coalesce(x.held_micros, u.open_micros) + u.cost_micros - coalesce(x.from_micros, 0), 0))::bigint as micros
    from (select 1 as sign, * from fresh union all select -1, * from gone) u
    cross join lateral unnest(u.counter_ids, u.period_starts, u.from_micros, u.held_micros)
      as x(counter_id, period_start, from_micros, held_micros)
    group by 1, 2
  ) s where micros <> 0;
  -- Mostly a cost takes the place of what was counted for it: then nobody waits for the counter.
  if ids is null then return null; end if;
  perform from budget_counters where counter_id = any(ids) order by counter_id for no key update;
  update budget_counters c set spent_micros = c.spent_micros + s.micros
    from unnest(ids, starts, sums) as s(counter_id, period_start, micros)
    where c.counter_id = s.counter_id and c.period_start = s.period_start;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.queue_callbacks()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  insert into callback_queue (endpoint_id, application_id, message_id, position, status, event_id)
  select endpoint.id, fresh.application_id, fresh.message_id, fresh.position, fresh.status,
    ((floor(extract(epoch from fresh.at) * 1000)::bigint - 1288834974657) << 22) | (fresh.position & 4194303)
  from fresh join callback_endpoints endpoint
    on endpoint.application_id = fresh.application_id and endpoint.enabled and fresh.status = any (endpoint.event_types)
  order by fresh.position;
  return null;
end $function$
;

CREATE OR REPLACE FUNCTION public.refuse_change()
 RETURNS trigger
 LANGUAGE plpgsql
AS $function$
begin
  raise exception '% is not changed afterwards', tg_table_name using errcode = 'check_violation';
end $function$
;

CREATE OR REPLACE FUNCTION public.repeat_statement()
 RETURNS bigint
 LANGUAGE plpgsql
AS $function$
begin
  raise exception 'a row was made at the same moment' using errcode = 'serialization_failure';
end $function$
;

create sequence account_numbers;

create sequence handset_numbers;

create sequence presend_versions;

create sequence refusal_numbers;

create table alert_followers (
  application_id bigint not null,
  txid xid8 not null,
  position bigint not null,
  constraint alert_followers_pkey PRIMARY KEY (application_id)
) with (fillfactor=50);
comment on table alert_followers is 'alerts: how far the ledger of an application is counted';

create table alert_messages (
  id bigint generated always as identity not null,
  alert_id bigint not null,
  rule_id bigint not null,
  about text not null,
  way text not null,
  recipient text not null,
  provider text,
  title text not null,
  text text not null,
  state text default 'waiting'::text not null,
  tries smallint default 0 not null,
  due_at timestamp with time zone default clock_now(),
  last_error text,
  created_at timestamp with time zone default clock_now() not null,
  ended_at timestamp with time zone,
  constraint alert_messages_pkey PRIMARY KEY (id),
  constraint alert_messages_alert_id_fkey FOREIGN KEY (alert_id) REFERENCES alerts(id) ON DELETE CASCADE,
  constraint alert_messages_about_check CHECK ((about = ANY (ARRAY['raised'::text, 'ended'::text]))),
  constraint alert_messages_check CHECK (((state = 'waiting'::text) = (due_at IS NOT NULL))),
  constraint alert_messages_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'sent'::text, 'given_up'::text]))),
  constraint alert_messages_way_check CHECK ((way = ANY (ARRAY['email'::text, 'telegram'::text])))
);
CREATE INDEX alert_messages_by_alert ON public.alert_messages USING btree (alert_id, id);
CREATE INDEX alert_messages_by_rule ON public.alert_messages USING btree (rule_id) WHERE (due_at IS NOT NULL);
CREATE INDEX alert_messages_due ON public.alert_messages USING btree (due_at) WHERE (due_at IS NOT NULL);
comment on table alert_messages is 'alerts: e-mails and Telegram messages, still to be posted or done';

create table alert_minutes (
  application_id bigint not null,
  minute timestamp with time zone not null,
  sent integer not null,
  delivered integer not null,
  undelivered integer not null,
  verified integer not null,
  unverified integer not null,
  cost_micros bigint not null,
  constraint alert_minutes_pkey PRIMARY KEY (application_id, minute)
) with (fillfactor=70);
comment on table alert_minutes is 'alerts: what happened in each minute of the last eight days';

create table alert_rules (
  id bigint default account_id() not null,
  application_id bigint,
  kind text not null,
  threshold double precision,
  clear_threshold double precision,
  factor double precision,
  min_samples integer not null,
  quiet_minutes integer not null,
  enabled boolean not null,
  tell_callback boolean not null,
  email_provider text,
  email_to text[] not null,
  telegram_chat text,
  telegram_token bytea,
  value double precision,
  judged_at timestamp with time zone,
  due_at timestamp with time zone default clock_now() not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint alert_rules_pkey PRIMARY KEY (id),
  constraint alert_rules_check CHECK (((cardinality(email_to) <= 5) AND ((email_provider IS NULL) = (cardinality(email_to) = 0)))),
  constraint alert_rules_check1 CHECK (((application_id IS NULL) = (kind = 'provider_circuit'::text))),
  constraint alert_rules_check2 CHECK (((telegram_chat IS NULL) = (telegram_token IS NULL))),
  constraint alert_rules_kind_check CHECK ((kind = ANY (ARRAY['balance'::text, 'verification_rate'::text, 'delivery_rate'::text, 'provider_circuit'::text, 'callback_failure'::text, 'spend_velocity'::text]))),
  constraint alert_rules_min_samples_check CHECK ((min_samples >= 0)),
  constraint alert_rules_quiet_minutes_check CHECK ((quiet_minutes >= 0))
);
CREATE INDEX alert_rules_by_application ON public.alert_rules USING btree (application_id, id);
CREATE INDEX alert_rules_due ON public.alert_rules USING btree (due_at) WHERE enabled;
comment on table alert_rules is 'alerts: when somebody is to be told, and how';

create table alerts (
  id bigint default account_id() not null,
  rule_id bigint not null,
  application_id bigint,
  kind text not null,
  subject text not null,
  value double precision not null,
  threshold double precision not null,
  text text not null,
  raised_at timestamp with time zone default clock_now() not null,
  ended_at timestamp with time zone,
  ended_value double precision,
  constraint alerts_pkey PRIMARY KEY (id)
);
CREATE INDEX alerts_by_application ON public.alerts USING btree (application_id, id);
CREATE INDEX alerts_by_end ON public.alerts USING btree (ended_at) WHERE (ended_at IS NOT NULL);
CREATE INDEX alerts_by_rule ON public.alerts USING btree (rule_id, subject, id);
CREATE UNIQUE INDEX alerts_raised ON public.alerts USING btree (rule_id, subject) WHERE (ended_at IS NULL);
comment on table alerts is 'alerts: what was raised, and when it ended';

create table api_keys (
  id bigint default account_id() not null,
  application_id bigint not null,
  dev_key text not null,
  secret_hash bytea not null,
  kind text default 'server'::text not null,
  description text not null,
  permissions text[] not null,
  ip_allowlist text[] not null,
  expires_at timestamp with time zone,
  enabled boolean default true not null,
  last_used_at timestamp with time zone,
  created_at timestamp with time zone default clock_now() not null,
  agent jsonb,
  limits jsonb default '[]'::jsonb not null,
  approval text default 'none'::text not null,
  constraint api_keys_dev_key_key UNIQUE (dev_key),
  constraint api_keys_pkey PRIMARY KEY (id),
  constraint api_keys_application_id_fkey FOREIGN KEY (application_id) REFERENCES applications(id),
  constraint api_keys_agent_check CHECK (((agent IS NOT NULL) = (kind = 'agent'::text))),
  constraint api_keys_approval_check CHECK ((approval = ANY (ARRAY['none'::text, 'pending'::text, 'approved'::text, 'refused'::text]))),
  constraint api_keys_kind_check CHECK ((kind = ANY (ARRAY['server'::text, 'agent'::text]))),
  constraint api_keys_limits_check CHECK ((jsonb_typeof(limits) = 'array'::text)),
  constraint api_keys_permissions_check CHECK (((cardinality(permissions) > 0) AND (permissions <@ ARRAY['send'::text, 'verify'::text, 'templates'::text, 'read'::text, 'callbacks:read'::text, 'callbacks:write'::text])))
);
CREATE INDEX api_keys_by_application ON public.api_keys USING btree (application_id, id);
comment on table api_keys is 'accounts: credentials of applications';

create table applications (
  id bigint default account_id() not null,
  organization_id bigint not null,
  name text not null,
  network text default 'virtual'::text not null,
  sandbox text default 'none'::text not null,
  policy jsonb default '{}'::jsonb not null,
  created_at timestamp with time zone default clock_now() not null,
  constraint applications_pkey PRIMARY KEY (id),
  constraint applications_organization_id_fkey FOREIGN KEY (organization_id) REFERENCES organizations(id),
  constraint applications_check CHECK (((sandbox = 'none'::text) OR (network = 'virtual'::text))),
  constraint applications_network_check CHECK ((network = ANY (ARRAY['virtual'::text, 'live'::text]))),
  constraint applications_policy_check CHECK ((jsonb_typeof(policy) = 'object'::text)),
  constraint applications_sandbox_check CHECK ((sandbox = ANY (ARRAY['none'::text, 'key'::text, 'public'::text])))
);
CREATE INDEX applications_by_organization ON public.applications USING btree (organization_id, id);
comment on table applications is 'accounts: what keys, templates, messages and policies belong to';

create table approval_requests (
  id bigint default account_id() not null,
  api_key_id bigint not null,
  application_id bigint not null,
  state text default 'pending'::text not null,
  terms jsonb not null,
  operation text not null,
  recipient text not null,
  recipients integer not null,
  template_id text not null,
  channels jsonb not null,
  currency text not null,
  client text,
  request_id text,
  note text,
  asked_at timestamp with time zone default clock_now() not null,
  decided_at timestamp with time zone,
  constraint approval_requests_pkey PRIMARY KEY (id),
  constraint approval_requests_api_key_id_fkey FOREIGN KEY (api_key_id) REFERENCES api_keys(id) ON DELETE CASCADE,
  constraint approval_requests_check CHECK (((decided_at IS NULL) = (state = 'pending'::text))),
  constraint approval_requests_recipients_check CHECK ((recipients > 0)),
  constraint approval_requests_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'approved'::text, 'refused'::text, 'outdated'::text])))
);
CREATE INDEX approval_requests_by_state ON public.approval_requests USING btree (state, id);
CREATE UNIQUE INDEX approval_requests_pending ON public.approval_requests USING btree (api_key_id) WHERE (state = 'pending'::text);
comment on table approval_requests is 'accounts: first live sends of agent keys, as an operator is asked about them';

create table attempts (
  application_id bigint not null,
  message_id bigint not null,
  attempt smallint not null,
  try smallint not null,
  step smallint not null,
  channel text not null,
  provider text not null,
  upstream_id text,
  outcome text not null,
  error_code integer,
  reason text,
  started_at timestamp with time zone not null,
  answered_at timestamp with time zone default clock_now() not null,
  cost_micros bigint default 0 not null,
  route jsonb,
  constraint attempts_pkey PRIMARY KEY (application_id, message_id, attempt, try),
  constraint attempts_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'refused'::text, 'unknown'::text])))
);
CREATE INDEX attempts_by_upstream_id ON public.attempts USING btree (provider, upstream_id) WHERE (upstream_id IS NOT NULL);
comment on table attempts is 'delivery: provider calls and their answers';

create table balance_entries (
  id bigint generated always as identity not null,
  organization_id bigint not null,
  kind text not null,
  amount_micros bigint not null,
  application_id bigint,
  message_id bigint,
  attempt smallint,
  try smallint,
  refunded_id bigint,
  note text default ''::text not null,
  author text default ''::text not null,
  key text,
  at timestamp with time zone default clock_now() not null,
  constraint balance_entries_organization_id_key_key UNIQUE (organization_id, key),
  constraint balance_entries_refunded_id_key UNIQUE (refunded_id),
  constraint balance_entries_pkey PRIMARY KEY (id),
  constraint balance_entries_check CHECK (
CASE kind
    WHEN 'charge'::text THEN (amount_micros < 0)
    WHEN 'adjustment'::text THEN (amount_micros <> 0)
    WHEN 'receipt'::text THEN (amount_micros <> 0)
    ELSE (amount_micros > 0)
END),
  constraint balance_entries_check1 CHECK (((kind = ANY (ARRAY['charge'::text, 'refund'::text, 'receipt'::text])) = (message_id IS NOT NULL))),
  constraint balance_entries_check2 CHECK (((kind = 'refund'::text) = (refunded_id IS NOT NULL))),
  constraint balance_entries_kind_check CHECK ((kind = ANY (ARRAY['top_up'::text, 'charge'::text, 'refund'::text, 'receipt'::text, 'adjustment'::text])))
);
CREATE UNIQUE INDEX balance_entries_by_call ON public.balance_entries USING btree (application_id, message_id, attempt, try) WHERE (kind = 'charge'::text);
CREATE INDEX balance_entries_by_organization ON public.balance_entries USING btree (organization_id, id);
comment on table balance_entries is 'spend: every change of a balance, append-only';

create table balance_reservations (
  application_id bigint not null,
  message_id bigint not null,
  organization_id bigint not null,
  micros bigint not null,
  constraint balance_reservations_pkey PRIMARY KEY (application_id, message_id),
  constraint balance_reservations_micros_check CHECK ((micros > 0))
);
comment on table balance_reservations is 'spend: what accepted messages may still cost until their first hand-over';

create table balances (
  organization_id bigint not null,
  mode text default 'unlimited'::text not null,
  balance_micros bigint default 0 not null,
  reserved_micros bigint default 0 not null,
  threshold_micros bigint default 0 not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint balances_pkey PRIMARY KEY (organization_id),
  constraint balances_mode_check CHECK ((mode = ANY (ARRAY['unlimited'::text, 'prepaid'::text]))),
  constraint balances_reserved_micros_check CHECK ((reserved_micros >= 0)),
  constraint balances_threshold_micros_check CHECK ((threshold_micros >= 0))
) with (fillfactor=50);
comment on table balances is 'spend: what each organization has, and whether that binds it';

create table budget_counters (
  counter_id bigint not null,
  period_start timestamp with time zone not null,
  spent_micros bigint not null,
  constraint budget_counters_pkey PRIMARY KEY (counter_id)
) with (fillfactor=50);
comment on table budget_counters is 'spend: what the newest period of a budget has spent';

create table budget_uses (
  application_id bigint not null,
  message_id bigint not null,
  counter_ids bigint[] not null,
  period_starts timestamp with time zone[] not null,
  open_micros bigint not null,
  cost_micros bigint default 0 not null,
  from_micros bigint[],
  held_micros bigint[],
  constraint budget_uses_pkey PRIMARY KEY (application_id, message_id),
  constraint budget_uses_cost_micros_check CHECK ((cost_micros >= 0)),
  constraint budget_uses_open_micros_check CHECK ((open_micros >= 0))
) with (fillfactor=70);
comment on table budget_uses is 'spend: the budgets a message was counted in, for what it costs afterwards';

create table budgets (
  id bigint default account_id() not null,
  application_id bigint not null,
  scope text not null,
  scope_value text,
  period text not null,
  cap_micros bigint not null,
  ladder jsonb default '[]'::jsonb not null,
  enabled boolean default true not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint budgets_pkey PRIMARY KEY (id),
  constraint budgets_cap_micros_check CHECK ((cap_micros >= 0)),
  constraint budgets_check CHECK (((scope = 'all'::text) = (scope_value IS NULL))),
  constraint budgets_ladder_check CHECK ((jsonb_typeof(ladder) = 'array'::text)),
  constraint budgets_period_check CHECK ((period = ANY (ARRAY['hour'::text, 'day'::text, 'month'::text]))),
  constraint budgets_scope_check CHECK ((scope = ANY (ARRAY['all'::text, 'country'::text, 'calling_code'::text])))
);
CREATE INDEX budgets_by_application ON public.budgets USING btree (application_id, id);
comment on table budgets is 'spend: caps in money of applications';

create table callback_attempts (
  id bigint generated always as identity not null,
  endpoint_id bigint not null,
  application_id bigint not null,
  message_id bigint not null,
  position bigint not null,
  event_id bigint not null,
  status text not null,
  try smallint not null,
  at timestamp with time zone default clock_now() not null,
  rows smallint not null,
  outcome text not null,
  http_status smallint,
  detail text,
  response text,
  latency_ms integer not null,
  next_at timestamp with time zone,
  constraint callback_attempts_pkey PRIMARY KEY (endpoint_id, id),
  constraint callback_attempts_outcome_check CHECK ((outcome = ANY (ARRAY['accepted'::text, 'retry'::text, 'given_up'::text])))
);
CREATE INDEX callback_attempts_by_age ON public.callback_attempts USING brin (at) WITH (pages_per_range='32');
CREATE INDEX callback_attempts_by_event ON public.callback_attempts USING btree (endpoint_id, event_id);
CREATE INDEX callback_attempts_by_message ON public.callback_attempts USING btree (application_id, message_id);
CREATE INDEX callback_attempts_failed ON public.callback_attempts USING btree (endpoint_id, outcome, id) WHERE (outcome <> 'accepted'::text);
comment on table callback_attempts is 'posting: every try and its answer';

create table callback_endpoints (
  id bigint default account_id() not null,
  application_id bigint not null,
  description text not null,
  url text not null,
  username text,
  secrets bytea not null,
  event_types text[] not null,
  format text not null,
  retry_schedule text not null,
  batch_rows smallint not null,
  timeout_ms integer not null,
  concurrency smallint not null,
  rate_per_second numeric,
  enabled boolean not null,
  disabled_because text,
  of_sandbox boolean default false not null,
  reachable boolean not null,
  probe_note text not null,
  probed_at timestamp with time zone not null,
  failing_since timestamp with time zone,
  version integer default 1 not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint callback_endpoints_pkey PRIMARY KEY (id),
  constraint callback_endpoints_batch_rows_check CHECK (((batch_rows >= 1) AND (batch_rows <= 100))),
  constraint callback_endpoints_concurrency_check CHECK (((concurrency >= 1) AND (concurrency <= 200))),
  constraint callback_endpoints_disabled_because_check CHECK ((disabled_because = ANY (ARRAY['gone'::text, 'failing'::text]))),
  constraint callback_endpoints_format_check CHECK ((format = ANY (ARRAY['vendor'::text, 'standard'::text]))),
  constraint callback_endpoints_rate_per_second_check CHECK ((rate_per_second > (0)::numeric)),
  constraint callback_endpoints_retry_schedule_check CHECK ((retry_schedule = ANY (ARRAY['vendor'::text, 'fast'::text, 'standard'::text, 'none'::text]))),
  constraint callback_endpoints_timeout_ms_check CHECK (((timeout_ms >= 1000) AND (timeout_ms <= 30000)))
);
CREATE INDEX callback_endpoints_by_application ON public.callback_endpoints USING btree (application_id, id);
CREATE UNIQUE INDEX callback_endpoints_of_sandbox ON public.callback_endpoints USING btree (application_id) WHERE of_sandbox;
comment on table callback_endpoints is 'callbacks: where applications want to be told what happened';

create table callback_leases (
  endpoint_id bigint not null,
  holder text not null,
  expires_at timestamp with time zone not null,
  constraint callback_leases_pkey PRIMARY KEY (endpoint_id),
  constraint callback_leases_endpoint_id_fkey FOREIGN KEY (endpoint_id) REFERENCES callback_endpoints(id) ON DELETE CASCADE
) with (fillfactor=50);
comment on table callback_leases is 'posting: which node posts to an endpoint';

create table callback_queue (
  endpoint_id bigint not null,
  application_id bigint not null,
  message_id bigint not null,
  position bigint not null,
  event_id bigint not null,
  status text not null,
  due_at timestamp with time zone default clock_now(),
  tries smallint default 0 not null,
  batch bigint,
  body text,
  replayed boolean default false not null,
  given_up_at timestamp with time zone,
  constraint callback_queue_pkey PRIMARY KEY (endpoint_id, message_id, "position"),
  constraint callback_queue_check CHECK (((due_at IS NULL) = (given_up_at IS NOT NULL)))
);
CREATE INDEX callback_queue_batch ON public.callback_queue USING btree (endpoint_id, batch) WHERE (batch IS NOT NULL);
CREATE INDEX callback_queue_by_message ON public.callback_queue USING btree (application_id, message_id);
CREATE INDEX callback_queue_due ON public.callback_queue USING btree (endpoint_id, due_at, "position") WHERE (due_at IS NOT NULL);
CREATE INDEX callback_queue_given_up ON public.callback_queue USING btree (endpoint_id, given_up_at) WHERE (given_up_at IS NOT NULL);
CREATE INDEX callback_queue_gone ON public.callback_queue USING btree (endpoint_id, message_id, "position") WHERE (given_up_at IS NOT NULL);
CREATE INDEX callback_queue_retrying ON public.callback_queue USING btree (endpoint_id, message_id, "position") WHERE ((due_at IS NOT NULL) AND (tries > 0));
comment on table callback_queue is 'posting: events still to be posted, and those given up';

create table deliveries (
  application_id bigint not null,
  message_id bigint not null,
  version integer default 1 not null,
  state text not null,
  plan jsonb not null,
  has_verification boolean not null,
  ended text,
  channel text not null,
  waiting_steps smallint not null,
  sent_count smallint default 0 not null,
  sequence integer not null,
  silent boolean default false not null,
  cost_micros bigint default 0 not null,
  content bytea,
  deadline_at timestamp with time zone not null,
  in_flight boolean default false not null,
  due_at timestamp with time zone,
  constraint deliveries_pkey PRIMARY KEY (application_id, message_id),
  constraint deliveries_check CHECK (((NOT in_flight) OR (due_at IS NOT NULL))),
  constraint deliveries_check1 CHECK (((ended IS NULL) OR (content IS NULL))),
  constraint deliveries_ended_check CHECK ((ended = ANY (ARRAY['verified'::text, 'exhausted'::text, 'expired'::text, 'cancelled'::text, 'superseded'::text]))),
  constraint deliveries_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'delivered'::text, 'failed'::text, 'invalid'::text, 'cancelled'::text])))
) with (fillfactor=70);
CREATE INDEX deliveries_due ON public.deliveries USING btree (due_at) WHERE (due_at IS NOT NULL);
comment on table deliveries is 'delivery: the durable effort to get a message there';

create table events (
  position bigint generated always as identity not null,
  txid xid8 default pg_current_xact_id() not null,
  application_id bigint not null,
  message_id bigint not null,
  at timestamp with time zone default clock_now() not null,
  cause text not null,
  status text,
  sequence integer,
  step smallint,
  attempt smallint,
  channel text,
  error_code integer,
  data jsonb,
  constraint events_pkey PRIMARY KEY (application_id, message_id, "position")
);
CREATE INDEX events_by_application ON public.events USING btree (application_id, txid, "position") WHERE (status IS NOT NULL);
CREATE INDEX events_uncalled ON public.events USING btree (application_id, txid, "position") WHERE ((status IS NULL) AND (cause = ANY (ARRAY['wrong_code'::text, 'resent'::text])));
comment on table events is 'events: the append-only ledger';

create table fraud_blocks (
  id bigint generated always as identity not null,
  application_id bigint not null,
  kind text not null,
  subject text not null,
  source text not null,
  level smallint not null,
  channels text[] not null,
  reasons jsonb not null,
  since timestamp with time zone default clock_now() not null,
  until timestamp with time zone,
  lifted_at timestamp with time zone,
  lifted_by text,
  constraint fraud_blocks_application_id_kind_subject_source_key UNIQUE (application_id, kind, subject, source),
  constraint fraud_blocks_pkey PRIMARY KEY (id),
  constraint fraud_blocks_kind_check CHECK ((kind = ANY (ARRAY['prefix'::text, 'ip'::text, 'device'::text])))
);
CREATE INDEX fraud_blocks_open ON public.fraud_blocks USING btree (until) WHERE (lifted_at IS NULL);
comment on table fraud_blocks is 'fraud: what is closed for a prefix, an address or a device';

create table fraud_rule_days (
  application_id bigint not null,
  day date not null,
  rule text not null,
  evaluated bigint not null,
  fired bigint not null,
  shadow bigint not null,
  unreadable bigint not null,
  constraint fraud_rule_days_pkey PRIMARY KEY (application_id, day, rule)
) with (fillfactor=50);
CREATE INDEX fraud_rule_days_by_day ON public.fraud_rule_days USING brin (day);
comment on table fraud_rule_days is 'fraud: how often rules were asked and matched, by day';

create table fraud_rule_sets (
  application_id bigint not null,
  version integer not null,
  document jsonb,
  author text not null,
  created_at timestamp with time zone default clock_now() not null,
  constraint fraud_rule_sets_pkey PRIMARY KEY (application_id, version)
);
comment on table fraud_rule_sets is 'fraud: rule sets of applications, every version';

create table fraud_state (
  one boolean default true not null,
  installed_at timestamp with time zone default clock_now() not null,
  changes bigint default 0 not null,
  constraint fraud_state_pkey PRIMARY KEY (one),
  constraint fraud_state_one_check CHECK (one)
) with (fillfactor=50);
comment on table fraud_state is 'fraud: since when there are rules, and how often they changed';

create table handset_messages (
  application_id bigint not null,
  recipient text not null,
  received_at timestamp with time zone not null,
  number bigint not null,
  message_id bigint not null,
  channel text not null,
  language text not null,
  step smallint not null,
  attempt smallint not null,
  segments smallint,
  content bytea not null,
  constraint handset_messages_pkey PRIMARY KEY (application_id, recipient, received_at, number),
  constraint handset_messages_channel_check CHECK ((channel = ANY (ARRAY['whatsapp'::text, 'sms'::text, 'email'::text, 'voice'::text])))
);
CREATE INDEX handset_messages_by_age ON public.handset_messages USING brin (received_at) WITH (pages_per_range='32');
comment on table handset_messages is 'sandbox: what the handsets of the virtual phone network received, kept 24 hours';

create table handset_receipts (
  due_at timestamp with time zone not null,
  number bigint not null,
  first_due_at timestamp with time zone not null,
  claimed_until timestamp with time zone,
  error_code integer,
  times_left smallint not null,
  tries smallint default 0 not null,
  constraint handset_receipts_pkey PRIMARY KEY (due_at, number),
  constraint handset_receipts_times_left_check CHECK (((times_left >= 1) AND (times_left <= 5)))
) with (fillfactor=70);
comment on table handset_receipts is 'sandbox: receipts the virtual phone network still has to report';

create table handset_scripts (
  application_id bigint not null,
  recipient text not null,
  channel text not null,
  hand_over text not null,
  error_code integer not null,
  lost boolean not null,
  arrive_after_ms integer not null,
  receipt text not null,
  receipt_error_code integer not null,
  receipt_after_ms integer not null,
  receipt_times smallint not null,
  receipt_before_answer boolean not null,
  set_at timestamp with time zone default clock_now() not null,
  constraint handset_scripts_pkey PRIMARY KEY (application_id, recipient, channel),
  constraint handset_scripts_arrive_after_ms_check CHECK (((arrive_after_ms >= 0) AND (arrive_after_ms <= 86400000))),
  constraint handset_scripts_channel_check CHECK ((channel = ANY (ARRAY['whatsapp'::text, 'sms'::text, 'email'::text, 'voice'::text]))),
  constraint handset_scripts_hand_over_check CHECK ((hand_over = ANY (ARRAY['accept'::text, 'refuse'::text, 'refuse_temporarily'::text, 'no_answer'::text]))),
  constraint handset_scripts_receipt_after_ms_check CHECK (((receipt_after_ms >= 0) AND (receipt_after_ms <= 86400000))),
  constraint handset_scripts_receipt_check CHECK ((receipt = ANY (ARRAY['delivered'::text, 'undelivered'::text, 'none'::text]))),
  constraint handset_scripts_receipt_times_check CHECK (((receipt_times >= 1) AND (receipt_times <= 5)))
);
comment on table handset_scripts is 'sandbox: how the virtual phone network treats a recipient of an application, kept 24 hours';

create table hook_marks (
  provider text not null,
  key_hash bytea not null,
  expires_at timestamp with time zone not null,
  constraint hook_marks_pkey PRIMARY KEY (provider, key_hash),
  constraint hook_marks_provider_fkey FOREIGN KEY (provider) REFERENCES providers(id) ON DELETE CASCADE
);
CREATE INDEX hook_marks_by_age ON public.hook_marks USING btree (expires_at);
comment on table hook_marks is 'providers: what adapters have seen once and must not take again';

create table idempotency_keys (
  application_id bigint not null,
  key text not null,
  ticket uuid not null,
  request_hash bytea not null,
  answer jsonb,
  locked_until timestamp with time zone not null,
  created_at timestamp with time zone not null,
  constraint idempotency_keys_pkey PRIMARY KEY (application_id, key)
);
CREATE INDEX idempotency_keys_by_age ON public.idempotency_keys USING btree (created_at);
comment on table idempotency_keys is 'http: answers by Idempotency-Key, kept 24 hours';

create table insight_followers (
  application_id bigint not null,
  txid xid8 not null,
  position bigint not null,
  constraint insight_followers_pkey PRIMARY KEY (application_id)
) with (fillfactor=50);
comment on table insight_followers is 'insights: how far the ledger of an application is counted';

create table insight_rollups (
  application_id bigint not null,
  span text not null,
  starts_at timestamp with time zone not null,
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
  accept_to_sent numeric not null,
  sent_to_delivered numeric not null,
  accept_to_verified numeric not null,
  constraint insight_rollups_pkey PRIMARY KEY (application_id, span, starts_at, country, channel, template_id, provider),
  constraint insight_rollups_span_check CHECK ((span = ANY (ARRAY['hour'::text, 'day'::text])))
) with (fillfactor=70);
CREATE INDEX insight_rollups_by_time ON public.insight_rollups USING brin (starts_at);
comment on table insight_rollups is 'insights: what was sent, arrived, was verified and cost, by hour and by day';

create table ledger_origin (
  sole boolean default true not null,
  system_identifier text not null,
  epoch integer default 1 not null,
  constraint ledger_origin_pkey PRIMARY KEY (sole),
  constraint ledger_origin_sole_check CHECK (sole)
);
comment on table ledger_origin is 'events: the cluster the ledger was written in, and how often it has moved';

create table list_entries (
  id bigint generated always as identity not null,
  application_id bigint,
  kind text not null,
  type text not null,
  value text not null,
  network inet,
  reason text not null,
  author text not null,
  expires_at timestamp with time zone,
  created_at timestamp with time zone default clock_now() not null,
  constraint list_entries_type_value_application_id_kind_key UNIQUE NULLS NOT DISTINCT (type, value, application_id, kind),
  constraint list_entries_pkey PRIMARY KEY (id),
  constraint list_entries_check CHECK (((network IS NOT NULL) = (type = 'ip'::text))),
  constraint list_entries_kind_check CHECK ((kind = ANY (ARRAY['allow'::text, 'block'::text]))),
  constraint list_entries_type_check CHECK ((type = ANY (ARRAY['number'::text, 'prefix'::text, 'ip'::text, 'email_domain'::text, 'country'::text])))
);
CREATE INDEX list_entries_by_network ON public.list_entries USING gist (network inet_ops) WHERE (network IS NOT NULL);
comment on table list_entries is 'limits: allow and block lists of the operator';

create table master_key_checks (
  is_only boolean default true not null,
  key_check bytea not null,
  constraint master_key_checks_pkey PRIMARY KEY (is_only),
  constraint master_key_checks_is_only_check CHECK (is_only)
);
comment on table master_key_checks is 'accounts: whether a master key is the one of this database';

create table messages (
  application_id bigint not null,
  id bigint not null,
  kind text not null,
  recipient text not null,
  template_id text not null,
  template_revision integer not null,
  language text not null,
  country text,
  purpose text,
  verification_id bigint,
  custom_args jsonb,
  signals jsonb,
  sealed_params bytea,
  created_at timestamp with time zone not null,
  expires_at timestamp with time zone,
  other_recipient text,
  decision jsonb,
  constraint messages_pkey PRIMARY KEY (application_id, id),
  constraint messages_kind_check CHECK ((kind = ANY (ARRAY['otp'::text, 'code'::text, 'custom'::text])))
);
CREATE INDEX messages_by_other_recipient ON public.messages USING btree (application_id, other_recipient, id) WHERE (other_recipient IS NOT NULL);
CREATE INDEX messages_by_recipient ON public.messages USING btree (application_id, recipient, id);
comment on table messages is 'messages: what was accepted to be sent, immutable';

create table migrations (
  name text not null,
  applied_at timestamp with time zone default now() not null,
  constraint migrations_pkey PRIMARY KEY (name)
);

create table nodes (
  node smallint not null,
  holder text not null,
  expires_at timestamp with time zone not null,
  worker boolean default true not null,
  constraint nodes_pkey PRIMARY KEY (node),
  constraint nodes_node_check CHECK (((node >= 0) AND (node <= 1023)))
);
comment on table nodes is 'platform: leases of the node numbers inside message ids';

create table operator_sessions (
  token_hash bytea not null,
  email text,
  created_at timestamp with time zone default clock_now() not null,
  expires_at timestamp with time zone not null,
  constraint operator_sessions_pkey PRIMARY KEY (token_hash)
);
CREATE INDEX operator_sessions_by_expiry ON public.operator_sessions USING btree (expires_at);
comment on table operator_sessions is 'accounts: sessions of operators';

create table operator_tokens (
  token_hash bytea not null,
  created_at timestamp with time zone default clock_now() not null,
  constraint operator_tokens_pkey PRIMARY KEY (token_hash)
);
comment on table operator_tokens is 'accounts: bearer tokens of the operator';

create table opt_outs (
  application_id bigint not null,
  target text not null,
  source text not null,
  keyword text,
  created_at timestamp with time zone default clock_now() not null,
  number bigint generated always as identity not null,
  constraint opt_outs_pkey PRIMARY KEY (application_id, target),
  constraint opt_outs_source_check CHECK ((source = ANY (ARRAY['uplink'::text, 'operator'::text, 'upstream'::text])))
);
CREATE INDEX opt_outs_by_number ON public.opt_outs USING btree (application_id, number);
CREATE INDEX opt_outs_by_target ON public.opt_outs USING btree (target, number);
comment on table opt_outs is 'limits: who has unsubscribed from an application';

create table organizations (
  id bigint default account_id() not null,
  name text not null,
  created_at timestamp with time zone default clock_now() not null,
  constraint organizations_pkey PRIMARY KEY (id)
);
comment on table organizations is 'accounts: who owns applications';

create table parked_receipts (
  id bigint generated always as identity not null,
  provider text not null,
  receipt jsonb not null,
  parked_at timestamp with time zone default clock_now() not null,
  look_at timestamp with time zone default clock_now() not null,
  constraint parked_receipts_pkey PRIMARY KEY (id)
);
CREATE INDEX parked_receipts_look ON public.parked_receipts USING btree (look_at);
comment on table parked_receipts is 'delivery: receipts whose attempt is not known yet, kept for five minutes';

create table presend_counts (
  application_id bigint not null,
  allowed bigint default 0 not null,
  denied bigint default 0 not null,
  challenged bigint default 0 not null,
  failed bigint default 0 not null,
  skipped bigint default 0 not null,
  last_failure text,
  last_failure_at timestamp with time zone,
  constraint presend_counts_pkey PRIMARY KEY (application_id)
);
comment on table presend_counts is 'presend: what hooks answered, and how often they did not';

create table presend_hooks (
  application_id bigint not null,
  url text not null,
  timeout_ms integer not null,
  on_failure text not null,
  secrets bytea not null,
  enabled boolean not null,
  version bigint default nextval('presend_versions'::regclass) not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint presend_hooks_pkey PRIMARY KEY (application_id),
  constraint presend_hooks_on_failure_check CHECK ((on_failure = ANY (ARRAY['open'::text, 'closed'::text]))),
  constraint presend_hooks_timeout_ms_check CHECK (((timeout_ms >= 50) AND (timeout_ms <= 3000)))
);
comment on table presend_hooks is 'presend: where customers are asked before a send is accepted';

create table price_book (
  only_row boolean default true not null,
  version bigint not null,
  constraint price_book_pkey PRIMARY KEY (only_row),
  constraint price_book_only_row_check CHECK (only_row)
);
comment on table price_book is 'pricing: changes with every change of prices';

create table prices (
  id bigint generated always as identity not null,
  provider text not null,
  channel text not null,
  country text not null,
  prefix text not null,
  price_micros bigint not null,
  refund text default 'none'::text not null,
  valid_from timestamp with time zone not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint prices_channel_provider_country_prefix_valid_from_key UNIQUE (channel, provider, country, prefix, valid_from),
  constraint prices_pkey PRIMARY KEY (id),
  constraint prices_channel_check CHECK ((channel = ANY (ARRAY['whatsapp'::text, 'sms'::text, 'email'::text, 'voice'::text]))),
  constraint prices_check CHECK (((channel <> 'email'::text) OR ((country = '*'::text) AND (prefix = ''::text)))),
  constraint prices_country_check CHECK (((country = '*'::text) OR (country ~ '^[A-Z]{2}$'::text))),
  constraint prices_prefix_check CHECK ((prefix ~ '^([1-9][0-9]{0,14})?$'::text)),
  constraint prices_price_micros_check CHECK ((price_micros >= 0)),
  constraint prices_provider_check CHECK (((provider = '*'::text) OR (provider ~ '^[a-z0-9-]{2,40}$'::text))),
  constraint prices_refund_check CHECK ((refund = ANY (ARRAY['none'::text, 'undelivered'::text])))
);
comment on table prices is 'pricing: what providers take for a unit of a channel, from a moment on';

create table provider_health (
  provider text not null,
  node text not null,
  opened boolean not null,
  circuit text not null,
  since timestamp with time zone not null,
  reason text,
  calls integer not null,
  errors integer not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint provider_health_pkey PRIMARY KEY (provider, node),
  constraint provider_health_provider_fkey FOREIGN KEY (provider) REFERENCES providers(id) ON DELETE CASCADE,
  constraint provider_health_circuit_check CHECK ((circuit = ANY (ARRAY['closed'::text, 'open'::text, 'half_open'::text])))
) with (fillfactor=70);
comment on table provider_health is 'providers: how each node sees its providers';

create table providers (
  id text not null,
  adapter text not null,
  title text not null,
  settings bytea not null,
  enabled boolean not null,
  drained_until timestamp with time zone,
  rate_per_second numeric,
  concurrency integer not null,
  quiet_hours jsonb,
  circuit jsonb not null,
  circuit_reset_at timestamp with time zone,
  hook_token bytea not null,
  version integer default 1 not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint providers_pkey PRIMARY KEY (id),
  constraint providers_concurrency_check CHECK ((concurrency > 0)),
  constraint providers_id_check CHECK ((id ~ '^[a-z0-9-]{2,40}$'::text)),
  constraint providers_rate_per_second_check CHECK ((rate_per_second > (0)::numeric))
);
comment on table providers is 'providers: configured accounts at upstreams';

create table rate_counters (
  application_id bigint not null,
  counter text not null,
  version integer not null,
  times timestamp with time zone[] not null,
  counts integer[] not null,
  ends_at timestamp with time zone not null,
  constraint rate_counters_pkey PRIMARY KEY (application_id, counter),
  constraint rate_counters_check CHECK ((cardinality(times) = cardinality(counts)))
) with (fillfactor=60);
CREATE INDEX rate_counters_by_end ON public.rate_counters USING brin (ends_at) WITH (pages_per_range='16');
comment on table rate_counters is 'rates: what was counted for rate limits';

create table refusals (
  application_id bigint not null,
  id bigint not null,
  at timestamp with time zone not null,
  recipient text,
  country text,
  template_id text,
  key_id bigint,
  request_id text,
  code integer not null,
  reason text,
  decision jsonb,
  ip text,
  constraint refusals_pkey PRIMARY KEY (application_id, id)
);
CREATE INDEX refusals_by_code ON public.refusals USING btree (application_id, code, id);
CREATE INDEX refusals_by_recipient ON public.refusals USING btree (application_id, recipient, id);
comment on table refusals is 'refusals: sends that were refused, and why';

create table route_entries (
  id bigint generated always as identity not null,
  route_id bigint not null,
  provider text not null,
  priority integer not null,
  sender text,
  senders jsonb not null,
  price_micros bigint not null,
  registration_note text not null,
  enabled boolean not null,
  constraint route_entries_pkey PRIMARY KEY (id),
  constraint route_entries_provider_fkey FOREIGN KEY (provider) REFERENCES providers(id),
  constraint route_entries_route_id_fkey FOREIGN KEY (route_id) REFERENCES routes(id) ON DELETE CASCADE,
  constraint route_entries_price_micros_check CHECK ((price_micros >= 0))
);
CREATE INDEX route_entries_by_provider ON public.route_entries USING btree (provider);
CREATE INDEX route_entries_by_route ON public.route_entries USING btree (route_id);
comment on table route_entries is 'providers: one provider of a route, with sender and price';

create table routes (
  id bigint generated always as identity not null,
  application_id bigint,
  channel text not null,
  country text,
  prefix text,
  enabled boolean not null,
  note text not null,
  version integer default 1 not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint routes_application_id_channel_country_prefix_key UNIQUE NULLS NOT DISTINCT (application_id, channel, country, prefix),
  constraint routes_pkey PRIMARY KEY (id),
  constraint routes_channel_check CHECK ((channel = ANY (ARRAY['whatsapp'::text, 'sms'::text, 'email'::text, 'voice'::text]))),
  constraint routes_check CHECK (((country IS NULL) OR (prefix IS NULL))),
  constraint routes_check1 CHECK (((channel <> 'email'::text) OR ((country IS NULL) AND (prefix IS NULL)))),
  constraint routes_country_check CHECK ((country ~ '^[A-Z]{2}$'::text)),
  constraint routes_prefix_check CHECK ((prefix ~ '^[1-9][0-9]{0,14}$'::text))
);
comment on table routes is 'providers: for whom and where to a list of providers serves';

create table sandbox_quotas (
  caller bytea not null,
  day date not null,
  used integer not null,
  constraint sandbox_quotas_pkey PRIMARY KEY (caller)
) with (fillfactor=70);
comment on table sandbox_quotas is 'sandbox: requests per caller and UTC day';

create table targets (
  application_id bigint not null,
  target text not null,
  version bigint not null,
  send_times timestamp with time zone[] default '{}'::timestamp with time zone[] not null,
  wrong_times timestamp with time zone[] default '{}'::timestamp with time zone[] not null,
  locks jsonb default '{}'::jsonb not null,
  constraint targets_pkey PRIMARY KEY (application_id, target)
) with (fillfactor=80);
comment on table targets is 'limits: send counters, wrong-code budget and resend locks per recipient';

create table template_revisions (
  application_id bigint not null,
  template_id text not null,
  revision integer not null,
  body jsonb not null,
  status smallint not null,
  audit_remark text default ''::text not null,
  created_at timestamp with time zone default clock_now() not null,
  reviewed_at timestamp with time zone,
  constraint template_revisions_pkey PRIMARY KEY (application_id, template_id, revision),
  constraint template_revisions_application_id_template_id_fkey FOREIGN KEY (application_id, template_id) REFERENCES templates(application_id, template_id) ON DELETE CASCADE,
  constraint template_revisions_revision_check CHECK ((revision >= 1)),
  constraint template_revisions_status_check CHECK ((status = ANY (ARRAY[1, 2, 3])))
);
CREATE INDEX template_revisions_by_status ON public.template_revisions USING btree (status, created_at);
comment on table template_revisions is 'templates: every text ever saved, and its review';

create table templates (
  application_id bigint not null,
  template_id text not null,
  newest integer default 1 not null,
  live integer,
  live_from integer default 1 not null,
  created_at timestamp with time zone default clock_now() not null,
  updated_at timestamp with time zone default clock_now() not null,
  constraint templates_pkey PRIMARY KEY (application_id, template_id)
);
comment on table templates is 'templates: one row per template, with its newest and its serving revision';

create table uplinks (
  provider text not null,
  upstream_id text not null,
  application_id bigint,
  from_address text not null,
  to_address text not null,
  body bytea not null,
  received_at timestamp with time zone default clock_now() not null,
  constraint uplinks_pkey PRIMARY KEY (provider, upstream_id)
);
CREATE INDEX uplinks_by_application ON public.uplinks USING btree (application_id, received_at);
comment on table uplinks is 'uplinks: what people wrote to our senders, each taken once';

create table used_confirmations (
  nonce text not null,
  expires_at timestamp with time zone not null,
  constraint used_confirmations_pkey PRIMARY KEY (nonce)
);
CREATE INDEX used_confirmations_by_expiry ON public.used_confirmations USING btree (expires_at);
comment on table used_confirmations is 'confirmations: which have been answered';

create table verification_messages (
  application_id bigint not null,
  message_id bigint not null,
  verification_id bigint not null,
  constraint verification_messages_pkey PRIMARY KEY (application_id, message_id)
);
comment on table verification_messages is 'verifications: further messages of a verification';

create table verifications (
  application_id bigint not null,
  id bigint not null,
  target text not null,
  template_id text not null,
  purpose text,
  state text default 'pending'::text not null,
  code_type smallint not null,
  code_hashes bytea[] not null,
  code_expiries timestamp with time zone[] not null,
  expires_at timestamp with time zone not null,
  attempts smallint default 0 not null,
  max_attempts smallint not null,
  target_attempts smallint not null,
  target_window interval not null,
  counted boolean not null,
  message_ids bigint[] not null,
  ended_at timestamp with time zone,
  constraint verifications_pkey PRIMARY KEY (application_id, id),
  constraint verifications_check CHECK (((attempts >= 0) AND (attempts <= max_attempts))),
  constraint verifications_state_check CHECK ((state = ANY (ARRAY['pending'::text, 'verified'::text, 'exhausted'::text, 'expired'::text, 'cancelled'::text, 'superseded'::text])))
) with (fillfactor=85);
CREATE INDEX verifications_to_expire ON public.verifications USING btree (expires_at) WHERE (state = 'pending'::text);
comment on table verifications is 'verifications: codes (as keyed hashes) and their checking';
