// Loaded into a process of tests before anything else. Puts a fault into one source while it is read; the file itself is not
// touched. `COCONET_MUTANT` holds, as JSON, the URL of the source, its original text, what stands in its place, and the file
// to make as soon as the source was read. Properties draw the same values in every run, so that every run finds the same.
// Labelled experimental, present in every Node that we support.
// eslint-disable-next-line n/no-unsupported-features/node-builtins
import { register } from 'node:module';

const hooks = `
  import { writeFileSync } from 'node:fs';
  let mutant;
  export const initialize = data => { mutant = data; };
  export const load = async (url, context, next) => {
    const loaded = await next(url, context);
    if (url.split('?', 1)[0] !== mutant.url) return loaded;
    writeFileSync(mutant.seen, '');
    const text = typeof loaded.source === 'string' ? loaded.source : new TextDecoder().decode(loaded.source);
    return { ...loaded, source: text.replace(mutant.original, () => mutant.replacement) };
  };
`;

const mutant = process.env['COCONET_MUTANT'];
if (mutant !== undefined)
  register(`data:text/javascript,${encodeURIComponent(hooks)}`, { data: JSON.parse(mutant) });

const isTestProcess = process.send !== undefined;
if (isTestProcess) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: 1 });
}
