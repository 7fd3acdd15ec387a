import test from 'ava';
import { sweep } from './sweep.js';

test('no command runs twice and no outcome lies, whatever becomes of the stores of a device and its app', async t => {
  await sweep(t, 'commands', 15_000);
});
