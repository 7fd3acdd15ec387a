import test from 'ava';
import { sweep } from './sweep.js';

test('messages and streams of two endpoints arrive once and whole, whatever becomes of links and ends', async t => {
  await sweep(t, 'sessions', 15_000);
});
