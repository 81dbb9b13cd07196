/** A front door with operations of a test's own, credentials of a fixed table and a log that can be searched. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { ApiError } from '../errors.ts';
import { createFrontDoor, type FrontDoor, type FrontDoorOptions } from '../http/index.ts';
import { createLog } from '../platform/log.ts';
import { createKeyring } from '../platform/seal.ts';
import { type Caller, type Permission, permissionNames, policySchema } from '../policy.ts';
import type { TestDatabase } from './database.ts';

export const keyring = createKeyring(Buffer.alloc(32, 7));

export interface CallerShape {
  keyId?: string;
  applicationId?: string;
  permissions?: readonly Permission[];
  requestRate?: number;
}

function callerOf({
  keyId = '1',
  applicationId = '11',
  permissions = permissionNames,
  requestRate,
}: CallerShape = {}): Caller {
  return {
    keyId,
    devKey: `dk_${keyId}`,
    agent: null,
    limits: [],
    permissions: new Set(permissions),
    application: {
      id: applicationId,
      organizationId: '1',
      name: 'Acme',
      network: 'virtual',
      sandbox: 'none',
      policy: policySchema.parse(requestRate === undefined ? {} : { request_rate: requestRate }),
    },
  };
}

export const good = 'Basic Z29vZDpzZWNyZXQ=';
export const expired = 'Basic ZXhwaXJlZDpzZWNyZXQ=';
export const sendOnly = 'Basic c2VuZDpzZWNyZXQ=';
export const slow = 'Basic c2xvdzpzZWNyZXQ=';
export const other = 'Basic b3RoZXI6c2VjcmV0';
export const operatorToken = 'Bearer operator-token';

/** Two requests per minute for `slow`; `other` is another application. */
const callers = new Map<string | undefined, Caller>([
  [good, callerOf({ requestRate: 1_000_000 })],
  [sendOnly, callerOf({ keyId: '2', permissions: ['send'] })],
  [slow, callerOf({ keyId: '3', requestRate: 2 })],
  [other, callerOf({ keyId: '4', applicationId: '12' })],
]);

const authenticate: FrontDoorOptions['authenticate'] = {
  async key(authorization) {
    if (authorization === expired) throw new ApiError(2002);
    const caller = callers.get(authorization);
    if (!caller) throw new ApiError(2001);
    return caller;
  },
  async operator(authorization) {
    if (authorization !== operatorToken) throw new ApiError(2001);
  },
};

export interface OpenDoor {
  door: FrontDoor;
  /** Every line the door logged. */
  lines: string[];
}

export function openDoor(
  database: TestDatabase,
  options: Pick<FrontDoorOptions, 'operations'> & Partial<FrontDoorOptions>,
): OpenDoor {
  const lines: string[] = [];
  const door = createFrontDoor({
    authenticate,
    db: database.db,
    keyring,
    clock: database.clock,
    log: createLog('debug', { write: (line) => void lines.push(line) }),
    publicUrl: () => 'https://otp.example.com',
    trustProxy: [],
    checks: {},
    checkOutput: true,
    ...options,
  });
  return { door, lines };
}

/** Sends bytes as they are and returns all that comes back until the server ends the connection. */
export async function talk(address: string, bytes: string | Buffer): Promise<string> {
  const socket = connect(Number(new URL(address).port), '127.0.0.1');
  let text = '';
  socket.setEncoding('latin1').on('data', (piece: string) => {
    text += piece;
  });
  // A server that has heard enough may reset; what it said before is what counts.
  socket.on('error', () => undefined);
  socket.write(bytes);
  await once(socket, 'close');
  return text;
}
