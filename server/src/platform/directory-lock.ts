/**
 * One process per data directory: two on one directory silently lose committed rows. The lock is SQLite's lock on a file, held
 * by the operating system, so it ends with the process however that dies.
 */
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

export class DirectoryLocked extends Error {
  constructor(directory: string) {
    super(`Another process is using ${directory}; stop it, or set DATA_DIR to another directory.`);
    this.name = 'DirectoryLocked';
  }
}

/** Takes the lock or throws DirectoryLocked at once. */
export function lockDirectory(directory: string): { release(): void } {
  const file = new DatabaseSync(join(directory, 'lock'));
  try {
    file.exec('begin exclusive');
  } catch (error) {
    file.close();
    throw (error as { errcode?: number }).errcode === 5 ? new DirectoryLocked(directory) : error;
  }
  return { release: () => file.close() };
}
