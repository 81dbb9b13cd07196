/**
 * How an operation is called, as programs a reader can paste: curl, Node and Python. They carry the operation's own example and the address
 * `localBase`, which a served page replaces by the server's own. A test runs every one of them.
 */
import type { Described, Parameter } from './description.ts';
import { nodeSdkCall, pythonSdkCall } from './sdk-calls.ts';

/** Stands in every source for the address of the server. */
export const localBase = 'http://127.0.0.1:8080';

export interface Samples {
  curl: string;
  node: string;
  python: string;
}

interface Asked {
  operation: Described;
  /** Path and query with sample values. */
  target: string;
  body: unknown;
  /** Whether the answer is JSON. */
  json: boolean;
}

/** What stands for ids and addresses in examples; every other id is `sampleId`. */
const sampleValues: Record<string, string> = {
  message_id: '2072832692843466759',
  template_id: 'signin_demo',
  to: '+6591234567',
  target: '+6591234567',
  provider_id: 'mail',
  provider: 'mail',
  channel: 'sms',
};
const sampleId = '2072832692843446272';

/** `parameters` resolved, `body` the example or undefined. */
export function samplesOf(operation: Described, parameters: readonly Parameter[], body: unknown): Samples {
  const json = 'application/json' in (operation.responses['200'] as { content: object }).content;
  const asked: Asked = { operation, target: targetOf(operation.path, parameters), body, json };
  return { curl: curl(asked), node: node(asked), python: python(asked) };
}

function targetOf(path: string, parameters: readonly Parameter[]): string {
  const sampleOf = (name: string): string => encodeURIComponent(sampleValues[name] ?? sampleId);
  const query = parameters
    .filter((one) => one.in === 'query' && one.required)
    .map(({ name }) => `${name}=${sampleOf(name)}`);
  const filled = path.replaceAll(/\{(\w+)\}/g, (_all, name: string) => sampleOf(name));
  return query.length === 0 ? filled : `${filled}?${query.join('&')}`;
}

function curl({ operation: { method, auth }, target, body }: Asked): string {
  const lines = ['curl -s'];
  if (method !== 'GET' && !(method === 'POST' && body !== undefined)) lines[0] += ` -X ${method}`;
  if (auth === 'key') lines[0] += ' -u "$ENGAGELAB_DEV_KEY:$ENGAGELAB_DEV_SECRET"';
  if (auth === 'operator') lines[0] += ' -H "Authorization: Bearer $OPERATOR_TOKEN"';
  if (body !== undefined) lines[0] += " -H 'Content-Type: application/json'";
  lines.push(`'${localBase}${target}'`);
  if (body !== undefined) lines.push(`-d '${JSON.stringify(body).replaceAll("'", "'\\''")}'`);
  return lines.join(' \\\n  ');
}

function node(asked: Asked): string {
  return nodeSdkCall(asked.operation.operationId, asked.body, sampleValues) ?? nodeFetch(asked);
}

function nodeFetch({ operation: { method, auth }, target, body, json }: Asked): string {
  const headers: string[] = [];
  if (auth === 'key') {
    headers.push(
      `Authorization: \`Basic \${btoa(\`\${process.env.ENGAGELAB_DEV_KEY}:\${process.env.ENGAGELAB_DEV_SECRET}\`)}\`,`,
    );
  }
  if (auth === 'operator') headers.push(`Authorization: \`Bearer \${process.env.OPERATOR_TOKEN}\`,`);
  if (body !== undefined) headers.push("'Content-Type': 'application/json',");
  const options = [
    ...(method === 'GET' ? [] : [`  method: '${method}',`]),
    ...(headers.length === 0 ? [] : ['  headers: {', ...headers.map((line) => `    ${line}`), '  },']),
    ...(body === undefined ? [] : [`  body: JSON.stringify(${indent(JSON.stringify(body, null, 2), '  ')}),`]),
  ];
  const address = `'${localBase}${target}'`;
  const call = options.length === 0 ? `fetch(${address})` : `fetch(${address}, {\n${options.join('\n')}\n})`;
  return `const reply = await ${call};\nconsole.log(reply.status, await reply.${json ? 'json' : 'text'}());`;
}

function python(asked: Asked): string {
  const { operation, body } = asked;
  return pythonSdkCall(operation.operationId, body, sampleValues, pythonText) ?? pythonRequest(asked);
}

function pythonRequest({ operation: { method, auth }, target, body, json }: Asked): string {
  const modules = ['json', ...(auth === 'none' ? [] : ['os']), ...(auth === 'key' ? ['base64'] : []), 'urllib.request'];
  const used = modules.filter((name) => name !== 'json' || json || body !== undefined).sort();
  const headers: string[] = [];
  if (auth === 'key') headers.push('"Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),');
  if (auth === 'operator') headers.push('"Authorization": "Bearer " + os.environ["OPERATOR_TOKEN"],');
  if (body !== undefined) headers.push('"Content-Type": "application/json",');
  return [
    ...used.map((name) => `import ${name}`),
    '',
    ...(auth === 'key' ? ['pair = os.environ["ENGAGELAB_DEV_KEY"] + ":" + os.environ["ENGAGELAB_DEV_SECRET"]'] : []),
    'request = urllib.request.Request(',
    `    "${localBase}${target}",`,
    `    method="${method}",`,
    ...(headers.length === 0 ? [] : ['    headers={', ...headers.map((line) => `        ${line}`), '    },']),
    ...(body === undefined ? [] : [`    data=json.dumps(${indent(pythonText(body), '    ')}).encode(),`]),
    ')',
    'with urllib.request.urlopen(request) as reply:',
    json ? '    print(json.load(reply))' : '    print(reply.read().decode())',
  ].join('\n');
}

const indent = (text: string, by: string): string => text.replaceAll('\n', `\n${by}`);

/** A JSON value as Python writes it. */
function pythonText(value: unknown, by = ''): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value !== 'object') return JSON.stringify(value);
  const inner = `${by}    `;
  const members = Array.isArray(value)
    ? value.map((item) => pythonText(item, inner))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonText(item, inner)}`);
  const [open, close] = Array.isArray(value) ? ['[', ']'] : ['{', '}'];
  if (members.length === 0) return `${open}${close}`;
  return `${open}\n${members.map((member) => `${inner}${member},\n`).join('')}${by}${close}`;
}
