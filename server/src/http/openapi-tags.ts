/** What the groups of operations are for, as readers of the API description see them. */
import type { Json } from './openapi-schemas.ts';

const sentences: Readonly<Record<string, string>> = {
  Sending: 'Send a code the platform makes, a code of your own, or a message without a code.',
  Messages: 'Find messages, see what became of them, send again, cancel.',
  Events: 'Follow everything that happens to your messages.',
  Verifying: 'Check the code a person typed.',
  Templates: 'Texts per channel and language, with their review.',
  Sandbox: 'The virtual phone network: read what its handsets received, decide how they behave.',
  Insights: 'What became of everything that was sent, by hour, country, channel, template and provider.',
  Balance: 'What is left to spend.',
  Server: 'About the server itself; no credential is needed.',
  Callbacks: 'What the server posts to your endpoints.',
  'Operator: organizations': 'Whom the platform serves.',
  'Operator: applications': 'What keys, templates and policies belong to.',
  'Operator: API keys': 'Credentials of applications: permissions, allowlists, expiry, rotation.',
  'Operator: sessions': 'Log in with the operator token and out again.',
  'Operator: lists': 'Who may be sent to, and who may not.',
  'Operator: templates': 'Review texts before they are sent.',
  'Operator: opt-outs': 'Who wants no more messages.',
  'Operator: providers': 'Accounts at upstreams, their health, and taking them out of use.',
  'Operator: routes': 'Which providers serve a channel for a country or prefix, in which order.',
  'Operator: prices': 'What providers take, and what was used.',
  'Operator: callbacks': 'Endpoints of applications: their secrets, log, tests and replays.',
  'Operator: pre-send hook': 'An application asked by a signed call before a send is accepted.',
  'Operator: alerts': 'Thresholds that tell people.',
  'Operator: fraud': 'Rules that judge every send, what they did, and the blocks they made.',
  'Operator: balances': 'Prepaid money of organizations.',
  'Operator: budgets': 'Caps in money for applications.',
};

/** Each once, in the order given; the lint of the description demands a sentence for every one. */
export const describeTags = (names: readonly string[]): Json[] =>
  [...new Set(names)].map((name) => ({ name, ...(sentences[name] && { description: sentences[name] }) }));
