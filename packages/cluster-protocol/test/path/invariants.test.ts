import test from 'ava';
import fc from 'fast-check';

import { instant, milliseconds } from '../../src/base/index.js';
import { judgeConsent } from '../../src/path/index.js';
import type { Path } from '../../src/session/index.js';
import { address, Bench, HOME, hosts, NMN, pathOf, RELAY } from './agent-bench.js';

const PLACES = [
  ...[
    '198.51.100.20:6000',
    '198.51.100.20:6001',
    '198.51.100.21:6000',
    '192.168.1.20:6000',
    '192.168.1.10:6000',
  ],
  ...['192.168.1.10:5000', '10.0.0.1:53', '127.0.0.1:53', '127.0.0.1:6000', '224.0.0.1:1', '8.8.8.8:53'],
  ...['[2001:db8:2::20]:6000', '[2001:db8:1::20]:6000', '[::1]:53', '[ff02::1]:53', NMN.key],
];
const PATHS: readonly Path[] = [
  ...PLACES.map(place => pathOf(place)),
  RELAY,
  pathOf(NMN.key, { channel: 8 }),
  pathOf(NMN.key, { channel: 9 }),
];

const place = fc.constantFrom(...PLACES);
const places = fc.array(place, { maxLength: 12 });
const path = fc.constantFrom(...PATHS);
const rtt = fc.integer({ min: 0, max: 2_000 });

const step = fc.oneof(
  fc.record({
    do: fc.constant('open' as const),
    path,
    role: fc.constantFrom('initiator' as const, 'responder' as const),
  }),
  fc.record({
    do: fc.constantFrom('observed' as const, 'named' as const, 'remembered' as const, 'reflexive' as const),
    places,
  }),
  fc.record({ do: fc.constantFrom('validated' as const, 'measured' as const), path, rtt }),
  fc.record({
    do: fc.constantFrom(
      'suspect' as const,
      'failed' as const,
      'alive' as const,
      'peerPath' as const,
      'relay' as const,
      'relayGone' as const,
    ),
    path,
  }),
  fc.record({ do: fc.constantFrom('changed' as const, 'closed' as const, 'links' as const) }),
  fc.record({ do: fc.constant('punch' as const), delay: fc.integer({ min: -5, max: 100_000 }) }),
  fc.record({ do: fc.constant('pass' as const), time: fc.integer({ min: 0, max: 30_000 }) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

/** What the peer or the NMN said so far, and whether a session is open: enough to judge every action. */
class Witness {
  readonly observed: Set<string> = new Set();
  readonly proved: Set<string> = new Set();
  open = false;
}

function take(bench: Bench, witness: Witness, next: Step): void {
  const { agent } = bench;
  switch (next.do) {
    case 'open':
      witness.open = true;
      witness.proved.add(next.path.remote.key);
      agent.sessionOpened(bench.now, next);
      return;
    case 'observed':
      for (const text of next.places) witness.observed.add(text);
      agent.peerObserved(bench.now, next.places.map(address));
      return;
    case 'named':
      bench.named(hosts(...next.places));
      return;
    case 'remembered':
      for (const text of next.places) witness.proved.add(text);
      agent.remembered(bench.now, next.places.map(address));
      return;
    case 'reflexive':
      agent.setReflexive(bench.now, next.places.map(address));
      return;
    case 'validated':
      witness.proved.add(next.path.remote.key);
      agent.pathValidated(bench.now, next.path, milliseconds(next.rtt));
      return;
    case 'measured':
      witness.proved.add(next.path.remote.key);
      agent.measured(bench.now, next.path, milliseconds(next.rtt));
      return;
    case 'suspect':
      agent.pathSuspect(bench.now, next.path);
      return;
    case 'failed':
      agent.pathFailed(bench.now, next.path);
      return;
    case 'alive':
      agent.pathAlive(bench.now, next.path);
      return;
    case 'peerPath':
      agent.peerPath(bench.now, next.path);
      return;
    case 'relay':
      if (next.path.channel !== undefined) agent.relayAvailable(bench.now, next.path);
      return;
    case 'relayGone':
      if (next.path.channel !== undefined) agent.relayGone(bench.now, next.path);
      return;
    case 'changed':
      agent.networkChanged(bench.now);
      return;
    case 'closed':
      witness.open = false;
      agent.sessionClosed(bench.now);
      return;
    case 'links':
      agent.setLocal(bench.now, HOME.slice(0, 1));
      return;
    case 'punch':
      agent.punch(bench.now, milliseconds(next.delay));
      return;
    case 'pass':
      bench.pass(next.time);
  }
}

test('whatever happens: probes have consent and keep their distance, a session has a path, deadlines lie ahead', t => {
  const property = fc.property(fc.array(step, { maxLength: 60 }), steps => {
    const bench = new Bench();
    const witness = new Witness();
    for (const next of steps) {
      const before = bench.sent.length;
      bench.do(() => take(bench, witness, next));
      bench.do(() => bench.agent.handleTimeout(bench.now));

      if ((bench.agent.active !== undefined) !== witness.open) return false;
      const timeout = bench.agent.pollTimeout();
      if (timeout !== undefined && timeout <= bench.now) return false;
      const explanation = bench.agent.explain(instant(bench.now));
      if (explanation.sentence === '' || explanation.candidates.length > 40) return false;
      for (const { action } of bench.sent.slice(before)) {
        if (action.kind !== 'probe') continue;
        const { key } = action.remote;
        const source = witness.proved.has(key) ? 'proved' : 'peer';
        const observed = [...witness.observed].map(address);
        const rules = { allowDocumentation: true, forbidden: () => [NMN] };
        if (!judgeConsent(action.remote, source, { links: HOME, reflexive: [], observed, rules }).allowed)
          return false;
      }
    }
    const times = bench.probes().map(({ at }) => at);
    return times.every((at, i) => i === 0 || at - times[i - 1]! >= 5);
  });

  t.notThrows(() => fc.assert(property, { numRuns: 300 }));
});
