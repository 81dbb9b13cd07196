-- Limits of a key beside those of its application: what it sends and checks itself is counted.
alter table api_keys add column limits jsonb not null default '[]' check (jsonb_typeof(limits) = 'array');
