/**
 * Forward-only migrations: numbered SQL files, each in a transaction of its own, under an advisory lock so that racing starters
 * wait for each other. A database newer than this program is refused.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Db } from './db.ts';
import { raw, sql } from './sql.ts';

const directory = new URL('../../migrations/', import.meta.url);
const lockNumber = 7_261_001;

/** Applies what is missing; resolves with the file names applied now. */
export async function migrate(db: Db): Promise<string[]> {
  const files = readdirSync(fileURLToPath(directory))
    .filter((name) => /^\d{4}_[a-z-]+\.sql$/.test(name))
    .sort();
  return db.transaction(async (tx) => {
    await tx.query(sql`select pg_advisory_xact_lock(${lockNumber})`);
    await tx.query(
      sql`create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())`,
    );
    const rows = await tx.query<{ name: string }>(sql`select name from migrations`);
    const applied = new Set(rows.map((row) => row.name));
    const unknown = [...applied].filter((name) => !files.includes(name));
    if (unknown.length > 0)
      throw new Error(`The database is newer than this program: it has the migration ${unknown.join(', ')}.`);
    const missing = files.filter((name) => !applied.has(name));
    for (const name of missing) {
      for (const statement of splitStatements(readFileSync(new URL(name, directory), 'utf8')))
        await tx.query(raw(statement));
      await tx.query(sql`insert into migrations (name) values (${name})`);
    }
    return missing;
  });
}

/** Statements end with a semicolon at the end of a line; a `$$` body may hold others. */
function splitStatements(text: string): string[] {
  const statements: string[] = [];
  let current = '';
  let inBody = false;
  for (const line of text.split('\n')) {
    if (current === '' && (line.trim() === '' || line.startsWith('--'))) continue;
    if ((line.split('$$').length - 1) % 2 === 1) inBody = !inBody;
    current += `${line}\n`;
    if (!inBody && line.trimEnd().endsWith(';')) {
      statements.push(current);
      current = '';
    }
  }
  if (current.trim() !== '') statements.push(current);
  return statements;
}
