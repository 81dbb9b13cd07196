/**
 * What a PostgreSQL server does by itself and PGlite, a single process, does not: checkpoints, without which the log grows for ever
 * and a start after a crash replays all of it, and the vacuum of tables with many dead rows. Each holds up requests while it runs.
 */
import type { Log } from './log.ts';
import { raw, type Sql } from './sql.ts';

const lookEveryMs = 10_000;
/** A multiple of the full-page images that follow every checkpoint; 128 MB are replayed in about two seconds. */
const maxLogBytes = 128 * 1024 * 1024;
const maxAgeSeconds = 300;
/** As autovacuum's own defaults, which are 50 rows and a fifth (a tenth for the statistics); small tables are not worth it. */
const fewRows = 10_000;
const oldTransactions = 100_000_000;

const needsCheckpoint = raw(`
  select behind > ${maxLogBytes} or (behind > 1024 * 1024 and checkpoint_time < now() - interval '${maxAgeSeconds} seconds') as due
  from (select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), redo_lsn) as behind, checkpoint_time from pg_control_checkpoint())`);

const needsVacuum = raw(`
  select format('%I.%I', s.schemaname, s.relname) as name from pg_stat_all_tables s join pg_class c on c.oid = s.relid
  where s.n_dead_tup > ${fewRows} + 0.2 * s.n_live_tup or (c.relkind = 'r' and age(c.relfrozenxid) > ${oldTransactions})
  order by s.n_dead_tup desc limit 1`);

const needsStatistics = raw(`
  select format('%I.%I', schemaname, relname) as name from pg_stat_user_tables
  where n_mod_since_analyze > ${fewRows} + 0.1 * n_live_tup order by n_mod_since_analyze desc limit 1`);

type Query = <Row extends object>(statement: Sql) => Promise<Row[]>;

/** Begins to look after the database; resolves with what ends it. */
export function startUpkeep(query: Query, log: Log | undefined): () => Promise<void> {
  let working: Promise<void> | undefined;
  const timer = setInterval(() => {
    working ??= upkeep(query)
      .catch((error: unknown) => log?.warn({ err: error }, 'the upkeep of the embedded database will be tried again'))
      .finally(() => {
        working = undefined;
      });
  }, lookEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await working;
  };
}

/** One look: at most the vacuum of one table, the statistics of one, and a checkpoint. */
export async function upkeep(query: Query): Promise<void> {
  const [table] = await query<{ name: string }>(needsVacuum);
  if (table) await query(raw(`vacuum ${table.name}`));
  // Plans made while a table was empty may go by the wrong index for ever; with statistics they are made anew.
  const [grown] = await query<{ name: string }>(needsStatistics);
  if (grown) {
    // A tenth of the usual sample: each page it looks at is written to the log whole.
    await query(raw('set default_statistics_target = 10'));
    await query(raw(`analyze ${grown.name}`));
  }
  // Last, because the others write to the log themselves.
  const [log] = await query<{ due: boolean }>(needsCheckpoint);
  if (log?.due) await query(raw('checkpoint'));
}
