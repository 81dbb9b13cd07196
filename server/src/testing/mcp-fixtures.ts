/**
 * The tools, resources and prompts that the conformance suite of the Model Context Protocol calls by name. Only tests register them, on the
 * server that serves the product's own; what is checked is the wire, the gate and the handler, which are the same.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  type ClientCapabilities,
  type InputRequest,
  type InputRequiredResult,
  inputRequired,
  MissingRequiredClientCapabilityError,
  ProtocolError,
  ProtocolErrorCode,
  ResourceNotFoundError,
  type Server,
  type ServerContext,
} from '@modelcontextprotocol/server';

type Answer = CallToolResult | InputRequiredResult;
type Fixture = (context: ServerContext) => Answer | Promise<Answer>;

/** One red pixel. */
const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
/** No sample. */
const wav = Buffer.from(
  'RIFF\x24\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\0\0\0\0',
  'latin1',
);
const image = { type: 'image', data: png, mimeType: 'image/png' } as const;
const text = (words: string) => ({ type: 'text', text: words }) as const;
const says = (words: string): CallToolResult => ({ content: [text(words)] });

const asks = (
  message: string,
  field: string,
  part: { type: 'string' } | { type: 'boolean' } = { type: 'string' },
): InputRequest =>
  inputRequired.elicit({
    message,
    requestedSchema: { type: 'object', properties: { [field]: part }, required: [field] },
  });
const samples = (words: string, maxTokens: number): InputRequest =>
  inputRequired.createMessage({ messages: [{ role: 'user', content: text(words) }], maxTokens });

const stateKey = 'known to the fixtures alone';
const mac = (word: string): string => createHmac('sha256', stateKey).update(word).digest('hex');
const sealed = (word: string): string => `${word}.${mac(word)}`;

/** The word that was sealed; throws for one that was changed on its way. */
function openedState({ mcpReq }: ServerContext): string | undefined {
  const state = mcpReq.requestState<string>();
  if (state === undefined) return undefined;
  const [word = '', sign = ''] = state.split('.');
  const expected = Buffer.from(mac(word));
  if (sign.length !== expected.length || !timingSafeEqual(Buffer.from(sign), expected))
    throw new ProtocolError(ProtocolErrorCode.InvalidParams, 'Invalid or expired requestState');
  return word;
}

const answered = ({ mcpReq }: ServerContext, key: string): Record<string, unknown> | null => {
  const given = mcpReq.inputResponses?.[key];
  return typeof given === 'object' && given !== null ? (given as Record<string, unknown>) : null;
};

const progress: Fixture = async ({ mcpReq }) => {
  const progressToken = mcpReq._meta?.progressToken;
  for (const done of [0, 50, 100])
    if (progressToken !== undefined)
      await mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: done, total: 100 } });
  return says('done');
};

const logging: Fixture = async ({ mcpReq }) => {
  for (const line of ['Tool execution started', 'Tool processing data', 'Tool execution completed'])
    await mcpReq.log('info', line);
  return says('logged');
};

/** Asks once, with what the suite wants to be asked, and is content with any answer that has the key. */
const asksFor =
  (key: string, request: () => InputRequest, then: (given: Record<string, unknown>) => string): Fixture =>
  (context) => {
    const given = answered(context, key);
    return given ? says(then(given)) : inputRequired({ inputRequests: { [key]: request() } });
  };

/** Asks with a sealed state, which has to come back as it was. */
const asksWithState =
  (then: string): Fixture =>
  (context) => {
    const state = openedState(context);
    if (state === 'asked' && answered(context, 'confirm')) return says(then);
    const confirm = asks('Please confirm', 'ok', { type: 'boolean' });
    return inputRequired({ inputRequests: { confirm }, requestState: sealed('asked') });
  };

const nameOf = (given: Record<string, unknown>): string =>
  `Hello, ${(given['content'] as { name?: string } | undefined)?.name}!`;

