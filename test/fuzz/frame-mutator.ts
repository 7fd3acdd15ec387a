import { type Frame, readFrames, writeFrame } from '@coconet/cluster-protocol/core';
import type { SeededRandom } from '@coconet/cluster-protocol/testing';

import { edge, mutate, noise, pick } from './byte-mutator.js';

/** A packet has no room for more. */
const MOST_BYTES = 1_400;
const MOST_FRAMES = 64;
const MOST_DATA = 64;

/** A number near another one, or at an edge. */
function near(random: SeededRandom, value: number): number {
  if (random.below(3) === 0) return edge(random);
  const step = pick(random, [1, 1, 1, 2, 8, 64, 1_024, 65_536]);
  return Math.max(0, Math.min(Number.MAX_SAFE_INTEGER, value + (random.below(2) === 0 ? step : -step)));
}

/** A frame with one field changed; what cannot be written keeps its range. */
function changeField(random: SeededRandom, frame: Frame): Frame {
  const names = Object.keys(frame).filter(name => name !== 'type');
  const name = names[random.below(names.length)];
  if (name === undefined) return { type: pick(random, ['ping', 'immediateAck']) };
  const changed: Record<string, unknown> = { ...frame };
  const value = changed[name];
  if (frame.type === 'ack' && name === 'ranges') changed[name] = changeRanges(random, frame.ranges);
  else if (value instanceof Uint8Array) changed[name] = changeData(random, value);
  else if (typeof value === 'boolean') changed[name] = !value;
  else if (typeof value === 'string') changed[name] = `${value}${'x'.repeat(random.below(200))}`;
  else if (typeof value === 'number') changed[name] = near(random, value);
  return inRange(changed as Frame);
}

const changeData = (random: SeededRandom, data: Uint8Array): Uint8Array =>
  random.below(3) === 0
    ? noise(random, random.below(MOST_DATA))
    : mutate(random, data, data, Math.max(MOST_DATA, data.length + 16));

function changeRanges(
  random: SeededRandom,
  ranges: readonly { readonly first: number; readonly last: number }[],
): readonly { readonly first: number; readonly last: number }[] {
  const top = ranges[0]?.last ?? 0;
  let last = random.below(2) === 0 ? top : near(random, top);
  const changed: { first: number; last: number }[] = [];
  for (let left = 1 + random.below(random.below(4) === 0 ? 32 : 4); left > 0 && last >= 0; left--) {
    const first = Math.max(0, last - (random.below(3) === 0 ? edge(random) : random.below(4)));
    changed.push({ first, last });
    last = first - 2 - (random.below(3) === 0 ? edge(random) : random.below(4));
  }
  return changed;
}

/** What a writer could not write at all is brought back to what it can; readers are left enough that is wrong. */
function inRange(frame: Frame): Frame {
  switch (frame.type) {
    case 'padding':
      return { ...frame, length: Math.max(1, frame.length % MOST_BYTES) };
    case 'firstFragment':
      return {
        ...frame,
        floor: Math.min(frame.floor, frame.sequence),
        priority: frame.priority & 7,
      };
    case 'messageAbandon':
      return { ...frame, floor: Math.min(frame.floor, frame.sequence) };
    case 'pathChallenge':
    case 'pathResponse':
      return { ...frame, high: frame.high >>> 0, low: frame.low >>> 0 };
    case 'ack':
      return frame.ranges.length === 0
        ? { ...frame, ranges: [{ first: 0, last: 0 }], delay: 0 }
        : { ...frame, delay: whole(frame.delay) };
    case 'ackFrequency':
      return { ...frame, delay: whole(frame.delay) };
    case 'streamOpen':
      return { ...frame, priority: frame.priority & 0xff };
    case 'unknown':
      return { ...frame, number: 0x40 | (frame.number & 0x3f) };
    default:
      return frame;
  }
}

// In eighths of a millisecond on the wire, which must stay an exact integer.
const whole = (delay: number): number => Math.min(2 ** 40, Math.max(0, delay));

