import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ConfigError, readConfig } from './config.ts';

const faultsOf = (env: Record<string, string>): readonly string[] => {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.faults;
    throw error;
  }
  return [];
};

test('without any variable the defaults hold', () => {
  const config = readConfig({});
  assert.deepEqual(
    [config.host, config.port, config.dataDir, config.logLevel, config.databaseUrl],
    ['127.0.0.1', 8080, './data', 'info', undefined],
  );
  assert.deepEqual([...config.roles], ['api', 'worker']);
});

test('every fault is reported at once, one sentence each, and no secret is repeated', () => {
  const faults = faultsOf({
    PORT: '99999',
    ROLES: 'api,smtp',
    LOG_LEVEL: 'loud',
    DATABASE_URL: 'mysql://x',
    MASTER_KEY: 'hunter2hunter2',
    OPERATOR_TOKEN: 'short!',
    PUBLIC_URL: 'ftp://x',
    CURRENCY: 'usd',
  });
  assert.equal(faults.length, 8);
  for (const fault of faults) assert.match(fault, /^[A-Z_]+ .+\.$/);
  assert.doesNotMatch(faults.join(), /hunter2|short!/);
});

test('PostgreSQL demands the master key, and the two halves of a key pair come together', () => {
  assert.match(faultsOf({ DATABASE_URL: 'postgres://h/db' }).join(), /MASTER_KEY is demanded/);
  assert.match(faultsOf({ ENGAGELAB_DEV_KEY: 'dk_one' }).join(), /must be set together/);
  assert.equal(readConfig({ DATABASE_URL: 'postgres://h/db', MASTER_KEY: 'ab'.repeat(32) }).masterKey?.length, 32);
});

test('an empty variable counts as absent', () => {
  assert.equal(readConfig({ PORT: '', DATABASE_URL: '' }).port, 8080);
});
