import {
  FrameType,
  MAX_MESSAGE_CONTROL,
  writeMessageAbandon,
  writeMessageGrant,
  writeMessageRepeat,
} from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';

/** Who wants to know that frames about messages arrived. May be told more than once. */
export interface MessageNotices {
  /** The sender knows that it has to begin a message again. */
  repeatArrived(message: IncomingMessage): void;
  /** The receiver has forgotten a message that we gave up. */
  abandonArrived(message: AbandonedMessage): void;
}

/** A message of the peer's of which a part came; another attempt at the same message is another one. */
export interface IncomingMessage {
  readonly sequence: number;
  /** Whether it may be sent whole: else a lost grant need not be repeated. */
  readonly mayGrow: boolean;
}

/** A message that was given up. */
export interface AbandonedMessage {
  readonly sequence: number;
  /** The lowest sequence that may still be sent, at most its own. */
  readonly floor: number;
}

/** Messages of which a frame is to be written. */
interface DueFrames {
  readonly grants: Set<IncomingMessage>;
  readonly repeats: Set<IncomingMessage>;
  readonly abandons: Set<AbandonedMessage>;
}

/**
 * What the two ends of a message tell each other besides its bytes, repeated until acknowledged. At most one of each kind
 * waits for each of the messages under way, whose number is bounded.
 */
export class MessageControl {
  readonly #notices: MessageNotices;
  /** Made with the first that is to be told: most sessions never have one. */
  #due: DueFrames | undefined;

  constructor(notices: MessageNotices) {
    this.#notices = notices;
  }

  /** Whether anything waits to be written. */
  get due(): boolean {
    const due = this.#due;
    return due !== undefined && due.grants.size + due.repeats.size + due.abandons.size > 0;
  }

  /** A message of the peer may be sent whole. */
  grant(message: IncomingMessage): void {
    this.#frames.grants.add(message);
  }

  /** A message of the peer is to be sent again from its beginning. */
  repeat(message: IncomingMessage): void {
    const { grants, repeats } = this.#frames;
    grants.delete(message);
    repeats.add(message);
  }

  /** A message of ours is not sent any more. */
  abandon(message: AbandonedMessage): void {
    this.#frames.abandons.add(message);
  }

  /** Writes as many as fit before `limit`; returns the offset behind them. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    if (!this.due) return offset;
    const { grants, repeats, abandons } = this.#frames;
    let at = offset;
    for (const message of abandons) {
      if (limit - at < MAX_MESSAGE_CONTROL) return at;
      abandons.delete(message);
      at = writeMessageAbandon(into, at, message.sequence, message.floor);
      this.#carry(contents, FrameType.messageAbandon, abandons, message, () => {
        this.#notices.abandonArrived(message);
      });
    }
    for (const message of repeats) {
      if (limit - at < MAX_MESSAGE_CONTROL) return at;
      repeats.delete(message);
      at = writeMessageRepeat(into, at, message.sequence);
      this.#carry(contents, FrameType.messageRepeat, repeats, message, () => {
        this.#notices.repeatArrived(message);
      });
    }
    for (const message of grants) {
      if (limit - at < MAX_MESSAGE_CONTROL) return at;
      grants.delete(message);
      if (!message.mayGrow) continue;
      at = writeMessageGrant(into, at, message.sequence);
      this.#carry(contents, FrameType.messageGrant, grants, message, () => undefined);
    }
    return at;
  }

  /** Forgets everything: the session is closed. */
  clear(): void {
    this.#due = undefined;
  }

  get #frames(): DueFrames {
    return (this.#due ??= { grants: new Set(), repeats: new Set(), abandons: new Set() });
  }

  #carry<T>(contents: PacketContents, type: number, due: Set<T>, what: T, acknowledged: () => void): void {
    // A packet that counted as lost and arrived after all must not tell the same again.
    let known = false;
    const carrier = {
      acknowledged: (): void => {
        known = true;
        due.delete(what);
        acknowledged();
      },
      lost: (): void => {
        if (!known) due.add(what);
      },
    };
    contents.carry(type, carrier, 0, 0);
  }
}
