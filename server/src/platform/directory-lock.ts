/**
 * One process per data directory: two on one directory silently lose committed rows. The lock is SQLite's lock on a file, held
 * by the operating system, so it ends with the process however that dies.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class DirectoryLocked extends Error {
  constructor(directory: string) {
    super(`Another process is using ${directory}; stop it, or set DATA_DIR to another directory.`);
    this.name = 'DirectoryLocked';
  }
}

export class DirectoryUnusable extends Error {
  constructor(directory: string, cause: unknown) {
    const { code, message } = cause as NodeJS.ErrnoException;
    super(
      `${directory} cannot be written to (${code?.startsWith('E') ? code : message}); set DATA_DIR to a directory of this user.`,
      {
        cause,
      },
    );
    this.name = 'DirectoryUnusable';
  }
}

/** Makes the directory where it is missing and takes its lock. Throws DirectoryLocked or DirectoryUnusable, at once. */
export function lockDirectory(directory: string): { release(): void } {
  const file = openLock(directory);
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    throw (error as { errcode?: number }).errcode === 5 ? new DirectoryLocked(directory) : error;
  }
  return { release: () => file.close() };
}

function openLock(directory: string): DatabaseSync {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    return new DatabaseSync(join(directory, 'lock'));
  } catch (error) {
    throw new DirectoryUnusable(directory, error);
  }
}
