/**
 * What integrators do in several calls, as Arazzo workflows over the API description: docs/flows.arazzo.yaml, and /arazzo.yaml with the
 * address of this instance. They run as they stand, with the public sandbox pair and magic recipients where no input says otherwise.
 * 1.0.1 and not later: that is what tools run.
 */
import { stringify } from 'yaml';

interface Step {
  stepId: string;
  description: string;
  operationId: string;
  parameters: readonly object[];
  requestBody?: object;
  successCriteria: readonly { condition: string }[];
  outputs?: Readonly<Record<string, string>>;
  onFailure?: readonly object[];
}

interface Inputs {
  type: 'object';
  required: readonly string[];
  properties: Readonly<Record<string, object>>;
}

interface Flow {
  workflowId: string;
  summary: string;
  description: string;
  inputs: Inputs;
  steps: readonly Step[];
  outputs: Readonly<Record<string, string>>;
}

/** The file; `description` is the address of the OpenAPI document. Without the public sandbox who runs a flow gives a credential. */
export const writeFlows = (description: string, version: string, publicSandbox = true): string =>
  stringify(makeFlows(description, version, publicSandbox));

const makeFlows = (description: string, version: string, publicSandbox: boolean): object => ({
  arazzo: '1.0.1',
  info: {
    title: 'Workflows of the OTP platform',
    summary: 'Send and check codes, fall back to another channel, make a template, post callbacks again.',
    description: publicSandbox
      ? 'Run as they stand against a server: without inputs they use the public sandbox, which reaches nobody and costs nothing.'
      : 'Run against a server with a credential; one of a sandbox reaches nobody and costs nothing.',
    version,
  },
  sourceDescriptions: [{ name: 'otp', url: description, type: 'openapi' }],
  workflows: [sendAndVerify, sendFallbackAndVerify, createAndPreviewTemplate, replayCallbacks].map((flow) =>
    publicSandbox ? flow : withoutPair(flow),
  ),
});

function withoutPair(flow: Flow): Flow {
  const { properties } = flow.inputs;
  const isPair = properties['credential'] === credential;
  return isPair ? { ...flow, inputs: inputsOf({ ...properties, credential: sandboxCredential }) } : flow;
}

const input = (description: string, value?: string): object => ({
  type: 'string',
  description,
  ...(value !== undefined && { default: value }),
});
const inputsOf = (properties: Readonly<Record<string, object>>): Inputs => ({
  type: 'object',
  required: Object.keys(properties).filter((name) => !('default' in (properties[name] ?? {}))),
  properties,
});
const credential = input('Key and secret of an API key, `dev_key:dev_secret`.', 'sandbox_demo:sandbox_secret');
const sandboxCredential = input('Key and secret of a sandbox key, `dev_key:dev_secret`.');
const ownCredential = input('Key and secret of an API key of an application of your own, `dev_key:dev_secret`.');

const asKey = { name: 'Authorization', in: 'header', value: 'Bearer {$inputs.credential}' };
const asOperator = { name: 'Authorization', in: 'header', value: 'Bearer {$inputs.operator_token}' };
const inPath = (name: string, value: string): object => ({ name, in: 'path', value });
const inQuery = (name: string, value: unknown): object => ({ name, in: 'query', value });
const json = (payload: object): object => ({ contentType: 'application/json', payload });
const holds = (...conditions: readonly string[]): { condition: string }[] =>
  ['$statusCode == 200', ...conditions].map((condition) => ({ condition }));
const again = [{ name: 'ask_again', type: 'retry', retryAfter: 0.5, retryLimit: 20 }];

const send = (to: string): Step => ({
  stepId: 'send',
  description: 'The platform makes a code and sends it.',
  operationId: 'sendOtp',
  parameters: [asKey],
  requestBody: json({ to, template: { id: '$inputs.template_id' } }),
  successCriteria: holds(),
  outputs: { message_id: '$response.body#/message_id', send_channel: '$response.body#/send_channel' },
});

const verify = (code: string): Step => ({
  stepId: 'verify',
  description: 'Branch on `verified`, never on the status: a wrong code is answered with 200 too.',
  operationId: 'verifyOtp',
  parameters: [asKey],
  requestBody: json({ message_id: '$steps.send.outputs.message_id', verify_code: code }),
  successCriteria: holds('$response.body#/verified == true'),
  outputs: { verified: '$response.body#/verified' },
});

const sendAndVerify: Flow = {
  workflowId: 'sendAndVerify',
  summary: 'Send a code and check it.',
  description: 'The recipient is one of the sandbox whose code is always 123456.',
  inputs: inputsOf({
    credential,
    to: input('The recipient, E.164.', '+10000000005'),
    template_id: input('An approved template.', 'sandbox-otp-tpl'),
    code: input('What the person typed.', '123456'),
  }),
  steps: [send('$inputs.to'), verify('$inputs.code')],
  outputs: { message_id: '$steps.send.outputs.message_id', verified: '$steps.verify.outputs.verified' },
};

