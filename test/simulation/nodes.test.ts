import test from 'ava';
import { sweep } from './sweep.js';

test('messages of all classes survive links and stores of two nodes without an NMN', async t => {
  await sweep(t, 'nodes', 15_000);
});
