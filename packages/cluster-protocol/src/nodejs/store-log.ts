import { createHash } from 'node:crypto';

import { decodeText, encodeText } from '../base/index.js';
import { Reader, varintLength, Writer } from '../wire/index.js';

/** The layout of a log that this program writes and reads; a newer one is refused. */
export const LOG_VERSION = 1;

/** Bytes of the header, a line of text that says what the file is. */
export const HEADER_LENGTH = 24;

/** Marks the beginning of a frame, so that one can be found behind a damaged one. */
const MARKER = Uint8Array.of(0xc0, 0x57, 0x0e, 0x1d);

const FRAME_HEADER = 24; // marker 4, length 4, digest 16
const DIGEST_LENGTH = 16;

/** Payload of one frame. A frame is atomic, so this bounds one write as well. */
export const MAX_FRAME: number = 16 * 1024 * 1024;

/** Some changes of a store, in the order in which they apply. */
export type Changes = Iterable<readonly [key: string, value: Uint8Array | undefined]>;

/** The header of a log of this version. */
export const logHeader = (version: number = LOG_VERSION): Uint8Array =>
  encodeText(`coconet store ${version}`.padEnd(HEADER_LENGTH - 1) + '\n');

/** The version in a header; `undefined` when it is none. */
export function readLogHeader(bytes: Uint8Array): number | undefined {
  const text = decodeText(bytes.subarray(0, HEADER_LENGTH));
  const version = text === undefined ? undefined : /^coconet store ([1-9][0-9]{0,5}) *\n$/.exec(text)?.[1];
  return version === undefined ? undefined : Number(version);
}

/** Bytes that changes take inside a frame. */
export function changesLength(changes: Changes): number {
  let length = 0;
  for (const [key, value] of changes) {
    length +=
      varintLength(key.length) + key.length + varintLength((value?.length ?? 0) + 1) + (value?.length ?? 0);
  }
  return length;
}

/**
 * One frame: marker | payload length u32 | first 16 bytes of SHA-256(offset u48 ‖ length u32 ‖ payload) | payload. The
 * offset inside the digest keeps a frame that lies at a wrong place, or inside a value, from being taken for one.
 * Payload: (key block, varint 0 for a deletion, else value length + 1 and the value), repeated.
 */
export function encodeFrame(offset: number, changes: readonly Changes[]): Uint8Array {
  const length = changes.reduce((sum, part) => sum + changesLength(part), 0);
  const frame = new Uint8Array(FRAME_HEADER + length);
  const writer = new Writer(frame.subarray(FRAME_HEADER));
  for (const part of changes) {
    for (const [key, value] of part) {
      writer.text(key);
      if (value === undefined) writer.varint(0);
      else writer.varint(value.length + 1).bytes(value);
    }
  }
  new Writer(frame)
    .bytes(MARKER)
    .uint32(length)
    .bytes(digest(offset, frame.subarray(FRAME_HEADER)));
  return frame;
}

/** What a log holds, and how far it can be believed. */
export interface LogContents {
  readonly entries: Map<string, Uint8Array>;
  /** Where the last good frame ends; what lies behind was never acknowledged, or is damaged. */
  readonly end: number;
  /** Whether good frames lie behind a bad one: what was acknowledged is lost, which no crash does. */
  readonly damaged: boolean;
}

/** Reads all good frames behind the header. */
export function readFrames(log: Uint8Array): LogContents {
  const entries = new Map<string, Uint8Array>();
  let end = HEADER_LENGTH;
  for (;;) {
    const payload = frameAt(log, end);
    if (payload === undefined) return { entries, end, damaged: hasFrameBehind(log, end) };
    applyFrame(payload, entries);
    end += FRAME_HEADER + payload.length;
  }
}

function frameAt(log: Uint8Array, offset: number): Uint8Array | undefined {
  const reader = new Reader(log, offset);
  const marker = reader.bytes(MARKER.length);
  const length = reader.uint32();
  const expected = reader.bytes(DIGEST_LENGTH);
  if (length === 0 || length > MAX_FRAME || marker.some((byte, i) => byte !== MARKER[i])) return undefined;
  const payload = reader.bytes(length);
  if (reader.failed) return undefined;
  const actual = digest(offset, payload);
  return expected.every((byte, i) => byte === actual[i]) ? payload : undefined;
}

function hasFrameBehind(log: Uint8Array, offset: number): boolean {
  const bytes = Buffer.from(log.buffer, log.byteOffset, log.byteLength);
  for (let at = bytes.indexOf(MARKER, offset); at >= 0; at = bytes.indexOf(MARKER, at + 1)) {
    if (frameAt(log, at) !== undefined) return true;
  }
  return false;
}

function applyFrame(payload: Uint8Array, entries: Map<string, Uint8Array>): void {
  const reader = new Reader(payload);
  while (reader.left > 0) {
    const key = decodeText(reader.bytes(reader.varint()));
    const length = reader.varint();
    const value = length === 0 ? undefined : reader.bytes(length - 1).slice();
    // The digest was right: a payload that does not parse was written wrong, by a bug.
    if (reader.failed || key === undefined)
      throw new Error('broken invariant: a frame with a right digest parses');
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
  }
}

function digest(offset: number, payload: Uint8Array): Uint8Array {
  const place = new Uint8Array(10);
  new Writer(place).uint48(offset).uint32(payload.length);
  return createHash('sha256').update(place).update(payload).digest().subarray(0, DIGEST_LENGTH);
}
