/**
 * What other rooms ask of a delivery inside their transaction: end it, expire it, go to the next channel, send once more. Each
 * locks the rows it changes, in one order everywhere.
 */
import type { Channel, Content } from '../channels/index.ts';
import { ApiError } from '../errors.ts';
import type { Queryable } from '../platform/db.ts';
import type { Keyring } from '../platform/seal.ts';
import { type Clear, type Ids, sealContent, unsealContent } from './content.ts';
import type { Happening, Next } from './next.ts';
import type { Lines } from './request.ts';
import type { EndReason } from './state.ts';
import { findContent, type Loaded, lockDeliveries } from './store.ts';
import type { Write } from './write.ts';

/** A verification whose code expired: its messages, oldest first. */
export interface Expired {
  applicationId: string;
  messageIds: readonly string[];
}

export interface Restart {
  ids: Ids;
  /** A channel of the chain; default its start. */
  channel?: Channel | undefined;
  /** New texts by step and a new code, for a resend that changes the code. */
  content?: { code: string | null; contents: readonly (Content | null)[] } | undefined;
  /** New life of the message, from now. */
  deadlineMs?: number | undefined;
}

export interface Deeds {
  end(tx: Queryable, request: Ids & { reason: EndReason }): Promise<void>;
  expire(tx: Queryable, verifications: readonly Expired[]): Promise<void>;
  nextChannel(tx: Queryable, ids: Ids): Promise<{ channel: Channel }>;
  restart(tx: Queryable, request: Restart): Promise<{ channel: Channel; attempt: number }>;
}

interface DeedPorts {
  write: Write;
  keyring: Keyring;
  now(): number;
  linesFor: LinesFor;
}

/** Ids of the lines that would serve a step now. */
export type LinesFor = (ask: { applicationId: string; channel: Channel; to: string }) => readonly string[];

export function createDeeds({ write, keyring, now, linesFor }: DeedPorts): Deeds {
  const linesNow = ({ applicationId, state }: Loaded): Lines =>
    state.steps.map(({ channel, to, lines }) => (lines ? linesFor({ applicationId, channel, to }) : null));

  /** Locks one delivery and changes it. ApiError 4001 when there is none. */
  async function changeOne(
    tx: Queryable,
    ids: Ids,
    happeningTo: (loaded: Loaded) => Happening,
    content?: Buffer,
  ): Promise<Next> {
    const [loaded] = await lockDeliveries(tx, [ids]);
    if (!loaded) throw new ApiError(4001);
    const [result] = await write.changeLocked(tx, [{ loaded, happening: happeningTo(loaded), content }]);
    if (!result) throw new Error('a change has a result');
    return result;
  }

  return {
    async end(tx, { reason, ...ids }) {
      await changeOne(tx, ids, () => ({ kind: 'ended', reason }));
    },
    async expire(tx, verifications) {
      const ids = verifications.flatMap(({ applicationId, messageIds }) =>
        messageIds.map((messageId) => ({ applicationId, messageId })),
      );
      const found = new Map((await lockDeliveries(tx, ids)).map((one) => [keyOf(one), one]));
      await write.changeLocked(
        tx,
        verifications.flatMap(({ applicationId, messageIds }) => {
          const own = messageIds.flatMap((messageId) => found.get(keyOf({ applicationId, messageId })) ?? []);
          return own.map((loaded) => ({ loaded, happening: deadlineOf(loaded, own) }));
        }),
      );
    },
    async nextChannel(tx, ids) {
      const result = await changeOne(tx, ids, (loaded) => ({ kind: 'next_channel', lines: linesNow(loaded) }));
      return { channel: asked(result).channel };
    },
    async restart(tx, { ids, channel, content, deadlineMs }) {
      const sealed = content && sealContent(keyring, ids, content);
      const deadlineAtMs = deadlineMs === undefined ? undefined : now() + deadlineMs;
      const again = (loaded: Loaded): Happening => ({
        kind: 'resend',
        channel,
        deadlineAtMs,
        lines: linesNow(loaded),
      });
      return asked(await changeOne(tx, ids, again, sealed));
    },
  };
}

const keyOf = ({ applicationId, messageId }: Ids): string => `${applicationId}:${messageId}`;

const deadlineOf = (loaded: Loaded, own: readonly Loaded[]): Happening => ({
  kind: 'deadline',
  newest: loaded === own.at(-1),
  sentElsewhere: own.some((other) => other !== loaded && other.state.sentCount > 0),
});

function asked({ asked: answer }: Next): { channel: Channel; attempt: number } {
  if (!answer) throw new Error('a request has an answer');
  return answer;
}

/** The code and texts while they are kept, else null. */
export async function openContent(db: Queryable, keyring: Keyring, ids: Ids): Promise<Clear | null> {
  const sealed = await findContent(db, ids);
  return sealed && unsealContent(keyring, ids, sealed);
}
