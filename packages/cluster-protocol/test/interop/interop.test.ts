import test, { type ExecutionContext } from 'ava';
import { milliseconds, seconds } from '../../src/base/index.js';
import { AuthenticatingProvider, type LinkConditions, Recorder } from '../../src/testing/index.js';
import { Bottleneck, fairness, mbit } from '../session/bottleneck.js';
import { Duet, type DuetOptions, type Name } from './duet.js';
import { lossyHandshake } from './lossy-handshake.js';

// The scenarios of the QUIC interop runner (https://github.com/quic-interop/quic-interop-runner) that mean something here:
// its line of 10 Mbit/s and 15 ms each way, whose queue holds 25 packets.

const LINE: Partial<LinkConditions> = {
  bandwidth: 1_250_000,
  delay: milliseconds(7),
  queue: 25 * 1_228,
};
const FILE = 2_000_000;
const OPTIONS = { service: 0x8000 } as const;

const duetOf = (options: Partial<DuetOptions> = {}): Duet => {
  const duet = new Duet({ seed: 1, crypto: new AuthenticatingProvider(), link: LINE, ...options });
  duet.until(() => duet.connected);
  return duet;
};

const begin = (duet: Duet, name: Name, size: number): void => {
  duet.do(name, ({ traffic }) => traffic.begin(size, { ...OPTIONS, oneWay: true }));
};

/** Whether everything arrived, as it was sent, in the session in which it began. */
function assertWhole(t: ExecutionContext, duet: Duet, limit: number): void {
  t.not(
    duet.until(() => duet.settled, seconds(limit)),
    undefined,
    'everything arrives',
  );
  t.deepEqual([...duet.ledger.judge(), ...duet.streams.judge(), ...duet.nonces.reused], []);
  t.deepEqual(
    duet.parties.map(({ opened }) => opened),
    [1, 1],
    'the session of the beginning is that of the end',
  );
}

for (const inBursts of [false, true])
  test(`each of a hundred handshakes succeeds at 30 % loss, ${inBursts ? 'three packets in a row' : 'evenly'}`, t => {
    for (let seed = 1; seed <= 100; seed++) {
      const { problems } = lossyHandshake({ seed, crypto: new AuthenticatingProvider() }, inBursts);

      t.deepEqual(problems, [], `seed ${seed}`);
    }
  });

for (const [title, conditions] of [
  ['loses packets', { loss: 0.02 }],
  ['loses packets in bursts', { burst: { enter: 0.005, leave: 0.3, loss: 1 } }],
  ['turns bits over', { corrupt: 0.02 }],
  ['cuts the ends of packets off', { truncate: 0.02 }],
] as const)
  test(`a file arrives over a line that ${title}`, t => {
    const duet = duetOf();

    duet.setLink(conditions);
    begin(duet, 'a', FILE);

    assertWhole(t, duet, 60);
  });

test('a flow shares a line with cross traffic that was there before it', t => {
  const line = new Bottleneck({ link: mbit(10, 15) });
  const cross = line.add({ congestionControl: 'newReno' });
  line.run(5_000);
  const before = cross.delivered;

  const flow = line.add();
  line.run(30_000);

  t.true(fairness([flow.delivered, cross.delivered - before]) > 0.8);
});

test('a round trip of 750 ms costs time and nothing else', t => {
  const duet = duetOf({ link: { delay: milliseconds(187.5) } });
  t.true(duet.world.now < 3 * 750, 'one round trip and what it takes to notice');

  begin(duet, 'a', 200_000);

  assertWhole(t, duet, 30);
});

for (const duration of [2_000, 10_000])
  test(`a transfer survives a black hole of ${duration / 1_000} s`, t => {
    const duet = duetOf();
    begin(duet, 'a', 5 * FILE);
    duet.run(1_000);

    duet.setLink({ down: true });
    duet.run(duration);
    duet.setLink({ down: false });

    assertWhole(t, duet, 60);
  });

for (const [what, rebind] of [
  ['port', (duet: Duet) => duet.nat?.rebind()],
  ['address', (duet: Duet) => duet.nat && duet.world.network.plug(duet.nat)],
] as const)
  for (const from of ['a', 'b'] as const)
    test(`a transfer ${from === 'a' ? 'from' : 'to'} a node behind a NAT survives another ${what} each 5 s`, t => {
      const duet = duetOf({ nat: true, link: { ...LINE, bandwidth: 125_000 } });
      begin(duet, from, FILE);

      for (let i = 0; i < 3; i++) {
        duet.run(5_000);
        rebind(duet);
      }

      assertWhole(t, duet, 60);
    });

test('a transfer over a line that loses packets survives the change of keys, again and again', t => {
  const duet = duetOf({ config: { rekeyAfterPackets: 200 } });

  duet.setLink({ loss: 0.02 });
  begin(duet, 'a', FILE);
  assertWhole(t, duet, 60);

  const changes = duet.parties.map(({ session }) => session?.statistics().rekeys ?? 0);
  t.true(Math.min(...changes) >= 3, changes.join(' and '));
});

test('two thousand streams come and go in one session', t => {
  const duet = duetOf();

  for (let begun = 0; begun < 2_000;) {
    duet.do('a', ({ traffic }) => {
      while (begun < 2_000 && traffic.begin(32, OPTIONS)) begun++;
    });
    duet.run(10);
  }

  assertWhole(t, duet, 30);
  t.is(duet.streams.halves.size, 4_000);
  for (const { endpoint } of duet.parties) t.is(endpoint.streamBytes, 0);
});

test('an address that has proved nothing gets no more bytes than came from it', t => {
  const recorder = new Recorder({ keep: 10_000, describe: bytes => String(bytes.length) });
  const duet = new Duet({ seed: 1, crypto: new AuthenticatingProvider(), recorder });
  for (const { down } of duet.host('a').board.attachments) down.set({ down: true });

  duet.run(30_000);

  const bytesOf = (sender: Name): number =>
    recorder.entries.reduce(
      (sum, entry) => (entry.kind === 'datagram' && entry.from === sender ? sum + Number(entry.text) : sum),
      0,
    );
  t.true(bytesOf('a') > 0);
  t.true(bytesOf('b') > 0);
  t.true(bytesOf('b') <= bytesOf('a'));
});