const sendFallbackAndVerify: Flow = {
  workflowId: 'sendFallbackAndVerify',
  summary: 'Send a code, go on to the next channel, and check the code that arrives there.',
  description:
    'The recipient is one of the sandbox that WhatsApp does not reach. The next channel begins by itself after a while, or at once when it is asked for, as here. The code is read from the virtual handset; a person would type it.',
  inputs: inputsOf({
    credential,
    to: input('The recipient, E.164.', '+10000000004'),
    template_id: input('An approved template.', 'sandbox-otp-tpl'),
  }),
  steps: [
    { ...send('$inputs.to'), successCriteria: holds("$response.body#/send_channel == 'whatsapp'") },
    {
      stepId: 'fallBack',
      description: 'The person says that nothing came.',
      operationId: 'nextChannel',
      parameters: [asKey, inPath('message_id', '$steps.send.outputs.message_id')],
      successCriteria: holds("$response.body#/send_channel == 'sms'"),
    },
    {
      stepId: 'read',
      description: 'What the virtual handset got by SMS.',
      operationId: 'listSandboxMessages',
      parameters: [asKey, inQuery('to', '$inputs.to'), inQuery('wait', 10)],
      // Others may send to the same handset.
      successCriteria: holds(
        '$response.body#/messages/0/message_id == $steps.send.outputs.message_id',
        "$response.body#/messages/0/channel == 'sms'",
      ),
      outputs: { code: '$response.body#/messages/0/code' },
      onFailure: again,
    },
    verify('$steps.read.outputs.code'),
  ],
  outputs: { message_id: '$steps.send.outputs.message_id', verified: '$steps.verify.outputs.verified' },
};

const templateInPath = inPath('template_id', '$inputs.template_id');

const createAndPreviewTemplate: Flow = {
  workflowId: 'createAndPreviewTemplate',
  summary: 'Make a template, see how it will read, and take it away again.',
  description:
    'In a sandbox and on the virtual network it is approved at once; elsewhere by the policy of the application.',
  inputs: inputsOf({ credential: ownCredential, template_id: input('A name that is free.', 'workflow_preview') }),
  steps: [
    {
      stepId: 'create',
      description: 'Codes of six digits, valid for five minutes, by SMS.',
      operationId: 'createTemplate',
      parameters: [asKey],
      requestBody: json({
        template_id: '$inputs.template_id',
        send_channel_strategy: 'sms',
        brand_name: 'Acme',
        verify_code_config: { verify_code_type: 1, verify_code_len: 6, verify_code_ttl: 5 },
        sms_config: {
          template_type: 1,
          template_default_config: { contain_security: true, contain_expire: true },
        },
      }),
      successCriteria: holds('$response.body#/code == 0'),
      outputs: { status: '$response.body#/status' },
    },
    {
      stepId: 'preview',
      description: 'The text as it would be sent, how it is encoded, and as how many segments it is billed.',
      operationId: 'previewTemplate',
      parameters: [asKey, templateInPath],
      requestBody: json({ language: 'en' }),
      successCriteria: holds(
        "$response.body#/renderings/0/channel == 'sms'",
        '$response.body#/renderings/0/segments == 1',
      ),
      outputs: { text: '$response.body#/renderings/0/text' },
    },
    {
      stepId: 'delete',
      description: 'So that the workflow can run again.',
      operationId: 'deleteTemplate',
      parameters: [asKey, templateInPath],
      successCriteria: holds('$response.body#/code == 0'),
    },
  ],
  outputs: { text: '$steps.preview.outputs.text' },
};

const endpointInPath = [
  inPath('application_id', '$inputs.application_id'),
  inPath('endpoint_id', '$steps.subscribe.outputs.endpoint_id'),
];
/** The tries of the callbacks about the message, newest first. */
const tries = (stepId: string, description: string, place: number): Step => ({
  stepId,
  description,
  operationId: 'listCallbackAttempts',
  parameters: [asOperator, ...endpointInPath, inQuery('message_id', '$steps.send.outputs.message_id')],
  successCriteria: holds(`$response.body#/attempts/${place}/outcome == 'accepted'`),
  onFailure: again,
});

const replayCallbacks: Flow = {
  workflowId: 'replayCallbacks',
  summary: 'Subscribe an endpoint, send, and have the callbacks about the message posted again.',
  description: 'For the operator: endpoints are made and replayed with the operator token.',
  inputs: inputsOf({
    credential: ownCredential,
    operator_token: input('The operator token.'),
    application_id: input('The application of the key.'),
    endpoint_url: input('An address that answers 200 to a POST.'),
    template_id: input('An approved template.', 'login'),
  }),
  steps: [
    {
      stepId: 'subscribe',
      description: 'The endpoint is told when a message is accepted.',
      operationId: 'createCallbackEndpoint',
      parameters: [asOperator, inPath('application_id', '$inputs.application_id')],
      requestBody: json({ url: '$inputs.endpoint_url', events: ['plan'] }),
      successCriteria: holds(),
      outputs: { endpoint_id: '$response.body#/id' },
    },
    send('+10000000005'),
    tries('posted', 'The callback was posted and taken.', 0),
    {
      stepId: 'replay',
      description: 'It keeps its id, so that a receiver that remembers ids does nothing twice.',
      operationId: 'replayCallbacks',
      parameters: [asOperator, ...endpointInPath],
      requestBody: json({ message_id: '$steps.send.outputs.message_id' }),
      successCriteria: holds('$response.body#/queued == 1'),
    },
    tries('postedAgain', 'There is a second try, and it was taken.', 1),
    {
      stepId: 'unsubscribe',
      description: 'So that the workflow leaves nothing behind.',
      operationId: 'deleteCallbackEndpoint',
      parameters: [asOperator, ...endpointInPath],
      successCriteria: holds(),
    },
  ],
  outputs: { message_id: '$steps.send.outputs.message_id' },
};
