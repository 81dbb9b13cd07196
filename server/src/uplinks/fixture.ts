/** For the tests of this room: uplinks over the database of a whole app. */

import { createLog } from '../platform/log.ts';
import { createKeyring } from '../platform/seal.ts';
import type { TestApp } from '../testing/app.ts';
import type { TestDatabase } from '../testing/database.ts';
import { createUplinks, type Uplinks } from './index.ts';

type Box = TestApp & { database: TestDatabase };

/** The provider of what is written back on the virtual network; every other one belongs to live applications. */
export const virtual = 'virtual';
export const sender = '+6580000000';

let uplinks = 0;
export const newUpstreamId = (): string => `up-${++uplinks}`;

export function openUplinks({ app, database: { db, clock } }: Box, lines: string[] = []): Uplinks {
  return createUplinks({
    db,
    clock,
    keyring: createKeyring(Buffer.alloc(32, 7)),
    log: createLog('debug', { write: (line) => void lines.push(line) }),
    application: app.accounts.application,
    reaches: (provider, { network }) => (network === 'virtual') === (provider === virtual),
  });
}
