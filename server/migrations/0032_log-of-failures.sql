-- What failed is found among everything an endpoint was told without reading all of it. Only failures are written into these.
create index callback_attempts_failed on callback_attempts (endpoint_id, outcome, id) where outcome <> 'accepted';
create index callback_queue_retrying on callback_queue (endpoint_id, message_id, position) where due_at is not null and tries > 0;
create index callback_queue_gone on callback_queue (endpoint_id, message_id, position) where given_up_at is not null;
