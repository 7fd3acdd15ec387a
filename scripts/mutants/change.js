import { writeFileSync } from 'node:fs';

/**
 * Puts the fault into the source that it is meant for, once that is seen as it stands in its file.
 *
 * @param {string} url - of what was loaded
 * @param {{ source?: unknown }} loaded - what a hook of Node's loader gets
 * @param {{ url: string, original: string, replacement: string, seen: string }} mutant - and the file that tells it was done
 * @returns {{ source?: unknown }} what is to be loaded
 */
export function change(url, loaded, mutant) {
  const { source } = loaded;
  if (url.split('?', 1)[0] !== mutant.url || source === undefined || source === null) return loaded;
  const text = typeof source === 'string' ? source : new TextDecoder().decode(source);
  if (!text.includes(mutant.original)) return loaded;
  writeFileSync(mutant.seen, '');
  return { ...loaded, source: text.replace(mutant.original, () => mutant.replacement) };
}
