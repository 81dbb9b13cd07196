create table idempotency_keys (
  -- 0 for the operator, who belongs to no application.
  application_id bigint not null,
  key text not null,
  -- Which claim holds the key: a statement that claims knows by it whether it won.
  ticket uuid not null,
  -- Keyed hash of method, path and canonical body.
  request_hash bytea not null,
  -- Null while the request is under way.
  answer jsonb,
  -- A request under way whose process died may be taken over after this.
  locked_until timestamptz not null,
  created_at timestamptz not null,
  primary key (application_id, key)
);
create index idempotency_keys_by_age on idempotency_keys (created_at);
comment on table idempotency_keys is 'http: answers by Idempotency-Key, kept 24 hours';
