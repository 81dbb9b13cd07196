create table templates (
  application_id bigint not null,
  template_id text not null,
  newest integer not null default 1,
  -- The revision that sends use: the highest approved one from live_from on. Null: none.
  live integer,
  -- Raised by a withdrawal: older revisions never serve again.
  live_from integer not null default 1,
  created_at timestamptz not null default clock_now(),
  updated_at timestamptz not null default clock_now(),
  primary key (application_id, template_id)
);
comment on table templates is 'templates: one row per template, with its newest and its serving revision';

create table template_revisions (
  application_id bigint not null,
  template_id text not null,
  revision integer not null check (revision >= 1),
  -- The wire body as accepted.
  body jsonb not null,
  -- 1 pending, 2 approved, 3 rejected.
  status smallint not null check (status in (1, 2, 3)),
  audit_remark text not null default '',
  created_at timestamptz not null default clock_now(),
  reviewed_at timestamptz,
  primary key (application_id, template_id, revision),
  foreign key (application_id, template_id) references templates on delete cascade
);
create index template_revisions_by_status on template_revisions (status, created_at);
comment on table template_revisions is 'templates: every text ever saved, and its review';