/** Any frame, of any type. */
function anyFrame(random: SeededRandom): Frame {
  const number = (): number => (random.below(3) === 0 ? edge(random) : random.below(8));
  const bytes = (): Uint8Array => noise(random, random.below(random.below(8) === 0 ? MOST_DATA : 8));
  const sequence = number();
  const frames: readonly Frame[] = [
    { type: 'padding', length: 1 + random.below(16) },
    { type: 'ping' },
    { type: 'immediateAck' },
    { type: 'ack', delay: random.below(100), ranges: changeRanges(random, [{ first: 0, last: number() }]) },
    { type: 'ackFrequency', request: number(), every: 1 + random.below(255), delay: random.below(100) },
    { type: 'fragment', sequence, offset: 1 + number(), bytes: bytes() },
    {
      type: 'firstFragment',
      sequence,
      total: number(),
      service: random.below(12),
      floor: Math.max(0, sequence - random.below(4)),
      priority: random.below(8),
      bytes: bytes(),
    },
    { type: 'datagram', service: random.below(12), bytes: bytes() },
    { type: 'pathChallenge', high: random.uint32(), low: random.uint32() },
    { type: 'pathResponse', high: random.uint32(), low: random.uint32() },
    { type: 'control', number: number(), control: random.below(6), bytes: bytes() },
    { type: 'rekeyOffer', generation: number(), bytes: noise(random, pick(random, [0, 48, 64, 96])) },
    { type: 'rekeyAnswer', generation: number(), bytes: noise(random, pick(random, [0, 48, 64, 96])) },
    {
      type: 'streamOpen',
      id: number(),
      service: random.below(12),
      priority: random.below(8),
      fin: random.below(2) === 0,
      bytes: bytes(),
    },
    { type: 'stream', id: number(), offset: 1 + number(), fin: random.below(2) === 0, bytes: bytes() },
    { type: 'streamCredit', id: number(), credit: number() },
    { type: 'sessionCredit', credit: number(), streams: number(), oneWayStreams: number() },
    { type: 'streamReset', id: number(), code: number(), finalSize: number() },
    { type: 'streamStop', id: number(), code: number() },
    { type: 'messageGrant', sequence },
    { type: 'messageRepeat', sequence },
    { type: 'messageAbandon', sequence, floor: Math.max(0, sequence - random.below(4)) },
    { type: 'unknown', number: 0x40 + random.below(0x40), bytes: bytes() },
  ];
  // A close ends most of what else could be shown.
  return random.below(200) === 0 ? { type: 'close', code: number(), reason: 'x' } : pick(random, frames);
}

/**
 * The frames of a packet, changed as a peer might that follows no rule: fields, and frames put in, left out, doubled, moved,
 * or taken from other packets. What does not parse is changed byte by byte.
 */
export function changeFrames(
  random: SeededRandom,
  bytes: Uint8Array,
  others: readonly Uint8Array[],
): Uint8Array {
  const decoded = readFrames(bytes);
  if (!decoded.ok || random.below(16) === 0)
    return mutate(random, bytes, others.length > 0 ? pick(random, others) : bytes, MOST_BYTES);
  const frames = [...decoded.value];
  for (let left = 1 + random.below(4); left > 0; left--) changeOne(random, frames, others);
  const encoded = encodeSome(frames);
  return random.below(4) === 0 ? mutate(random, encoded, bytes, MOST_BYTES) : encoded;
}

function changeOne(random: SeededRandom, frames: Frame[], others: readonly Uint8Array[]): void {
  const at = random.below(frames.length + 1);
  const frame = frames[Math.min(at, frames.length - 1)];
  switch (frame === undefined ? 0 : random.below(8)) {
    case 0:
    case 1:
      frames.splice(at, 0, anyFrame(random));
      return;
    case 2:
      frames.splice(at, 1);
      return;
    case 3:
      for (let left = 1 + random.below(random.below(8) === 0 ? 16 : 1); left > 0; left--)
        frames.splice(at, 0, frame!);
      return;
    case 4:
      frames.splice(random.below(frames.length), 0, ...frames.splice(at, 1 + random.below(2)));
      return;
    case 5: {
      const other = others.length > 0 ? readFrames(pick(random, others)) : undefined;
      if (other?.ok) frames.splice(at, random.below(2), ...other.value.slice(0, 1 + random.below(4)));
      return;
    }
    default:
      frames[Math.min(at, frames.length - 1)] = changeField(random, frame!);
  }
}

/** As many of the frames as a packet has room for. */
function encodeSome(frames: readonly Frame[]): Uint8Array {
  const buffer = new Uint8Array(4 * MOST_BYTES);
  let end = 0;
  for (const frame of frames.slice(0, MOST_FRAMES)) {
    const next = written(buffer, end, frame);
    if (next > MOST_BYTES) break;
    end = next;
  }
  return end === 0 ? Uint8Array.of(1) : buffer.slice(0, end);
}

/** The offset behind a frame; where it began if its writer will not write such a thing, which bytes that are changed may say. */
function written(into: Uint8Array, offset: number, frame: Frame): number {
  try {
    return writeFrame(into, offset, frame);
  } catch {
    return offset;
  }
}
