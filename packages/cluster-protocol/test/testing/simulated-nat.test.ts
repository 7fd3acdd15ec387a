import test from 'ava';

import { minutes, seconds } from '../../src/base/index.js';
import { AuthenticatingProvider } from '../../src/testing/authenticating-provider.js';
import type { SimulatedHost } from '../../src/testing/simulated-host.js';
import { NAT_KINDS } from '../../src/testing/simulated-nat.js';
import type { NatDependence, NatKind, NatOptions, SimulatedNat } from '../../src/testing/simulated-nat.js';
import { SimulatedWorld } from '../../src/testing/simulated-world.js';
import { parseSocketAddress } from '../../src/wire/index.js';
import { ProbeMachine } from './support/probe-machine.js';

const DEPENDENCES = ['endpointIndependent', 'addressDependent', 'addressAndPortDependent'] as const;

/** A host behind a NAT, and three places outside: A at one port, A again at another, and B. */
function scene(nat: NatKind | Partial<NatOptions>, outerAddresses = 1) {
  const world = new SimulatedWorld({ seed: 4787, crypto: new AuthenticatingProvider() });
  const router = world.network.lan({ name: 'home', nat, outerAddresses });
  const place = (host: SimulatedHost, port: number) => {
    const machine = new ProbeMachine();
    const running = host.attach(machine, { port });
    const address = host.address(port);
    const send = (to: string) => {
      machine.send(parseSocketAddress(to)!, Uint8Array.of(1));
      running.turn();
      world.runNow(seconds(1));
    };
    return { machine, address: address.key, send, last: () => machine.sources.at(-1) };
  };
  const inside = place(world.host({ name: 'inside', on: router }), 7000);
  const hostA = world.host({ name: 'A' });
  return {
    world,
    router,
    inside,
    a: place(hostA, 1000),
    a2: place(hostA, 2000),
    b: place(world.host({ name: 'B' }), 1000),
  };
}

type Scene = ReturnType<typeof scene>;

/** The outer address that `inside` shows to `place`. */
function shownTo(place: Scene['a'], { inside }: Scene): string {
  inside.send(place.address);
  return place.last()!;
}

function hears({ inside }: Scene, place: Scene['a'], at: string): boolean {
  const before = inside.machine.received.length;
  place.send(at);
  return inside.machine.received.length > before;
}

/** RFC 4787, section 4.1: X1':x1' and X2':x2' for the three choices of Y2:y2. */
const MAPPING_TABLE: Record<NatDependence, { readonly samePort: boolean; readonly sameAddress: boolean }> = {
  endpointIndependent: { samePort: true, sameAddress: true },
  addressDependent: { samePort: true, sameAddress: false },
  addressAndPortDependent: { samePort: false, sameAddress: false },
};

for (const mapping of DEPENDENCES) {
  test(`${mapping} mapping reuses an outer address as RFC 4787 section 4.1 says`, t => {
    const s = scene({ mapping, ports: 'random' });

    const first = shownTo(s.a, s);
    const again = shownTo(s.a, s);
    const otherPort = shownTo(s.a2, s);
    const otherAddress = shownTo(s.b, s);

    t.is(again, first);
    t.is(otherPort === first, MAPPING_TABLE[mapping].samePort);
    t.is(otherAddress === first, MAPPING_TABLE[mapping].sameAddress);
    t.true(first.startsWith(s.router.addresses[0]!));
  });
}

/** RFC 4787, section 5: who else may send to a mapping that was used towards A. */
const FILTERING_TABLE: Record<NatDependence, { readonly a2: boolean; readonly b: boolean }> = {
  endpointIndependent: { a2: true, b: true },
  addressDependent: { a2: true, b: false },
  addressAndPortDependent: { a2: false, b: false },
};

for (const filtering of DEPENDENCES) {
  test(`${filtering} filtering lets in whom RFC 4787 section 5 says`, t => {
    const s = scene({ mapping: 'endpointIndependent', filtering });
    const outer = shownTo(s.a, s);

    t.true(hears(s, s.a, outer));
    t.is(hears(s, s.a2, outer), FILTERING_TABLE[filtering].a2);
    t.is(hears(s, s.b, outer), FILTERING_TABLE[filtering].b);
    t.is(
      s.inside.last(),
      FILTERING_TABLE[filtering].b ? s.b.address : FILTERING_TABLE[filtering].a2 ? s.a2.address : s.a.address,
    );
  });
}

test('nobody gets in before somebody went out', t => {
  for (const kind of Object.keys(NAT_KINDS) as NatKind[]) {
    const s = scene(kind);

    t.false(hears(s, s.a, `${s.router.addresses[0]!}:7000`), kind);
    t.is(s.world.recorder.fates.get('noMapping'), 1, kind);
  }
});

test('a preserved port is the inner one, and the next free one for a second host', t => {
  const s = scene({ ports: 'preserve' });
  const machine = new ProbeMachine();
  const second = s.world.host({ name: 'second', on: s.router }).attach(machine, { port: 7000 });

  const first = shownTo(s.a, s);
  machine.send(parseSocketAddress(s.a.address)!);
  second.turn();
  s.world.runNow(seconds(1));

  t.is(first, `${s.router.addresses[0]!}:7000`);
  t.is(s.a.last(), `${s.router.addresses[0]!}:7001`);
});

