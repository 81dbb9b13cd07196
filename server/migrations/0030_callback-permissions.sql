-- Keys may be allowed to see the callbacks of their application, and to have them posted again. Those there are keep what they have.
alter table api_keys drop constraint api_keys_permissions_check;
alter table api_keys add constraint api_keys_permissions_check check (cardinality(permissions) > 0
  and permissions <@ array['send', 'verify', 'templates', 'read', 'callbacks:read', 'callbacks:write']);
