import { ClusterError } from '../base/index.js';
import { CONTROL_WINDOW, FrameType, MAX_CONTROL, controlLength, writeControl } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import type { FrameCarrier } from './sent-frame.js';

/** Control frames that wait to be sent or acknowledged: candidates, punch plans and the like come by the handful. */
export const MAX_QUEUED_CONTROL = 64;

interface ControlFrame extends FrameCarrier {
  readonly number: number;
  readonly type: number;
  readonly bytes: Uint8Array;
  finished: boolean;
}

/** Small reliable frames on their way out, repeated until acknowledged. */
export class ControlQueue {
  /** Not acknowledged yet, in ascending order of number. */
  readonly #unacknowledged: ControlFrame[] = [];
  /** To be written, lost ones first. */
  readonly #ready: ControlFrame[] = [];
  #next = 0;
  /** Frames that repeat what was sent before. */
  retransmissions = 0;

  /** Frames that are not yet acknowledged. */
  get size(): number {
    return this.#unacknowledged.length;
  }

  /** Queues a frame; the bytes are copied. Throws on misuse and when the queue is full. */
  add(type: number, bytes: Uint8Array): void {
    if (!Number.isInteger(type) || type < 0 || type > 0xffff_ffff) {
      throw new ClusterError(
        'INVALID_ARGUMENT',
        `the control type ${type} is not an integer from 0 to 2^32 − 1`,
      );
    }
    if (bytes.length > MAX_CONTROL) {
      throw new ClusterError(
        'MESSAGE_TOO_LARGE',
        `a control frame of type ${type} has ${bytes.length} bytes, at most ${MAX_CONTROL} fit`,
      );
    }
    if (this.#unacknowledged.length >= MAX_QUEUED_CONTROL) {
      throw new ClusterError(
        'QUEUE_FULL',
        `${MAX_QUEUED_CONTROL} control frames wait for this peer; send fewer`,
      );
    }
    const frame: ControlFrame = {
      number: this.#next++,
      type,
      bytes: new Uint8Array(bytes),
      finished: false,
      acknowledged: () => {
        if (!frame.finished) this.#finish(frame);
      },
      lost: () => {
        if (frame.finished || this.#ready.includes(frame)) return;
        this.retransmissions++;
        this.#ready.unshift(frame);
      },
    };
    this.#unacknowledged.push(frame);
    this.#ready.push(frame);
  }

  /** Whether a frame may be written now. */
  get sendable(): boolean {
    const frame = this.#ready[0];
    // The receiver remembers a window of numbers: the oldest one must arrive before the newest leaves it.
    return frame !== undefined && frame.number - this.#unacknowledged[0]!.number < CONTROL_WINDOW;
  }

  /** Writes as many frames as fit before `limit`; returns the offset behind them. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    let at = offset;
    while (this.sendable) {
      const frame = this.#ready[0]!;
      if (at + controlLength(frame.number, frame.type, frame.bytes.length) > limit) break;
      at = writeControl(into, at, frame.number, frame.type, frame.bytes);
      contents.carry(FrameType.control, frame, 0, frame.bytes.length);
      this.#ready.shift();
    }
    return at;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    this.#unacknowledged.length = 0;
    this.#ready.length = 0;
  }

  #finish(frame: ControlFrame): void {
    frame.finished = true;
    this.#unacknowledged.splice(this.#unacknowledged.indexOf(frame), 1);
    const ready = this.#ready.indexOf(frame);
    if (ready >= 0) this.#ready.splice(ready, 1);
  }
}
