// Loaded into a process of tests before anything else. Puts a fault into one source while it is read; the file itself is not
// touched. `COCONET_MUTANT` holds, as JSON, the URL of the source, its original text, what stands in its place, and the file
// to make as soon as that was done. Properties draw the same values in every run, so that every run finds the same.
import module from 'node:module';

import { change } from './change.js';

const plan = process.env['COCONET_MUTANT'];
if (plan !== undefined) {
  const mutant = JSON.parse(plan);
  // What compiles the tests hooks into the loader in one way or the other, depending on the version of Node. Only one of
  // these sees a source as it stands. Labelled experimental, the first present in every Node that we support.
  /* eslint-disable n/no-unsupported-features/node-builtins */
  module.register('./plant-hook.js', { parentURL: import.meta.url, data: mutant });
  module.registerHooks?.({ load: (url, context, next) => change(url, next(url, context), mutant) });
}

const isTestProcess = process.send !== undefined;
if (isTestProcess) {
  const { default: fc } = await import('fast-check');
  fc.configureGlobal({ seed: 1 });
}
