/**
 * Two sessions over an in-memory link: messages per second and bytes of heap per packet. Run with
 * `node --expose-gc --import=tsx --conditions=coconet-source packages/cluster-protocol/benchmarks/session/throughput.ts [--json]`.
 * Figures of one run are to be compared with each other and with those of the same machine only.
 */
import { DropCounters, instant } from '../../src/base/index.js';
import { createCryptoProvider } from '../../src/nodejs/crypto-provider.js';
import { Session } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';

interface Case {
  readonly name: string;
  readonly length: number;
  readonly inFlight: number;
  readonly messages: number;
}

const CASES: readonly Case[] = [
  { name: '64 B, one in flight', length: 64, inFlight: 1, messages: 100_000 },
  { name: '64 B, 64 in flight', length: 64, inFlight: 64, messages: 400_000 },
  { name: '1000 B, 64 in flight', length: 1_000, inFlight: 64, messages: 200_000 },
  { name: '64 KiB, 8 in flight', length: 65_536, inFlight: 8, messages: 4_000 },
];

const provider = await createCryptoProvider();
const results = CASES.map(run);
if (process.argv.includes('--json')) console.log(JSON.stringify(results));
else console.table(results);

function run({ name, length, inFlight, messages }: Case): object {
  const key = (label: number) => provider.aeadKey(new Uint8Array(32).fill(label));
  const build = (initiator: boolean): Session =>
    new Session({
      role: initiator ? 'initiator' : 'responder',
      sendKey: key(initiator ? 1 : 2),
      receiveKey: key(initiator ? 2 : 1),
      localIndex: initiator ? 1 : 2,
      remoteIndex: initiator ? 2 : 1,
      path: 0,
      pathValidated: true,
      now: instant(0),
      random: new SeededRandom(1),
      drops: new DropCounters(),
    });
  const a = build(true);
  const b = build(false);
  const buffer = new Uint8Array(1_200);
  const bytes = new Uint8Array(length).fill(7);
  let now = 0;
  let next = 0;
  let floor = 0;
  let acknowledged = 0;
  let packets = 0;

  const pump = (from: Session, to: Session): boolean => {
    let moved = false;
    for (;;) {
      const transmit = from.pollTransmit(instant(now), buffer);
      if (transmit === undefined) return moved;
      moved = true;
      packets++;
      to.handlePacket(instant(now), 0, buffer.subarray(0, transmit.length));
    }
  };
  const until = (count: number): void => {
    while (acknowledged < count) {
      while (next < count && next - acknowledged < inFlight) {
        a.sendMessage(instant(now), { sequence: next++, floor: () => floor, service: 1, bytes });
      }
      const moved = pump(a, b);
      for (let event = b.pollEvent(); event !== undefined; event = b.pollEvent());
      const answered = pump(b, a);
      for (let event = a.pollEvent(); event !== undefined; event = a.pollEvent()) {
        if (event.kind === 'messageAcknowledged') acknowledged++;
      }
      floor = acknowledged;
      if (moved || answered) continue;
      now = Math.min(a.pollTimeout() ?? Infinity, b.pollTimeout() ?? Infinity);
      a.handleTimeout(instant(now));
      b.handleTimeout(instant(now));
    }
  };

  until(Math.floor(messages / 4));
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const packetsBefore = packets;
  // Between two collections the heap only grows: a short run shows what is allocated.
  until(acknowledged + Math.min(2_000, messages / 10));
  const allocated = process.memoryUsage().heapUsed - heapBefore;
  const sample = packets - packetsBefore;
  const start = performance.now();
  const from = acknowledged;
  const packetsFrom = packets;
  until(messages);
  const seconds = (performance.now() - start) / 1_000;
  return {
    case: name,
    'messages/s': Math.round((messages - from) / seconds),
    'packets/s': Math.round((packets - packetsFrom) / seconds),
    'MB/s': Math.round(((messages - from) * length) / seconds / 1e6),
    'packets/message': Number(((packets - packetsFrom) / (messages - from)).toFixed(2)),
    'heap B/packet': Math.round(allocated / sample),
  };
}
