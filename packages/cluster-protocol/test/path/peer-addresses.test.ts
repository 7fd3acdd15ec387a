import test from 'ava';
import { MAX_CANDIDATES } from '../../src/path/index.js';
import { MAX_OBSERVED, MAX_REMEMBERED, PeerAddresses } from '../../src/path/peer-addresses.js';
import { address, HOME, hosts, NMN } from './agent-bench.js';

const FACTS = {
  links: HOME,
  reflexive: [],
  rules: { allowDocumentation: true, forbidden: () => [NMN] },
} as const;

const many = (count: number, network: string): string[] =>
  Array.from({ length: count }, (_, i) => `${network}.${i + 1}:6000`);

test('of all that is known and told of a peer at most eight addresses are targets, the best class first', t => {
  const peer = new PeerAddresses();
  peer.observe(many(20, '198.51.100').map(address));
  peer.remember(many(20, '203.0.113').map(address));
  peer.name({ generation: 0, candidates: hosts(...many(1_000, '192.168.1').slice(0, 200)) });

  const { targets } = peer.judge({ ...FACTS, observed: peer.observed });

  t.is(peer.observed.length, MAX_OBSERVED);
  t.is(peer.remembered.length, MAX_REMEMBERED);
  t.is(targets.length, MAX_CANDIDATES);
  const classes = targets.map(({ pathClass }) => pathClass);
  t.deepEqual(
    classes,
    [...classes].sort((a, b) => (a === b ? 0 : a === 'lan' ? -1 : 1)),
  );
});

test('an older list, or the same again, changes nothing until a session begins anew', t => {
  const peer = new PeerAddresses();

  t.true(peer.name({ generation: 3, candidates: hosts('192.168.1.20:6000') }));
  t.false(peer.name({ generation: 3, candidates: [] }));
  t.false(peer.name({ generation: 2, candidates: [] }));
  peer.restartGenerations();

  t.true(peer.name({ generation: 0, candidates: [] }));
});
