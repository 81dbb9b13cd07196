/**
 * Makes server/schema.sql and docs/openapi.json from the program itself: an in-memory database is migrated and the app wired over it,
 * nothing is started.
 */
import { createApp } from '../../server/src/app.ts';
import { readConfig } from '../../server/src/config.ts';
import type { Db } from '../../server/src/platform/db.ts';
import { createLog } from '../../server/src/platform/log.ts';
import { migrate } from '../../server/src/platform/migrate.ts';
import { openPglite } from '../../server/src/platform/pglite.ts';
import { raw } from '../../server/src/platform/sql.ts';

interface Made {
  schema: string;
  openapi: string;
}

let made: Promise<Made> | undefined;
const product = (): Promise<Made> => {
  made ??= makeBoth();
  return made;
};

export const makeSchema = async (): Promise<string> => (await product()).schema;
export const makeOpenApiFile = async (): Promise<string> => (await product()).openapi;

async function makeBoth(): Promise<Made> {
  const db = await openPglite({});
  await migrate(db);
  const config = readConfig({ PUBLIC_URL: 'http://127.0.0.1:8080' });
  const app = await createApp({ db, config, masterKey: Buffer.alloc(32), log: createLog('silent') });
  const openapi = `${JSON.stringify(app.frontDoor.openapi(), null, 2)}\n`;
  await app.stop();
  const schema = await describeSchema(db);
  await db.close();
  return { schema, openapi };
}

const head = `-- The schema that the migrations make. Made by \`npm run generate\`; do not edit by hand.
-- A table belongs to the room that its comment names.`;

async function describeSchema(db: Db): Promise<string> {
  const rows = await db.query<{ text: string }>(raw(schemaQuery));
  return `${[head, ...rows.map(({ text }) => text)].join('\n\n')}\n`;
}

/** One text per object: functions, sequences, then tables with their columns, constraints, indexes and comment. */
const schemaQuery = `
  select text from (
    select 1 as kind, p.proname::text as name, pg_get_functiondef(p.oid) || ';' as text
    from pg_proc p where p.pronamespace = 'public'::regnamespace
    union all
    select 2, c.relname, 'create sequence ' || c.relname || ';' from pg_class c
    where c.relkind = 'S' and c.relnamespace = 'public'::regnamespace
      and not exists (select 1 from pg_depend d where d.objid = c.oid and d.deptype in ('a', 'i'))
    union all
    select 3, c.relname, concat_ws(E'\\n',
      'create table ' || c.relname || ' (',
      (select string_agg('  ' || a.attname || ' ' || format_type(a.atttypid, a.atttypmod)
          || case when a.attidentity = 'a' then ' generated always as identity' else '' end
          || coalesce(' default ' || pg_get_expr(ad.adbin, ad.adrelid), '')
          || case when a.attnotnull then ' not null' else '' end, E',\\n' order by a.attnum)
        from pg_attribute a left join pg_attrdef ad on ad.adrelid = a.attrelid and ad.adnum = a.attnum
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped)
      || coalesce((select E',\\n' || string_agg('  constraint ' || k.conname || ' ' || pg_get_constraintdef(k.oid), E',\\n' order by k.contype desc, k.conname)
        from pg_constraint k where k.conrelid = c.oid and k.contype <> 'n'), ''),
      ')' || coalesce(' with (' || array_to_string(c.reloptions, ', ') || ')', '') || ';',
      (select string_agg(pg_get_indexdef(i.indexrelid) || ';', E'\\n' order by i.indexrelid::regclass::text)
        from pg_index i where i.indrelid = c.oid
          and not exists (select 1 from pg_constraint k where k.conindid = i.indexrelid)),
      'comment on table ' || c.relname || ' is ' || quote_literal(obj_description(c.oid, 'pg_class')) || ';')
    from pg_class c where c.relkind in ('r', 'p') and c.relnamespace = 'public'::regnamespace
  ) object order by kind, name`;
