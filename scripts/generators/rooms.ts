/** Puts the room table between its marks in ARCHITECTURE.md: the rooms that exist, in the order of the plan. */
import { existsSync } from 'node:fs';
import { replaceBetweenMarks, table } from './markdown.ts';

export interface Room {
  title: string;
  /** Rooms it may open by their index.ts. */
  opens: readonly string[];
}

/** `present` is ARCHITECTURE.md as it stands; `rooms` is the room table of .dependency-cruiser.mjs. */
export function makeArchitecturePage(present: string, rooms: Readonly<Record<string, Room>>): string {
  const built = Object.entries(rooms).filter(([name]) => exists(name));
  const rows = built.map(([name, { title, opens }]) => [
    `\`${name}\``,
    title,
    opens
      .filter(exists)
      .map((room) => `\`${room}\``)
      .join(', ') || 'the ground floor only',
  ]);
  return replaceBetweenMarks(present, 'rooms', table(['Room', 'What it is for', 'May open'], rows));
}

function exists(name: string): boolean {
  return existsSync(new URL(`../../server/src/${name}/`, import.meta.url));
}
