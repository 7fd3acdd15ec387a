import test from 'ava';
import { sweep } from './sweep.js';

test('an NMN, a device and a client survive a minute of bad luck, whatever the seed', async t => {
  await sweep(t, 'household', 25_000);
});
