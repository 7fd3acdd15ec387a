import test from 'ava';

import { readOptions } from '../src/options.js';

test('without words everything is temporary and goes on', t => {
  t.deepEqual(readOptions([]), { once: false, json: false, folder: undefined, help: false });
});

test('what is to be kept has a folder', t => {
  t.is(readOptions(['--keep']).folder, '.coconet/main-job');
  t.is(readOptions(['--keep', '--folder', 'x']).folder, 'x');
  t.throws(() => readOptions(['--folder', 'x']), { message: /--keep/ });
});

test('an unknown option is refused by name', t => {
  t.throws(() => readOptions(['--onec']), { message: /--onec/ });
  t.throws(() => readOptions(['once']), { message: /once/ });
});
