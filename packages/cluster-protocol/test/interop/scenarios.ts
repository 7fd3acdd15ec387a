import { milliseconds, seconds } from '../../src/base/index.js';
import type { CryptoProvider } from '../../src/crypto/provider.js';
import { type LinkConditions, type Recorder, SeededRandom } from '../../src/testing/index.js';
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

/** What a run is drawn from. */
export interface Draw {
  readonly seed: number;
  readonly crypto: CryptoProvider;
  readonly recorder?: Recorder;
}

/** What one run has shown. */
export interface Outcome {
  /** What must not be, one sentence each. */
  readonly problems: readonly string[];
  /** Virtual time that passed, ms. */
  readonly virtual: number;
  /** The same for every run of the seed. */
  readonly hash: string;
  readonly counts: Readonly<Record<string, number>>;
}

/** A scenario: what is claimed, and a run of it. */
export interface InteropScenario {
  readonly title: string;
  readonly run: (draw: Draw) => Outcome;
  /** Two sessions on a line of their own, without a network: there is no datagram to draw. */
  readonly unseen?: boolean;
}

/** A duet and what is wrong with it so far. */
interface Stage {
  readonly duet: Duet;
  /** Where in a run things happen follows from the seed. */
  readonly luck: SeededRandom;
  readonly problems: string[];
}

/** A scenario with two parties that have a session. */
const stage =
  (play: (stage: Stage) => void, options: Partial<DuetOptions> = {}) =>
  (draw: Draw): Outcome => {
    const duet = new Duet({ ...draw, link: LINE, ...options });
    const luck = new SeededRandom(draw.seed).fork('luck');
    const problems: string[] = [];
    if (duet.until(() => duet.connected) === undefined) problems.push('there is no session');
    else play({ duet, luck, problems });
    return outcomeOf(duet, problems);
  };

const outcomeOf = (duet: Duet, problems: readonly string[]): Outcome => ({
  problems: [...problems, ...duet.nonces.reused],
  virtual: duet.world.now,
  hash: duet.world.recorder.hash,
  counts: { datagrams: duet.world.recorder.datagrams, streamBytes: duet.streams.bytes },
});

const begin = (duet: Duet, name: Name, size: number): void => {
  duet.do(name, ({ traffic }) => traffic.begin(size, { ...OPTIONS, oneWay: true }));
};

/** Says so unless everything arrives, as it was sent, in the session in which it began. */
function expectWhole({ duet, problems }: Stage, limit: number): void {
  if (duet.until(() => duet.settled, seconds(limit)) === undefined)
    problems.push(`not everything has arrived after ${limit} s`);
  problems.push(...duet.ledger.judge(), ...duet.streams.judge());
  const opened = duet.parties.map(party => party.opened);
  if (opened.some(count => count !== 1))
    problems.push(`the session of the beginning is not that of the end: ${opened.join(' and ')} were opened`);
}

const handshake =
  (inBursts: boolean) =>
  (draw: Draw): Outcome => {
    const { duet, problems } = lossyHandshake(draw, inBursts);
    return outcomeOf(duet, problems);
  };

const fileOver = (conditions: Partial<LinkConditions>) =>
  stage(on => {
    on.duet.setLink(conditions);
    begin(on.duet, 'a', FILE);
    expectWhole(on, 60);
  });

const blackHole = (duration: number) =>
  stage(on => {
    const { duet, luck } = on;
    begin(duet, 'a', 5 * FILE);
    duet.run(500 + luck.below(1_000));
    duet.setLink({ down: true });
    duet.run(duration);
    duet.setLink({ down: false });
    expectWhole(on, 60);
  });

const rebind = (what: 'port' | 'address', from: Name) =>
  stage(
    on => {
      const { duet, luck } = on;
      begin(duet, from, FILE);
      duet.run(luck.below(2_000));
      for (let i = 0; i < 3; i++) {
        duet.run(5_000);
        if (what === 'port') duet.nat?.rebind();
        else if (duet.nat) duet.world.network.plug(duet.nat);
      }
      expectWhole(on, 60);
    },
    { nat: true, link: { ...LINE, bandwidth: 125_000 } },
  );

function crossTraffic({ seed }: Draw): Outcome {
  const line = new Bottleneck({ seed, link: mbit(10, 15) });
  const head = 4_000 + new SeededRandom(seed).fork('luck').below(2_000);
  const cross = line.add({ congestionControl: 'newReno' });
  line.run(head);
  const before = cross.delivered;
  const flow = line.add();
  line.run(30_000);
  const shares = [flow.delivered, cross.delivered - before];
  const isFair = fairness(shares) > 0.8;
  return {
    problems: isFair ? [] : [`the shares are ${shares.join(' and ')} bytes`],
    virtual: head + 30_000,
    hash: shares.join(),
    counts: {},
  };
}

