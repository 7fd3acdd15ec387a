import test from 'ava';
import { CONTROL_WINDOW } from '../../src/wire/index.js';
import { ControlQueue, MAX_QUEUED_CONTROL } from '../../src/session/control-queue.js';
import { FrameCounts } from '../../src/session/frame-counts.js';
import { PacketContents } from '../../src/session/packet-contents.js';
import { type FrameCarrier, SentFramePool } from '../../src/session/sent-frame.js';

const NOTHING = new Uint8Array(0);

/** Writes what may be sent; the carriers of the frames, newest last. */
function sendAll(queue: ControlQueue): FrameCarrier[] {
  const contents = new PacketContents(new SentFramePool(), new FrameCounts());
  queue.write(new Uint8Array(65_536), 0, 65_536, contents);
  const carriers: FrameCarrier[] = [];
  for (let frame = contents.frames; frame !== undefined; frame = frame.next) carriers.unshift(frame.carrier);
  return carriers;
}

test('no more control frames wait than the queue holds, until one has arrived', t => {
  const queue = new ControlQueue();
  for (let i = 0; i < MAX_QUEUED_CONTROL; i++) queue.add(1, NOTHING);
  const [first] = sendAll(queue);

  t.throws(() => queue.add(1, NOTHING), { code: 'QUEUE_FULL' });
  first?.acknowledged(0, 0);

  t.notThrows(() => queue.add(1, NOTHING));
});

test('a control frame is not sent while the peer could no longer tell it from the oldest one under way', t => {
  const queue = new ControlQueue();
  queue.add(1, NOTHING);
  const [oldest] = sendAll(queue);

  for (let number = 1; number < CONTROL_WINDOW; number++) {
    queue.add(1, NOTHING);
    for (const carrier of sendAll(queue)) carrier.acknowledged(0, 0);
    t.is(queue.size, 1);
  }
  queue.add(1, NOTHING);
  t.false(queue.sendable);
  oldest?.acknowledged(0, 0);

  t.true(queue.sendable);
});
