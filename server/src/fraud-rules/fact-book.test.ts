/** The book against a recount of everything it was ever told. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { seeded } from '../testing/seeded.ts';
import { type Accepted, FactBook, prefixOf } from './fact-book.ts';
import { type FactName, type FactValue, factNames } from './facts.ts';

const minute = 60_000;
const day = 1440 * minute;
const start = Date.parse('2026-07-03T00:00:00Z');

type Entry =
  | ({ kind: 'accepted' } & Accepted)
  | { kind: 'settled'; id: string; fate: 'verified' | 'ended'; atMs: number }
  | { kind: 'handed'; id: string; provider: string; atMs: number };

const ips = ['203.0.113.1', '203.0.113.2', null];
const numbers = (at: (below: number) => number): { to: string; country: string | null } => {
  const kind = at(10);
  if (kind === 0) return { to: `p${at(5)}@example.com`, country: null };
  if (kind < 6) return { to: `+6591230${String(at(30)).padStart(3, '0')}`, country: 'SG' };
  return { to: `+4915112${at(2)}3${String(at(9_000) + 1_000)}`, country: 'DE' };
};

/** Bursts with pauses between them, and what becomes of the codes. */
function streamOf(seed: number, length: number): Entry[] {
  const at = seeded(seed);
  const entries: Entry[] = [];
  let atMs = start;
  for (let i = 0; i < length; i++) {
    atMs += at(20) === 0 ? at(40) * minute : at(20_000);
    const id = String(i);
    const endsAtMs = atMs + (1 + at(10)) * minute + at(minute);
    const carries = at(8) > 0;
    entries.push({
      ...{ kind: 'accepted', atMs, ...numbers(at), ip: ips[at(3)] ?? null, deviceId: at(3) === 0 ? `d${at(3)}` : null },
      ...(carries ? { verificationId: id, endsAtMs } : { verificationId: null, endsAtMs: null }),
    });
    if (carries && at(3) > 0) entries.push({ kind: 'handed', id, provider: `p${at(2)}`, atMs: atMs + at(3_000) });
    if (carries && at(2) === 0)
      entries.push({ kind: 'settled', id, fate: at(5) === 0 ? 'ended' : 'verified', atMs: atMs + at(50_000) });
  }
  return entries.sort((a, b) => a.atMs - b.atMs);
}

function feed(book: FactBook, entry: Entry): void {
  if (entry.kind === 'accepted') book.accepted(entry);
  else if (entry.kind === 'settled') book.settled(entry.id, entry.fate, entry.atMs);
  else book.handedOver(entry.id, entry.provider, entry.atMs);
}

/** From whole buckets on: of the bucket of `nowMs`, and of so many before it. */
const sinceBucket = (nowMs: number, bucketMs: number, buckets: number): number =>
  (Math.floor(nowMs / bucketMs) - buckets) * bucketMs;

function recount(
  entries: readonly Entry[],
  asked: { to: string; country: string | null; ip: string | null; deviceId: string | null },
  nowMs: number,
) {
  const sends = entries.filter((entry) => entry.kind === 'accepted');
  const prefix = prefixOf(asked.to);
  const under = sends.filter(({ to }) => prefix !== null && prefixOf(to) === prefix);
  const recent = under.filter(({ atMs }) => atMs > nowMs - 30 * minute).map(({ to }) => to);
  const fates = new Map(
    entries.flatMap((entry) => (entry.kind === 'settled' ? [[entry.id, entry.fate] as const] : [])),
  );
  const providers = new Map(entries.flatMap((e) => (e.kind === 'handed' ? [[e.id, e.provider] as const] : [])));
  const share = (of: typeof sends, bucketMs: number, buckets: number): number | null => {
    const codes = of.filter(({ verificationId, endsAtMs }) => {
      if (verificationId === null || endsAtMs === null) return false;
      const isOver = endsAtMs < sinceBucket(nowMs, bucketMs, 0);
      return isOver ? endsAtMs >= sinceBucket(nowMs, bucketMs, buckets) : fates.has(verificationId);
    });
    const verified = codes.filter(({ verificationId }) => fates.get(verificationId ?? '') === 'verified');
    return codes.length < 20 ? null : verified.length / codes.length;
  };
  const distinct = (of: typeof sends): number =>
    new Set(of.filter((s) => s.atMs > nowMs - 60 * minute).map(({ to }) => to)).size;
  const ofCountry = sends.filter(({ country }) => country === asked.country);
  const last = entries.findLast(
    (entry) => entry.kind === 'handed' && ofCountry.some(({ verificationId }) => verificationId === entry.id),
  );
  const provider = last?.kind === 'handed' ? last.provider : null;
  const tail = new Set([...recent.map((to) => Number(to.slice(-4))), Number(asked.to.slice(-4))]);
  const run = (from: number): number => (tail.has(from) ? 1 + run(from + 1) : 0);
  const tens = sends.filter(({ atMs }) => atMs >= sinceBucket(nowMs, 10 * minute, 143)).length;
  const tenMinutes = sends.filter(({ atMs }) => atMs >= sinceBucket(nowMs, minute, 9)).length;
  const facts: Partial<Record<FactName, FactValue | null>> = {
    is_first_country: asked.country === null ? null : ofCountry.length === 0,
    sends_to_prefix_30m: prefix && under.filter(({ atMs }) => atMs >= sinceBucket(nowMs, minute, 29)).length,
    targets_in_prefix_30m: prefix && new Set(recent).size,
    sequential_numbers: prefix && Math.max(...[...tail].map(run)),
    verified_share_of_prefix_30m: prefix && share(under, minute, 30),
    verified_share_of_prefix_24h: prefix && share(under, 5 * minute, 288),
    verified_share_of_country_24h: asked.country && share(ofCountry, 10 * minute, 144),
    verified_share_of_provider_24h:
      asked.country &&
      provider &&
      share(
        sends.filter((s) => providers.get(s.verificationId ?? '') === provider),
        10 * minute,
        144,
      ),
    targets_per_ip_1h: asked.ip && distinct(sends.filter(({ ip }) => ip === asked.ip)),
    targets_per_device_1h: asked.deviceId && distinct(sends.filter(({ deviceId }) => deviceId === asked.deviceId)),
    sends_of_application_10m: tenMinutes,
    sends_of_application_10m_ratio: tens < 144 ? null : tenMinutes / (tens / 144),
  };
  return facts;
}

