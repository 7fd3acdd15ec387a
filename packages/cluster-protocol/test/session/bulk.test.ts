import test from 'ava';
import fc from 'fast-check';
import { milliseconds } from '../../src/base/index.js';
import { Bottleneck, fairness, mbit } from './bottleneck.js';

/** Of what the link carries, headers of IP and UDP, frames and tags take so much from messages of 1,140 bytes. */
const GOODPUT = 1_140 / (1_140 + 26 + 25 + 28);

/** The share of the bottleneck that its flows used between two moments, headers included. */
function use(network: Bottleneck, rate: number, from: number, to: number): number {
  network.run(from - network.now);
  const before = network.flows.reduce((sum, flow) => sum + flow.delivered, 0);
  network.run(to - from);
  const bytes = network.flows.reduce((sum, flow) => sum + flow.delivered, 0) - before;
  return (bytes * 8) / GOODPUT / (rate * 1e6 * ((to - from) / 1_000));
}

/** RFC 9438, section 5.1: packets in a round trip that Reno carries where one of so many is lost, `rtt` in milliseconds. */
const renoRate = (loss: number, rtt: number): number => (Math.sqrt(1.5 / loss) * 1_140 * 8) / rtt / 1_000;

test('CUBIC fills 100 Mbit/s over 20 ms, with a queue of one round trip and of a quarter', t => {
  for (const [queue, least] of [
    [1, 0.94],
    [0.25, 0.85],
  ] as const) {
    const network = new Bottleneck({ link: mbit(100, 10, queue) });
    network.add();

    const used = use(network, 100, 0, 4_000);

    t.true(used >= least, `${used} with a queue of ${queue}`);
    const { lostPackets, sentPackets } = network.flows[0]!.statistics;
    t.true(lostPackets < 0.01 * sentPackets, `${lostPackets} of ${sentPackets} lost`);
  }
});

test('NewReno fills 100 Mbit/s over 20 ms with a queue of one round trip', t => {
  const network = new Bottleneck({ link: mbit(100, 10), config: { congestionControl: 'newReno' } });
  network.add();

  const used = use(network, 100, 0, 4_000);

  t.true(used >= 0.9, `${used}`);
});

test('a hundredth of random loss costs no more than the formula of Reno says, and nothing is lost for good', t => {
  for (const seed of [1, 2, 3]) {
    const network = new Bottleneck({ seed, link: { ...mbit(100, 10), loss: 0.01 } });
    const flow = network.add();

    const rate = use(network, 1, 2_000, 12_000) * GOODPUT;
    flow.bulk = false;
    network.run(5_000);

    const expected = renoRate(0.01, 20);
    t.true(rate > 0.8 * expected, `${rate} of ${expected} Mbit/s`);
    t.is(flow.waiting, 0);
    t.is(flow.statistics.spuriousLosses, 0);
  }
});

test('bursts of loss are one event each, repaired without a timeout', t => {
  const network = new Bottleneck({ link: mbit(20, 20) });
  const flow = network.add();
  network.run(4_000);
  const before = flow.path.congestionWindow;
  const { lostPackets } = flow.statistics;

  network.forward.set({ loss: 1 });
  network.run(8);
  network.forward.set({ loss: 0 });
  network.run(200);

  t.true(flow.statistics.lostPackets - lostPackets >= 5);
  t.true(flow.path.congestionWindow > 0.6 * before);
  t.is(flow.statistics.sentFrames.immediateAck, 0, 'no probe was needed');
  const used = use(network, 20, 5_000, 8_000);
  t.true(used > 0.9, `${used}`);
});

test('loss in bursts all the time is carried on with', t => {
  const burst = { enter: 0.0005, leave: 0.2, loss: 0.8 };
  const network = new Bottleneck({ link: { ...mbit(20, 10), burst } });
  const flow = network.add();

  const used = use(network, 20, 0, 8_000);
  flow.bulk = false;
  network.run(5_000);

  t.true(used > 0.5, `${used}`);
  t.is(flow.waiting, 0);
});

test('a round trip of 750 ms is filled, and no packet is sent twice for being slow', t => {
  const network = new Bottleneck({ link: mbit(4, 375) });
  const flow = network.add();

  const used = use(network, 4, 15_000, 40_000);

  t.true(used > 0.8, `${used}`);
  t.is(flow.statistics.spuriousLosses, 0);
  t.is(flow.statistics.sentFrames.immediateAck, 0);
});

