// What somebody may have meant.

/** The candidate that differs in at most two letters, or begins alike; undefined where none is near. */
export function nearest(typed: string, candidates: readonly string[]): string | undefined {
  if (typed === '') return undefined;
  const ranked = candidates.map((name) => ({ name, far: distance(typed, name) })).sort((a, b) => a.far - b.far);
  const [best] = ranked;
  if (best && best.far <= Math.min(2, Math.ceil(typed.length / 2))) return best.name;
  return candidates.find((name) => typed.length > 1 && (name.startsWith(typed) || typed.startsWith(name)));
}

/** How many letters have to be put in, taken out or exchanged. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const exchanged = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next[j] = Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, exchanged);
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
