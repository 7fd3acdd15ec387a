/**
 * Loss recovery and congestion control alone, without packets: nanoseconds of the processor and bytes of heap per packet that is sent and
 * acknowledged. Run with
 * `node --expose-gc --import=tsx --conditions=coconet-source packages/cluster-protocol/benchmarks/session/recovery.ts [--json]`.
 * Figures of one run are to be compared with each other and with those of the same machine only.
 */
import { instant } from '../../src/base/index.js';
import { PathTable } from '../../src/session/path-table.js';
import { Recovery } from '../../src/session/recovery.js';
import type { FrameCarrier } from '../../src/session/sent-frame.js';
import { SessionPath } from '../../src/session/session-path.js';
import { DEFAULT_SESSION_CONFIG } from '../../src/session/index.js';
import { FrameReader, MAX_ACK_RANGES, MAX_PACKET } from '../../src/wire/index.js';

interface Case {
  readonly name: string;
  /** Packets in flight. */
  readonly inFlight: number;
  /** Packets that one ack acknowledges. */
  readonly ackEvery: number;
  /** One packet of so many is lost; 0: none. */
  readonly lossOf: number;
}

const CASES: readonly Case[] = [
  { name: 'one in flight', inFlight: 1, ackEvery: 1, lossOf: 0 },
  { name: '256 in flight, ack of 2', inFlight: 256, ackEvery: 2, lossOf: 0 },
  { name: '256 in flight, ack of 16', inFlight: 256, ackEvery: 16, lossOf: 0 },
  { name: '256 in flight, ack of 2, 1 % lost', inFlight: 256, ackEvery: 2, lossOf: 100 },
  { name: '2,048 in flight, ack of 2, 1 % lost', inFlight: 2_048, ackEvery: 2, lossOf: 100 },
];

const PACKETS = 1_000_000;
const ROUND_TRIP = 20;

const carrier: FrameCarrier = { acknowledged: () => undefined, lost: () => undefined };
const results = CASES.map(measure);
if (process.argv.includes('--json')) console.log(JSON.stringify(results));
else console.table(results);

/** The ack of a receiver that has got everything up to `largest`, without the last packet of each `lossOf`. */
function tell(reader: FrameReader, largest: number, lossOf: number): void {
  let last = lossOf > 0 && largest % lossOf === lossOf - 1 ? largest - 1 : largest;
  reader.ackRanges = 0;
  while (last >= 0 && reader.ackRanges < MAX_ACK_RANGES) {
    const first = lossOf > 0 ? last - (last % lossOf) : 0;
    reader.ackFirst[reader.ackRanges] = first;
    reader.ackLast[reader.ackRanges++] = last;
    last = first - 2;
  }
}

function measure(each: Case): object {
  const paths = new PathTable();
  const path = new SessionPath(0, MAX_PACKET, true, instant(0), 'cubic');
  paths.add(path);
  const recovery = new Recovery(paths, DEFAULT_SESSION_CONFIG.ackDelay);
  const reader = new FrameReader();
  const step = ROUND_TRIP / each.inFlight;
  let acknowledged = 0;

  const until = (count: number): void => {
    while (recovery.packets.next < count) {
      const number = recovery.packets.next;
      const now = instant(number * step);
      if (recovery.lossTime() <= now) recovery.handleLossTimeout(now);
      // The answer does not matter here: as much is kept in flight as the case asks for.
      path.readyAt(now, MAX_PACKET);
      recovery.sent(now, path, MAX_PACKET, recovery.packets.pool.take(carrier, 0, 1, undefined), -1, false);
      path.pacer.spend(MAX_PACKET);
      const end = number - each.inFlight + 1;
      if (end - acknowledged < each.ackEvery) continue;
      tell(reader, end - 1, each.lossOf);
      reader.ackDelay = 0;
      acknowledged = end;
      recovery.acknowledge(now, reader);
    }
  };

  until(PACKETS / 5);
  globalThis.gc?.();
  const heapBefore = process.memoryUsage().heapUsed;
  const sample = 20_000;
  // Between two collections the heap only grows: a short run shows what is allocated.
  until(recovery.packets.next + sample);
  const allocated = process.memoryUsage().heapUsed - heapBefore;
  const from = recovery.packets.next;
  // Time of the processor, not of the clock: other work on the machine is none of ours.
  const before = process.cpuUsage();
  until(PACKETS);
  const { user, system } = process.cpuUsage(before);
  const nanoseconds = ((user + system) * 1e3) / (PACKETS - from);
  return {
    case: each.name,
    'ns/packet': Math.round(nanoseconds),
    'heap B/packet': Number((allocated / sample).toFixed(1)),
    lost: recovery.lost,
  };
}
