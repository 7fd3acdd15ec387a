import test from 'ava';
import { instant, milliseconds } from '../../src/base/index.js';
import { FrameCounts } from '../../src/session/frame-counts.js';
import { OutgoingStream } from '../../src/session/outgoing-stream.js';
import { PacketContents } from '../../src/session/packet-contents.js';
import { ReceiveWindow } from '../../src/session/receive-window.js';
import { SentFramePool } from '../../src/session/sent-frame.js';
import { StreamMemory } from '../../src/session/stream-memory.js';

const ROUND_TRIP = milliseconds(100);

test('a window that is read twice in two round trips doubles, up to its most', t => {
  const window = new ReceiveWindow(1_000, 3_000);
  const sizes: number[] = [];

  for (let now = 0; now < 400; now += 100) {
    window.consume(instant(now), 500 * 2 ** (now / 100), ROUND_TRIP, true);
    sizes.push(window.size);
  }

  t.deepEqual(sizes, [1_000, 2_000, 3_000, 3_000]);
});

test('a window grows neither for a slow reader nor while the memory is full', t => {
  for (const [interval, roomy] of [
    [200, true],
    [10, false],
  ] as const) {
    const window = new ReceiveWindow(1_000, 3_000);

    for (let i = 0; i < 4; i++) t.true(window.consume(instant(i * interval), 500, ROUND_TRIP, roomy));

    t.is(window.size, 1_000);
    t.is(window.limit, 3_000);
  }
});

test('a credit that was overtaken by a higher one takes nothing back', t => {
  const owner = { revived: () => undefined, completed: () => undefined, drained: () => undefined };
  const stream = new OutgoingStream(0, 9, 4, true, 100, new StreamMemory(), owner);
  const contents = new PacketContents(new SentFramePool(), new FrameCounts());
  const send = (): number => {
    const before = stream.sentBytes;
    stream.writeFrame(new Uint8Array(1_000), 0, 1_000, 1_000, contents);
    return stream.sentBytes - before;
  };
  stream.write(new Uint8Array(500));
  t.is(send(), 100);

  stream.raiseCredit(300);
  stream.raiseCredit(200);

  t.is(send(), 200);
  t.false(stream.sendable(1_000));
});