for (const congestionControl of ['cubic', 'newReno'] as const) {
  test(`${congestionControl}: two flows share a bottleneck fairly within thirty seconds, the second beginning late`, t => {
    const network = new Bottleneck({ link: mbit(20, 20), config: { congestionControl } });
    network.add();
    network.run(5_000);
    network.add();
    network.run(15_000);
    const before = network.flows.map(flow => flow.delivered);

    const used = use(network, 20, 20_000, 35_000);

    const shares = network.flows.map((flow, i) => flow.delivered - before[i]!);
    t.true(fairness(shares) >= 0.9, shares.join(' and '));
    t.true(used > 0.9, `${used}`);
  });
}

test('CUBIC and NewReno leave each other room on a short way', t => {
  const network = new Bottleneck({ link: mbit(20, 10) });
  network.add({ congestionControl: 'cubic' });
  network.add({ congestionControl: 'newReno' });
  network.run(5_000);
  const before = network.flows.map(flow => flow.delivered);

  network.run(25_000);

  const shares = network.flows.map((flow, i) => flow.delivered - before[i]!);
  t.true(fairness(shares) >= 0.9, shares.join(' and '));
});

test('packets that overtake each other do not slow a flow down', t => {
  const network = new Bottleneck({ link: { ...mbit(50, 15), reorder: 0.02, reorderBy: milliseconds(10) } });
  const flow = network.add();

  const used = use(network, 50, 0, 4_000);

  t.true(used > 0.85, `${used}`);
  const { spuriousLosses, sentPackets } = flow.statistics;
  t.true(spuriousLosses < 0.001 * sentPackets, `${spuriousLosses} of ${sentPackets}`);
});

test('HyStart++ ends slow start before the queue of a long way overflows by a whole window', t => {
  const network = new Bottleneck({ link: mbit(10, 50) });
  const flow = network.add();

  network.run(3_000);

  const { lostPackets } = flow.statistics;
  t.true(lostPackets <= 100, `${lostPackets} lost, of a window of about 200 packets`);
});

test('bursts of an application raise the window to what they fill, and no further', t => {
  const network = new Bottleneck({ link: mbit(100, 20) });
  const bursty = network.add({}, false);
  for (let i = 0; i < 60; i++) {
    for (let n = 0; n < 30; n++) bursty.send(1_140);
    bursty.pump();
    network.run(1_000);
  }

  t.true(bursty.path.congestionWindow < 2 * 30 * 1_195, `${bursty.path.congestionWindow} bytes`);
  t.true(bursty.path.congestionWindow >= 20 * 1_195);
});

const condition = fc.record({
  rate: fc.integer({ min: 1, max: 40 }),
  delay: fc.integer({ min: 0, max: 150 }),
  queue: fc.double({ min: 0.1, max: 3, noNaN: true }),
  loss: fc.double({ min: 0, max: 0.1, noNaN: true }),
  reorder: fc.double({ min: 0, max: 0.1, noNaN: true }),
  jitter: fc.nat({ max: 20 }).map(milliseconds),
});

test('never more is in flight than the window allows but for probes, whatever the link does', t => {
  fc.assert(
    fc.property(
      fc.nat(),
      condition,
      fc.constantFrom('cubic' as const, 'newReno' as const),
      (seed, { rate, delay, queue, ...rest }, congestionControl) => {
        const link = { ...mbit(rate, delay, queue), ...rest };
        const network = new Bottleneck({ seed, link, config: { congestionControl } });
        const flow = network.add();
        let probes = 0;
        flow.observe = () => {
          const { bytesInFlight, congestionWindow } = flow.path;
          const { immediateAck } = flow.statistics.sentFrames;
          t.true(immediateAck > probes || bytesInFlight <= congestionWindow);
          t.true(congestionWindow >= 2 * 1_195);
          probes = immediateAck;
        };

        network.run(1_500);
        flow.bulk = false;
        for (let waited = 0; waited < 300 && flow.waiting > 0; waited++) network.run(1_000);
        network.run(1_000);

        t.is(flow.waiting, 0);
        t.is(flow.path.bytesInFlight, 0);
      },
    ),
    { numRuns: 20 },
  );
});