const keyUpdate = stage(
  on => {
    const { duet, luck, problems } = on;
    duet.setLink({ loss: 0.02 });
    begin(duet, 'a', FILE);
    duet.run(luck.below(2_000));
    duet.do(luck.below(2) === 0 ? 'a' : 'b', party => {
      party.rekey();
    });
    expectWhole(on, 60);
    const changes = duet.parties.map(({ session }) => session?.statistics().rekeys ?? 0);
    if (Math.min(...changes) < 3) problems.push(`keys were changed ${changes.join(' and ')} times`);
  },
  { config: { rekeyAfterPackets: 200 } },
);

const twoThousandStreams = stage(on => {
  const { duet, problems } = on;
  for (let begun = 0; begun < 2_000;) {
    duet.do('a', ({ traffic }) => {
      while (begun < 2_000 && traffic.begin(32, OPTIONS)) begun++;
    });
    duet.run(10);
  }
  expectWhole(on, 30);
  if (duet.streams.halves.size !== 4_000) problems.push(`there were ${duet.streams.halves.size} halves`);
  for (const { endpoint, name } of duet.parties)
    if (endpoint.streamBytes > 0) problems.push(`${name} holds ${endpoint.streamBytes} bytes`);
});

const longRoundTrip = stage(
  on => {
    if (on.duet.world.now >= 3 * 750) on.problems.push(`the handshake took ${on.duet.world.now} ms`);
    begin(on.duet, 'a', 200_000);
    expectWhole(on, 30);
  },
  { link: { delay: milliseconds(187.5) } },
);

function amplification(draw: Draw): Outcome {
  const duet = new Duet(draw);
  for (const { down } of duet.host('a').board.attachments) down.set({ down: true });
  duet.run(30_000);
  const { recorder } = duet.world;
  const [asked, answered] = [recorder.sentBytes('a'), recorder.sentBytes('b')];
  const isBound = asked > 0 && answered > 0 && answered <= asked;
  return outcomeOf(duet, isBound ? [] : [`${answered} bytes answered ${asked}`]);
}

/** All of them by their names. */
export const INTEROP: Readonly<Record<string, InteropScenario>> = {
  'handshake-loss': {
    title: 'a handshake succeeds at 30 % loss',
    run: handshake(false),
  },
  'handshake-bursts': {
    title: 'a handshake succeeds at 30 % loss, three packets in a row',
    run: handshake(true),
  },
  'transfer-loss': { title: 'a file arrives over a line that loses packets', run: fileOver({ loss: 0.02 }) },
  'transfer-bursts': {
    title: 'a file arrives over a line that loses packets in bursts',
    run: fileOver({ burst: { enter: 0.005, leave: 0.3, loss: 1 } }),
  },
  'transfer-corruption': {
    title: 'a file arrives over a line that turns bits over',
    run: fileOver({ corrupt: 0.02 }),
  },
  'transfer-truncation': {
    title: 'a file arrives over a line that cuts the ends of packets off',
    run: fileOver({ truncate: 0.02 }),
  },
  'cross-traffic': {
    title: 'a flow shares a line with cross traffic that was there before it',
    run: crossTraffic,
    unseen: true,
  },
  'long-rtt': { title: 'a round trip of 750 ms costs time and nothing else', run: longRoundTrip },
  'black-hole-2': { title: 'a transfer survives a black hole of 2 s', run: blackHole(2_000) },
  'black-hole-10': { title: 'a transfer survives a black hole of 10 s', run: blackHole(10_000) },
  'rebind-port-up': {
    title: 'a transfer from a node behind a NAT survives another port each 5 s',
    run: rebind('port', 'a'),
  },
  'rebind-port-down': {
    title: 'a transfer to a node behind a NAT survives another port each 5 s',
    run: rebind('port', 'b'),
  },
  'rebind-address-up': {
    title: 'a transfer from a node behind a NAT survives another address each 5 s',
    run: rebind('address', 'a'),
  },
  'rebind-address-down': {
    title: 'a transfer to a node behind a NAT survives another address each 5 s',
    run: rebind('address', 'b'),
  },
  'key-update': {
    title: 'a transfer over a line that loses packets survives the change of keys, again and again',
    run: keyUpdate,
  },
  streams: { title: 'two thousand streams come and go in one session', run: twoThousandStreams },
  amplification: {
    title: 'an address that has proved nothing gets no more bytes than came from it',
    run: amplification,
  },
};