describe('the fact book', () => {
  test('tells the same as a recount of all it was told, at any time', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        const at = seeded(seed + 1);
        const entries = streamOf(seed, 300);
        const book = new FactBook();
        for (const [i, entry] of entries.entries()) {
          feed(book, entry);
          if (at(25) > 0) continue;
          const nowMs = entry.atMs + at(2) * at(20 * minute);
          const asked = { ...numbers(at), ip: ips[at(3)] ?? null, deviceId: `d${at(3)}` };
          const facts = book.factsOf({ ...asked, callingCode: null, numberType: null }, nowMs);
          for (const [name, expected] of Object.entries(recount(entries.slice(0, i + 1), asked, nowMs))) {
            assert.equal(facts(name as FactName), expected, `${name} after ${i} of seed ${seed}`);
            if (expected !== null) seen.add(name);
          }
        }
      }),
      { numRuns: 60 },
    );
    assert.ok(seen.has('verified_share_of_prefix_30m') && seen.has('verified_share_of_prefix_24h'));
    assert.ok(seen.has('verified_share_of_provider_24h'));
    assert.ok(seen.has('sends_of_application_10m_ratio') && seen.has('targets_per_device_1h'));
  });

  test('finds the prefixes of which too few codes are verified, and not before their lives are over', () => {
    const book = new FactBook();
    const bounds = { leastCodes: 20, belowShare: 0.2, windowMs: 30 * minute };
    for (let i = 0; i < 25; i++) {
      const send = { atMs: start, country: 'SG', ip: null, deviceId: null, endsAtMs: start + 5 * minute };
      book.accepted({ ...send, to: `+65912300${10 + i}`, verificationId: `bad ${i}` });
      book.accepted({ ...send, to: `+65923400${10 + i}`, verificationId: `good ${i}` });
      if (i < 5) book.settled(`good ${i}`, 'verified', start + 1);
    }
    assert.deepEqual(book.pumped(bounds, start + 4 * minute), []);
    assert.deepEqual(book.pumped(bounds, start + 6 * minute), [{ prefix: '659123', codes: 25, verified: 0 }]);
    assert.deepEqual(book.pumped(bounds, start + 40 * minute), []);
  });

  test('knows the countries of a time before it, for thirty days', () => {
    const book = new FactBook();
    const asked = {
      to: '+6591230000',
      country: 'SG',
      callingCode: '65',
      numberType: 'MOBILE',
      ip: null,
      deviceId: null,
    };
    const isFirst = (nowMs: number) => book.factsOf(asked, nowMs)('is_first_country');
    assert.equal(isFirst(start), true);
    book.knowsCountry('SG', start);
    assert.equal(isFirst(start + 29 * day), false);
    assert.equal(isFirst(start + 31 * day), true);
  });

  test('what cannot be known is null, and every fact has an answer', () => {
    const book = new FactBook();
    const asked = {
      to: 'ann@Example.com',
      country: null,
      callingCode: null,
      numberType: null,
      ip: null,
      deviceId: null,
    };
    const facts = book.factsOf(asked, start);
    const known = factNames.filter((name) => facts(name) !== null);
    assert.deepEqual(known, ['recipient_kind', 'email_domain', 'has_ip', 'has_device', 'sends_of_application_10m']);
    assert.equal(facts('email_domain'), 'example.com');
  });

  test('stays small whatever comes', () => {
    const book = new FactBook();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < 200_000; i++) {
      const to = `+65${String(i).padStart(8, '0').split('').reverse().join('')}`;
      const atMs = start + i;
      book.accepted({
        atMs,
        to,
        country: 'SG',
        ip: `ip ${i}`,
        deviceId: `d ${i}`,
        verificationId: null,
        endsAtMs: null,
      });
    }
    const grownMb = (process.memoryUsage().heapUsed - before) / 1e6;
    assert.ok(grownMb < 200, `${Math.round(grownMb)} MB`);
  });
});
