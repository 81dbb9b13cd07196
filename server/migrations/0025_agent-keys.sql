-- Keys for programs that decide by themselves: what they may do stands with the key.
alter table api_keys drop constraint api_keys_kind_check;
alter table api_keys add constraint api_keys_kind_check check (kind in ('server', 'agent'));
-- Its terms, all of them written out; only with kind agent. Counted elsewhere.
alter table api_keys add column agent jsonb;
alter table api_keys add constraint api_keys_agent_check check ((agent is not null) = (kind = 'agent'));
