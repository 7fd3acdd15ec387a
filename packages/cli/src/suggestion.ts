import { nearestName } from '@coconet/capabilities';

/** The sentence that helps with a mistyped word, or `undefined` when nothing known is close to it. */
export function suggestionFor(written: string, known: readonly string[], prefix = ''): string | undefined {
  const nearest = nearestName(written, known);
  return nearest === undefined ? undefined : `did you mean ${prefix}${nearest}?`;
}
