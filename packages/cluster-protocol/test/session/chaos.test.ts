import test from 'ava';
import fc from 'fast-check';
import { SessionPair, sendAll, testMessage, type Side } from './pair.js';

type Step =
  | { readonly kind: 'send'; readonly side: Side; readonly lengths: readonly number[] }
  | { readonly kind: 'wait' | 'cut'; readonly duration: number }
  | { readonly kind: 'rebind' | 'probe' | 'switch'; readonly side: Side };

const side = fc.constantFrom<Side>('a', 'b');
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    kind: fc.constant('send' as const),
    side,
    lengths: fc.array(fc.oneof(fc.nat({ max: 900 }), fc.nat({ max: 40_000 })), { maxLength: 6 }),
  }),
  fc.record({ kind: fc.constant('wait' as const), duration: fc.nat({ max: 800 }) }),
  fc.record({ kind: fc.constant('cut' as const), duration: fc.nat({ max: 12_000 }) }),
  fc.record({ kind: fc.constantFrom('rebind' as const, 'probe' as const, 'switch' as const), side }),
);

test('whatever happens to links and paths, every message comes once and the sessions live', t => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.array(step, { maxLength: 25 }),
      fc.double({ min: 0, max: 0.15, noNaN: true }),
      (seed, steps, loss) => {
        const pair = new SessionPair({ seed, link: { delay: 20, jitter: 15, loss, duplication: 0.05 } });
        const sent: Record<Side, number[]> = { a: [], b: [] };
        // A rebinding gives the packets of a side another path at the other, and ends the one before.
        const generation: Record<Side, number> = { a: 0, b: 0 };
        let cut = false;
        pair.pathSeen = flight => (flight.path % 10) + 10 * generation[flight.from];
        pair.drop = flight =>
          cut || Math.floor(flight.path / 10) !== generation[flight.from === 'a' ? 'b' : 'a'];

        const run = (each: Step): void => {
          switch (each.kind) {
            case 'send':
              sendAll(pair, each.side, each.lengths, sent[each.side].length);
              sent[each.side].push(...each.lengths);
              break;
            case 'cut':
            case 'wait':
              cut = each.kind === 'cut';
              pair.run(() => false, each.duration);
              cut = false;
              // Cuts in a row would be one long cut, after thirty seconds of which giving up is right.
              if (each.kind === 'cut') pair.run(() => false, 3_000);
              break;
            case 'rebind':
              // Both at once would leave two nodes that know nothing of each other: that takes an introduction.
              generation[each.side]++;
              pair.sides[each.side].ping(pair.now);
              pair.run(() => false, 8_000);
              break;
            case 'probe':
              pair.sides[each.side].probePath(pair.now, 1 + 10 * generation[each.side === 'a' ? 'b' : 'a']);
              break;
            case 'switch': {
              const path = 1 + 10 * generation[each.side === 'a' ? 'b' : 'a'];
              const known = pair.sides[each.side].pathStatistics(path)?.validated;
              if (known === true) pair.sides[each.side].activatePath(pair.now, path);
              break;
            }
          }
        };
        for (const each of steps) run(each);
        const done = pair.run(
          () =>
            pair.count('a', 'messageAcknowledged') === sent.a.length &&
            pair.count('b', 'messageAcknowledged') === sent.b.length,
          60_000,
        );

        t.is(pair.count('a', 'closed') + pair.count('b', 'closed'), 0, 'nobody gave up');
        t.true(done, 'everything is acknowledged');
        for (const [from, to] of [
          ['a', 'b'],
          ['b', 'a'],
        ] as const) {
          const got = [...pair.messages(to)].sort((x, y) => x.sequence - y.sequence);
          t.deepEqual(
            got.map(message => message.sequence),
            sent[from].map((_, i) => i),
          );
          for (const { sequence, bytes } of got) {
            t.deepEqual(bytes, testMessage(sequence, sent[from][sequence]!));
          }
        }
      },
    ),
    { numRuns: 60 },
  );
});
