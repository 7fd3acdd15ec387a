import test from 'ava';

import { describeDrops } from '../src/drops.js';

test('what was dropped is told with the most frequent reason first', t => {
  t.is(describeDrops({ replayed: 2, badTag: 40, malformed: 2 }), '40 badTag, 2 malformed, 2 replayed');
});

test('nothing is told as nothing', t => {
  t.is(describeDrops({}), 'nothing');
});
