/**
 * India's operators drop an SMS that differs from its registered text (DLT) in a single character. Registered texts have `{#var#}`
 * where a value stands; here it is any 1 to 30 characters. Characters are code points, compared as they are. Pure.
 */

export const variableMark = '{#var#}';
const maxValueLength = 30;

export interface Difference {
  /** From 1, in characters. */
  position: number;
  /** What stands there; null at the end of the text. */
  found: string | null;
  registeredPosition: number;
  /** What should; null at the end of the registered text, `{#var#}` where a value is missing. */
  expected: string | null;
}

/** One character of the registered text, or one that a value may or must have. */
interface Cell {
  kind: 'literal' | 'needed' | 'optional';
  character: string;
  /** Of its character or mark in the registered text, from 0. */
  at: number;
}

/** Where the text first leaves the registered one, by the fewest changes that would mend it; null when it matches. */
export function dltDifference(text: string, registered: string): Difference | null {
  const cells = cellsOf(registered);
  // A longer text cannot match, and where it leaves is seen in its beginning.
  const characters = [...text].slice(0, cells.length + 1);
  return matches(characters, cells) ? null : firstChange(characters, cells, [...registered].length);
}

function cellsOf(registered: string): Cell[] {
  const cells: Cell[] = [];
  let at = 0;
  for (const [index, literal] of registered.split(variableMark).entries()) {
    if (index > 0) {
      cells.push({ kind: 'needed', character: variableMark, at });
      for (let more = 1; more < maxValueLength; more++) cells.push({ kind: 'optional', character: variableMark, at });
      at += variableMark.length;
    }
    for (const character of literal) cells.push({ kind: 'literal', character, at: at++ });
  }
  return cells;
}

const fits = (cell: Cell, character: string): boolean => cell.kind !== 'literal' || cell.character === character;

/** The places in the registered text that the text so far can have led to; few at a time, so that the usual check is cheap. */
function matches(text: readonly string[], cells: readonly Cell[]): boolean {
  let places = reached([0], cells);
  for (const character of text) {
    const next = places.filter((place) => cells[place] && fits(cells[place], character)).map((place) => place + 1);
    if (next.length === 0) return false;
    places = reached(next, cells);
  }
  return places.at(-1) === cells.length;
}

/** In rising order, with the places behind optional characters. */
function reached(places: readonly number[], cells: readonly Cell[]): number[] {
  const all: number[] = [];
  for (const place of places) {
    if (place <= (all.at(-1) ?? -1)) continue;
    let at = place;
    all.push(at);
    while (cells[at]?.kind === 'optional') all.push(++at);
  }
  return all;
}

/** A changed character is likelier than a missing or superfluous one. */
const changed = 2;
const inserted = 3;

function firstChange(text: readonly string[], cells: readonly Cell[], registeredLength: number): Difference {
  const costs = costsOf(text, cells);
  const width = cells.length + 1;
  let at = 0;
  let place = 0;
  for (;;) {
    const cell = cells[place];
    const character = text[at];
    const cost = costs[at * width + place];
    if (cell && character !== undefined && fits(cell, character) && cost === costs[(at + 1) * width + place + 1]) {
      at++;
      place++;
    } else if (cell?.kind === 'optional' && cost === costs[at * width + place + 1]) place++;
    else break;
  }
  while (cells[place]?.kind === 'optional') place++;
  return {
    position: at + 1,
    found: text[at] ?? null,
    registeredPosition: (cells[place]?.at ?? registeredLength) + 1,
    expected: cells[place]?.character ?? null,
  };
}

/** For each beginning of what is left of both: the least cost of making one fit the other. */
function costsOf(text: readonly string[], cells: readonly Cell[]): Uint16Array {
  const width = cells.length + 1;
  const costs = new Uint16Array((text.length + 1) * width);
  const never = 0xffff;
  for (let at = text.length; at >= 0; at--)
    for (let place = cells.length; place >= 0; place--) {
      const cell = cells[place];
      const character = text[at];
      if (!cell && character === undefined) continue;
      const here = at * width + place;
      const same =
        cell && character !== undefined
          ? (costs[here + width + 1] ?? 0) + (fits(cell, character) ? 0 : changed)
          : never;
      const superfluous = character === undefined ? never : (costs[here + width] ?? 0) + inserted;
      const missing = cell ? (costs[here + 1] ?? 0) + (cell.kind === 'optional' ? 0 : inserted) : never;
      costs[here] = Math.min(same, superfluous, missing);
    }
  return costs;
}
