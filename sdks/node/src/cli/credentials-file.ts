// The file that keeps what `login` was told. The MCP bridge reads the same one: {"base_url","dev_key","dev_secret"}, and for the operator
// "operator_token" beside them. Only its owner may read it, and it is replaced whole or not at all.

import { randomBytes } from 'crypto';
import {
  chmodSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'fs';
import { homedir } from 'os';
import { dirname, join } from 'path';
import { Halt } from './command.ts';
import type { Variables } from './terminal.ts';

export interface Stored {
  base_url?: string;
  dev_key?: string;
  dev_secret?: string;
  operator_token?: string;
}

/** ENGAGELAB_CREDENTIALS_FILE, else a file of ours below the folder for settings. */
export function credentialsFile(env: Variables): string {
  const home = env['XDG_CONFIG_HOME'] || join(homedir(), '.config');
  return env['ENGAGELAB_CREDENTIALS_FILE'] || join(home, 'engagelab-otp', 'credentials.json');
}

/** What is stored; an empty object where there is no file. */
export function readStored(env: Variables): Stored {
  const file = credentialsFile(env);
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'ENOENT') return {};
    throw new Halt(
      `the credentials file cannot be read: ${file} (${code})`,
      'Correct its permissions, or log in again.',
    );
  }
  try {
    const { base_url, dev_key, dev_secret, operator_token } = JSON.parse(text);
    return onlyTexts({ base_url, dev_key, dev_secret, operator_token });
  } catch {
    // What the parser says quotes the file.
    throw new Halt(`the credentials file is not JSON: ${file}`, 'Remove it and run: engagelab-otp login');
  }
}

/** Puts the file in place in one step, for its owner alone. */
export function writeStored(env: Variables, stored: Stored): string {
  const file = credentialsFile(env);
  const folder = dirname(file);
  if (!existsSync(folder)) mkdirSync(folder, { recursive: true, mode: 0o700 });
  // A folder that somebody chose is theirs; ours is closed even where it was made otherwise.
  if (!env['ENGAGELAB_CREDENTIALS_FILE']) chmodSync(folder, 0o700);
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    const opened = openSync(fresh, 'wx', 0o600);
    try {
      writeSync(opened, `${JSON.stringify(stored, null, 2)}\n`);
      fsyncSync(opened);
    } finally {
      closeSync(opened);
    }
    renameSync(fresh, file);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw new Halt(`the credentials file cannot be written: ${file} (${(error as { code?: string }).code})`);
  }
  return file;
}

/** Whether there was one. */
export function removeStored(env: Variables): boolean {
  const file = credentialsFile(env);
  const present = existsSync(file);
  rmSync(file, { force: true });
  return present;
}

/** The permission bits of the file, where there is one and the system has such. */
export function modeOfStored(env: Variables): number | undefined {
  const found = statSync(credentialsFile(env), { throwIfNoEntry: false });
  return found && process.platform !== 'win32' ? found.mode & 0o777 : undefined;
}

function onlyTexts(stored: { [name: string]: unknown }): Stored {
  return Object.fromEntries(Object.entries(stored).filter(([, value]) => typeof value === 'string' && value !== ''));
}