const asksThree: Fixture = (context) => {
  const keys = ['user_name', 'greeting', 'client_roots'];
  if (openedState(context) === 'three' && keys.every((key) => answered(context, key))) return says('all three');
  const inputRequests = {
    user_name: asks('What is your name?', 'name'),
    greeting: samples('Generate a greeting', 50),
    client_roots: inputRequired.listRoots(),
  };
  return inputRequired({ inputRequests, requestState: sealed('three') });
};

const asksTwice: Fixture = (context) => {
  const state = openedState(context);
  if (state === 'second' && answered(context, 'step2')) return says('both steps');
  return state === 'first' && answered(context, 'step1')
    ? inputRequired({
        inputRequests: { step2: asks('Step 2: What is your favorite color?', 'color') },
        requestState: sealed('second'),
      })
    : inputRequired({
        inputRequests: { step1: asks('Step 1: What is your name?', 'name') },
        requestState: sealed('first'),
      });
};

const capabilitiesOf = ({ mcpReq }: ServerContext): ClientCapabilities =>
  (mcpReq.envelope as Record<string, ClientCapabilities> | undefined)?.[CLIENT_CAPABILITIES_META_KEY] ?? {};

const asksWhatClientsCan: Fixture = (context) => {
  const { elicitation, sampling } = capabilitiesOf(context);
  const inputRequests = {
    ...(elicitation && { user_name: asks('What is your name?', 'name') }),
    ...(sampling && { capital_question: samples('What is the capital of France?', 100) }),
  };
  return inputRequired({ inputRequests });
};

const needsSampling: Fixture = (context) => {
  if (capabilitiesOf(context).sampling) return says('sampling');
  throw new MissingRequiredClientCapabilityError({ requiredCapabilities: { sampling: {} } });
};

const tools: Record<string, Fixture> = {
  test_simple_text: () => says('This is a simple text response for testing.'),
  test_image_content: () => ({ content: [image] }),
  test_audio_content: () => ({
    content: [{ type: 'audio', data: wav.toString('base64'), mimeType: 'audio/wav' }],
  }),
  test_embedded_resource: () => ({
    content: [
      {
        type: 'resource',
        resource: {
          uri: 'test://embedded-resource',
          mimeType: 'text/plain',
          text: 'This is an embedded resource content.',
        },
      },
    ],
  }),
  test_multiple_content_types: () => ({
    content: [
      text('Multiple content types test:'),
      image,
      {
        type: 'resource',
        resource: { uri: 'test://mixed-content-resource', mimeType: 'application/json', text: '{"test":"data"}' },
      },
    ],
  }),
  test_error_handling: () => ({ ...says('This tool intentionally returns an error for testing'), isError: true }),
  test_tool_with_progress: progress,
  test_tool_with_logging: logging,
  test_logging_tool: logging,
  test_missing_capability: needsSampling,
  test_streaming_elicitation: asksFor('user_name', () => asks('What is your name?', 'name'), nameOf),
  json_schema_2020_12_tool: () => says('never called'),
  test_input_required_result_elicitation: asksFor('user_name', () => asks('What is your name?', 'name'), nameOf),
  test_input_required_result_sampling: asksFor(
    'capital_question',
    () => samples('What is the capital of France?', 100),
    (given) => JSON.stringify(given['content']),
  ),
  test_input_required_result_list_roots: asksFor(
    'client_roots',
    () => inputRequired.listRoots(),
    (given) => JSON.stringify(given['roots']),
  ),
  test_input_required_result_request_state: asksWithState('state-ok'),
  test_input_required_result_tampered_state: asksWithState('state-ok'),
  test_input_required_result_multiple_inputs: asksThree,
  test_input_required_result_multi_round: asksTwice,
  test_input_required_result_capabilities: asksWhatClientsCan,
};

