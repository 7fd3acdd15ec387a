import {
  FrameType,
  MAX_STREAM_CONTROL,
  writeSessionCredit,
  writeStreamCredit,
  writeStreamReset,
  writeStreamStop,
} from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import type { FrameCarrier } from './sent-frame.js';

/** What the frames about streams say at the time of writing: the newest, whatever an earlier one said. */
export interface StreamNotices {
  /** How far the peer may send a stream; `undefined` when that is of no use any more. */
  streamCredit(id: number): number | undefined;
  sessionCredit(): { readonly credit: number; readonly streams: number; readonly oneWayStreams: number };
  /** Why and where our half ended; `undefined` when the peer knows. */
  reset(id: number): { readonly code: number; readonly finalSize: number } | undefined;
  /** The peer knows of the reset. */
  resetArrived(id: number): void;
}

/**
 * Credits, resets and stops that wait to be written. A lost one is written again with what is true then. At most one of
 * each kind waits for each stream.
 */
export class StreamControl {
  readonly #notices: StreamNotices;
  readonly #credits = new Set<number>();
  readonly #resets = new Set<number>();
  /** Streams and why they are to be stopped. */
  readonly #stops = new Map<number, number>();
  #sessionDue = false;
  readonly #session: FrameCarrier;

  constructor(notices: StreamNotices) {
    this.#notices = notices;
    this.#session = {
      acknowledged: () => undefined,
      lost: () => {
        this.#sessionDue = true;
      },
    };
  }

  /** Whether anything waits. */
  get due(): boolean {
    return this.#sessionDue || this.#credits.size > 0 || this.#resets.size > 0 || this.#stops.size > 0;
  }

  streamCredit(id: number): void {
    this.#credits.add(id);
  }

  sessionCredit(): void {
    this.#sessionDue = true;
  }

  reset(id: number): void {
    this.#resets.add(id);
  }

  stop(id: number, code: number): void {
    this.#stops.set(id, code);
  }

  /** Writes as many as fit before `limit`; returns the offset behind them. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    if (!this.due) return offset;
    let at = offset;
    if (this.#sessionDue && limit - at >= MAX_STREAM_CONTROL) {
      const { credit, streams, oneWayStreams } = this.#notices.sessionCredit();
      at = writeSessionCredit(into, at, credit, streams, oneWayStreams);
      contents.carry(FrameType.sessionCredit, this.#session, 0, 0);
      this.#sessionDue = false;
    }
    for (const id of this.#credits) {
      if (limit - at < MAX_STREAM_CONTROL) return at;
      this.#credits.delete(id);
      const credit = this.#notices.streamCredit(id);
      if (credit === undefined) continue;
      at = writeStreamCredit(into, at, id, credit);
      contents.carry(FrameType.streamCredit, this.#carrier(this.#credits, id), 0, 0);
    }
    for (const id of this.#resets) {
      if (limit - at < MAX_STREAM_CONTROL) return at;
      this.#resets.delete(id);
      const reset = this.#notices.reset(id);
      if (reset === undefined) continue;
      at = writeStreamReset(into, at, id, reset.code, reset.finalSize);
      contents.carry(FrameType.streamReset, this.#carrier(this.#resets, id), 0, 0);
    }
    for (const [id, code] of this.#stops) {
      if (limit - at < MAX_STREAM_CONTROL) return at;
      this.#stops.delete(id);
      at = writeStreamStop(into, at, id, code);
      contents.carry(FrameType.streamStop, this.#stopCarrier(id, code), 0, 0);
    }
    return at;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    this.#credits.clear();
    this.#resets.clear();
    this.#stops.clear();
    this.#sessionDue = false;
  }

  #carrier(due: Set<number>, id: number): FrameCarrier {
    return {
      acknowledged: () => {
        if (due === this.#resets) this.#notices.resetArrived(id);
      },
      lost: () => {
        due.add(id);
      },
    };
  }

  #stopCarrier(id: number, code: number): FrameCarrier {
    return {
      acknowledged: () => undefined,
      lost: () => {
        this.#stops.set(id, code);
      },
    };
  }
}
