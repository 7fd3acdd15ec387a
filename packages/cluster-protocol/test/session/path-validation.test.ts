import test from 'ava';
import { instant, milliseconds } from '../../src/base/index.js';
import { PathValidation } from '../../src/session/path-validation.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

const random = new SeededRandom(1);
const scratch = new Uint8Array(8);

/** Makes a challenge and tells its two halves. */
function challenge(validation: PathValidation, now: number): readonly [high: number, low: number] {
  validation.makeChallenge(instant(now), random, scratch);
  return [validation.challengeHigh, validation.challengeLow];
}

test('only all eight bytes of a challenge are its answer', t => {
  const validation = new PathValidation();
  const [high, low] = challenge(validation, 0);

  t.is(validation.answered(instant(5), high ^ 1, low), undefined);
  t.is(validation.answered(instant(5), high, low ^ 1), undefined);
  t.is(validation.answered(instant(5), 0, 0), undefined);
  t.is(validation.answered(instant(5), high, low), milliseconds(5));
});

test('a challenge is answered once, and with it those before', t => {
  const validation = new PathValidation();
  const first = challenge(validation, 0);
  const second = challenge(validation, 10);

  t.is(validation.answered(instant(15), ...second), milliseconds(5));
  t.is(validation.answered(instant(16), ...second), undefined);
  t.is(validation.answered(instant(16), ...first), undefined);
});

test('the four newest challenges may be answered late', t => {
  const validation = new PathValidation();
  const all = [0, 10, 20, 30, 40].map(now => challenge(validation, now));

  t.is(validation.answered(instant(50), ...all[0]!), undefined);
  t.is(validation.answered(instant(50), ...all[1]!), milliseconds(40));
});

test('a challenge that nobody answers is sent five times at doubling distances, and then no more', t => {
  const validation = new PathValidation();
  const sentAt: number[] = [];

  validation.requestRepeated(instant(0), milliseconds(100));
  for (let now = instant(0), rounds = 0; rounds < 20; rounds++) {
    if (validation.challengeDue) {
      challenge(validation, now);
      sentAt.push(now);
    }
    if (validation.repeatAt === undefined) break;
    now = validation.repeatAt;
    validation.repeat(now);
  }

  t.deepEqual(sentAt, [0, 100, 300, 700, 1_500]);
  t.is(validation.repeatAt, undefined);
});

test('an answer ends the repetitions, and they can begin again', t => {
  const validation = new PathValidation();
  validation.requestRepeated(instant(0), milliseconds(100));
  const asked = challenge(validation, 0);

  validation.answered(instant(50), ...asked);
  t.is(validation.repeatAt, undefined);
  validation.requestRepeated(instant(60), milliseconds(100));
  t.is(validation.repeatAt, instant(160));
});

test('of more challenges of the peer than are kept the oldest is not answered', t => {
  const validation = new PathValidation();

  for (let i = 1; i <= 5; i++) validation.owe(i, 10 * i);

  t.is(validation.owed, 4);
  t.deepEqual(
    [0, 1, 2, 3].map(i => [validation.owedHigh(i), validation.owedLow(i)]),
    [
      [2, 20],
      [3, 30],
      [4, 40],
      [5, 50],
    ],
  );
});