/** Has to be listed as it is. */
const everyKeyword = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object' as const,
  $defs: { address: { $anchor: 'addressDef', type: 'object', properties: { city: { type: 'string' } } } },
  properties: {
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: the word of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
};

const prompts = [
  { name: 'test_simple_prompt', description: 'Of the suite.' },
  {
    name: 'test_prompt_with_arguments',
    description: 'Of the suite.',
    arguments: ['arg1', 'arg2'].map((name) => ({ name, description: 'Any text.', required: true })),
  },
  {
    name: 'test_prompt_with_embedded_resource',
    description: 'Of the suite.',
    arguments: [{ name: 'resourceUri', description: 'Any address.', required: true }],
  },
  { name: 'test_prompt_with_image', description: 'Of the suite.' },
  { name: 'test_input_required_result_prompt', description: 'Of the suite.' },
];

type Content =
  | ReturnType<typeof text>
  | typeof image
  | { type: 'resource'; resource: { uri: string; mimeType: string; text: string } };
const told = (...contents: Content[]) => ({
  messages: contents.map((content) => ({ role: 'user' as const, content })),
});

function promptOf(name: string, given: Record<string, string>, context: ServerContext) {
  if (name === 'test_simple_prompt') return told(text('This is a simple prompt for testing.'));
  if (name === 'test_prompt_with_arguments')
    return told(text(`Prompt with arguments: arg1='${given['arg1']}', arg2='${given['arg2']}'`));
  if (name === 'test_prompt_with_image') return told(image, text('Please analyze the image above.'));
  if (name === 'test_prompt_with_embedded_resource') {
    const uri = given['resourceUri'] ?? '';
    const resource = { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' };
    return told({ type: 'resource', resource }, text('Please process the embedded resource above.'));
  }
  if (answered(context, 'user_context')) return told(text('With the context of the user.'));
  return inputRequired({ inputRequests: { user_context: asks('What context should the prompt use?', 'context') } });
}

function resourceOf(uri: string) {
  if (uri === 'test://static-text')
    return { uri, mimeType: 'text/plain', text: 'This is the content of the static text resource.' };
  if (uri === 'test://static-binary') return { uri, mimeType: 'image/png', blob: png };
  const [, id] = /^test:\/\/template\/([^/]+)\/data$/.exec(uri) ?? [];
  if (id === undefined) throw new ResourceNotFoundError(uri);
  const data = { id, templateTest: true, data: `Data for ID: ${id}` };
  return { uri, mimeType: 'application/json', text: JSON.stringify(data) };
}

/** Takes the place of the product's own tools, resources and prompts. */
export function registerFixtures(server: Server): void {
  server.registerCapabilities({ completions: {} });
  server.setRequestHandler('tools/list', () => ({
    tools: Object.keys(tools).map((name) => ({
      name,
      description: 'Of the suite.',
      inputSchema: name === 'json_schema_2020_12_tool' ? everyKeyword : ({ type: 'object' } as const),
    })),
  }));
  server.setRequestHandler('tools/call', ({ params }, context) => {
    const fixture = tools[params.name];
    if (!fixture) throw new ProtocolError(ProtocolErrorCode.InvalidParams, `there is no tool ${params.name}`);
    return fixture(context);
  });
  server.setRequestHandler('resources/list', () => ({
    resources: ['static-text', 'static-binary'].map((name) => ({ uri: `test://${name}`, name })),
  }));
  server.setRequestHandler('resources/templates/list', () => ({
    resourceTemplates: [{ uriTemplate: 'test://template/{id}/data', name: 'template' }],
  }));
  server.setRequestHandler('resources/read', ({ params: { uri } }) => ({ contents: [resourceOf(uri)] }));
  server.setRequestHandler('prompts/list', () => ({ prompts }));
  server.setRequestHandler('prompts/get', ({ params: { name, arguments: given = {} } }, context) =>
    promptOf(name, given, context),
  );
  server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris', 'park'] } }));
}
