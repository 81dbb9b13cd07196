/** The objects shown in the examples of the operations; a test holds them against the schemas. */
export const midnight = '2026-07-03T00:00:00.000Z';
const at = midnight;
const eventId = 'evt_2072832692843466759';
const messageId = '2072832692843446272';

export const delivery = {
  event_id: eventId,
  message_id: messageId,
  event: 'delivered',
  at,
  state: 'retrying',
  tries: 1,
  due_at: '2026-07-03T00:01:03.000Z',
  given_up_at: null,
  replayed: false,
};

export const attempt = {
  event_id: eventId,
  message_id: messageId,
  event: 'delivered',
  try: 1,
  at,
  rows: 1,
  outcome: 'retry',
  http_status: 500,
  detail: 'answered 500',
  response: 'Internal Server Error',
  latency_ms: 41,
  next_at: '2026-07-03T00:01:03.000Z',
};

export const endpointId = '2072832692843433984';
const handles = { delivery_id: `${endpointId}:${messageId}:${eventId}`, endpoint_id: endpointId };

export const ownCallbacks = {
  endpoints: [
    {
      endpoint_id: endpointId,
      origin: 'https://shop.example.com',
      enabled: true,
      disabled_because: null,
      failing_since: midnight,
    },
  ],
  deliveries: [{ ...handles, ...delivery }],
  attempts: [{ ...handles, ...attempt }],
  next_cursor: null,
};
