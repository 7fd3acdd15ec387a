/** Names further away than this share of their length are no help to the reader. */
const WORTH_SUGGESTING = 0.5;

/** Number of letters to insert, remove or replace, by the usual table of which only one row is kept. */
function editDistance(a: string, b: string): number {
  let above = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row++) {
    const current = [row];
    for (let column = 1; column <= b.length; column++) {
      const replaced = above[column - 1]! + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, above[column]! + 1, current[column - 1]! + 1));
    }
    above = current;
  }
  return above[b.length]!;
}

/** The known name closest to what was written (letter case counts little), or `undefined` if none is close. */
export function nearestName(written: string, known: Iterable<string>): string | undefined {
  // Names are short; a long text is not a slip of the keyboard, and the table would be quadratic in it.
  const text = written.slice(0, 64).toLowerCase();
  let best: string | undefined;
  let bestDistance = Infinity;
  for (const name of known) {
    const distance = editDistance(text, name.toLowerCase());
    if (distance < bestDistance) [best, bestDistance] = [name, distance];
  }
  if (best === undefined) return undefined;
  return bestDistance <= Math.max(text.length, best.length) * WORTH_SUGGESTING ? best : undefined;
}

/** The second half of an error about an unknown name: the nearest one, or all of them. */
export function suggestion(written: string, known: readonly string[]): string {
  const nearest = nearestName(written, known);
  if (nearest !== undefined) return `did you mean ${nearest}?`;
  return known.length === 0 ? 'there are none' : `known are ${known.join(', ')}`;
}
