/** The manifests by which clients and registries take this repository: valid by their forms, of one version, leading to what is there. */
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { faultsOf } from './manifest-schemas.ts';

const root = new URL('../', import.meta.url);
// biome-ignore lint/suspicious/noExplicitAny: a manifest; its schema is what is tested
const read = (path: string): any => JSON.parse(readFileSync(new URL(path, root), 'utf8'));

test('plugin.json, mcp.json and server.json are valid', () => {
  assert.deepEqual(faultsOf('plugin', read('plugin.json')), []);
  assert.deepEqual(faultsOf('pluginServers', read('mcp.json')), []);
  assert.deepEqual(faultsOf('server', read('server.json')), []);
});

test('a manifest with a fault is told from one without', () => {
  const [plugin, servers, server] = [read('plugin.json'), read('mcp.json'), read('server.json')];
  const [pack] = server.packages;
  const { otp } = servers.mcpServers;
  const faulty = [
    ['plugin', { ...plugin, skills: './skills/' }],
    ['plugin', { ...plugin, name: 'engagelab--otp' }],
    ['plugin', { ...plugin, $schema: plugin.$schema.replace('1.0.0', '1.1.0') }],
    ['pluginServers', { ...servers, mcpServers: { otp: { ...otp, type: 'http' } } }],
    ['pluginServers', { ...servers, mcpServers: { otp: { ...otp, command: 'node bridge.mjs' } } }],
    ['pluginServers', { ...servers, mcpServers: { otp: { ...otp, env: { PLUGIN_ROOT: '.' } } } }],
    ['server', { ...server, name: 'no-namespace' }],
    ['server', { ...server, description: 'x'.repeat(101) }],
    ['server', { ...server, version: '^0.1.0' }],
    ['server', { ...server, packages: [{ ...pack, transport: undefined }] }],
    ['server', { ...server, packages: [{ ...pack, environmentVariables: [{ description: 'without a name' }] }] }],
  ] as const;
  for (const [name, value] of faulty)
    assert.notDeepEqual(faultsOf(name, JSON.parse(JSON.stringify(value))), [], JSON.stringify(value));
});

test('the registry finds its name in the package, and the version of it', () => {
  const bridge = read('mcp/package.json');
  const server = read('server.json');
  assert.equal(server.name, bridge.mcpName);
  assert.equal(server.remotes, undefined, 'those would have to be open to everybody');
  for (const { identifier, version } of server.packages)
    assert.deepEqual([identifier, version, server.version], [bridge.name, bridge.version, bridge.version]);
  assert.ok(bridge.bin[bridge.name], 'npx starts the program of the name of its package');
  const known = readFileSync(new URL('mcp/bridge.mjs', root), 'utf8');
  for (const { name } of server.packages[0].environmentVariables) assert.ok(known.includes(name), name);
});

test('every manifest names one version, and only files that are there', () => {
  const { version } = read('package.json');
  for (const file of [
    'plugin.json',
    '.claude-plugin/plugin.json',
    '.codex-plugin/plugin.json',
    '.cursor-plugin/plugin.json',
  ])
    assert.equal(read(file).version, version, file);
  assert.equal(read('mcp/package.json').version, version);
  for (const { args } of Object.values(read('mcp.json').mcpServers) as { args: string[] }[])
    for (const path of args) assert.ok(existsSync(new URL(path.replace(/^\$\{PLUGIN_ROOT\}\//, ''), root)), path);
  for (const folder of read('.claude-plugin/plugin.json').skills)
    assert.ok(existsSync(new URL(`${folder}/SKILL.md`, root)), folder);
});