test('sequential ports count up by one', t => {
  const s = scene('symmetricSequential');
  const port = (key: string) => Number(key.split(':')[1]);

  const ports = [s.a, s.a2, s.b].map(place => port(shownTo(place, s)));

  t.deepEqual(ports, [ports[0], ports[0]! + 1, ports[0]! + 2]);
});

test('a mapping lasts its lifetime after the last packet from inside, and not longer', t => {
  const s = scene({ filtering: 'endpointIndependent', lifetime: minutes(2) });
  const outer = shownTo(s.a, s);

  s.world.runNow(seconds(115));
  t.true(hears(s, s.a, outer));
  s.world.runNow(seconds(6));
  t.false(hears(s, s.a, outer));
  t.deepEqual(s.router.mappings, []);
});

test('packets from outside keep a mapping alive only with inbound refresh', t => {
  const s = scene({ lifetime: seconds(30), inboundRefresh: true });
  const outer = shownTo(s.a, s);

  for (let i = 0; i < 5; i++) {
    s.world.runNow(seconds(25));
    t.true(hears(s, s.a, outer));
  }
  s.world.runNow(seconds(31));
  t.false(hears(s, s.a, outer));
});

test('a permission ends on its own while the mapping lives on', t => {
  const s = scene({ filtering: 'addressAndPortDependent', lifetime: seconds(30) });
  const outer = shownTo(s.b, s);

  for (let i = 0; i < 3; i++) {
    s.world.runNow(seconds(20));
    t.is(shownTo(s.a, s), outer);
  }

  t.false(hears(s, s.b, outer));
  t.true(hears(s, s.a, outer));
});

test('a NAT that is rebound shows another address, and the old one is dead', t => {
  for (const kind of Object.keys(NAT_KINDS) as NatKind[]) {
    const s = scene(kind);
    const before = shownTo(s.a, s);

    s.router.rebind();

    const after = shownTo(s.a, s);
    t.not(after, before, kind);
    t.false(hears(s, s.a, before), kind);
    t.true(hears(s, s.a, after), kind);
  }
});

test('a NAT whose line moves shows its new address', t => {
  const s = scene('fullCone');
  const before = shownTo(s.a, s);

  s.world.network.plug(s.router);

  const after = shownTo(s.a, s);
  t.not(after.split(':')[0], before.split(':')[0]);
  t.true(hears(s, s.b, after));
});

test('with hairpin two inner hosts reach each other by outer addresses, and see those', t => {
  for (const hairpin of [true, false]) {
    const s = scene({ hairpin, filtering: 'endpointIndependent' });
    const machine = new ProbeMachine();
    const second = s.world.host({ name: 'second', on: s.router }).attach(machine, { port: 7100 });
    const outer = shownTo(s.a, s);

    machine.send(parseSocketAddress(outer)!);
    second.turn();
    s.world.runNow(seconds(1));

    t.is(s.inside.last(), hairpin ? `${s.router.addresses[0]!}:7100` : undefined);
    t.is(s.world.recorder.fates.get('noHairpin'), hairpin ? undefined : 1);
  }
});

test('paired pooling keeps an inner host on one outer address, arbitrary pooling does not', t => {
  const addresses = (pooling: NatOptions['pooling']) => {
    const s = scene({ mapping: 'addressAndPortDependent', pooling, ports: 'random' }, 4);
    const shown = Array.from({ length: 12 }, (_, i) => {
      const machine = new ProbeMachine();
      s.world.host({ name: `C${i}` }).attach(machine, { port: 1 });
      s.inside.send(`5.1.0.${i + 7}:1`);
      return machine.sources[0]?.split(':')[0];
    });
    t.false(shown.includes(undefined));
    return new Set(shown).size;
  };

  t.is(addresses('paired'), 1);
  t.true(addresses('arbitrary') > 1);
});

test('a full table loses packets of new mappings and keeps the old ones', t => {
  const s = scene({ mapping: 'addressAndPortDependent', maxMappings: 2 });
  const first = shownTo(s.a, s);
  shownTo(s.a2, s);

  s.inside.send(s.b.address);

  t.deepEqual(s.b.machine.sources, []);
  t.is(s.world.recorder.fates.get('natFull'), 1);
  t.true(hears(s, s.a, first));
});

test('a NAT behind a NAT translates twice', t => {
  const world = new SimulatedWorld({ seed: 1, crypto: new AuthenticatingProvider() });
  const carrier = world.network.lan({ name: 'carrier', prefix: '100.64.0.0', prefixLength: 10 });
  const home: SimulatedNat = world.network.lan({ name: 'home', via: carrier.inside });
  const lamp = new ProbeMachine();
  const server = new ProbeMachine();
  server.echo = true;
  const lampRunning = world.host({ name: 'lamp', on: home }).attach(lamp, { port: 7000 });
  const serverHost = world.host({ name: 'server' });
  serverHost.attach(server, { port: 1000 });

  lamp.send(serverHost.address(1000));
  lampRunning.turn();
  world.runNow(seconds(1));

  t.deepEqual(server.sources, [`${carrier.addresses[0]!}:7000`]);
  t.deepEqual(lamp.sources, [serverHost.address(1000).key]);
  t.true(home.addresses[0]!.startsWith('100.64.'));
});
