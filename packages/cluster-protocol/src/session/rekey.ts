import { after, milliseconds, seconds, type Duration, type Instant } from '../base/index.js';
import type { AeadKey } from '../crypto/provider.js';
import { CloseCode, FrameType } from '../wire/index.js';
import type { PacketContents } from './packet-contents.js';
import type { PacketOpener } from './packet-opener.js';
import type { PacketWriter } from './packet-writer.js';
import { RekeyFrame } from './rekey-frame.js';
import type { RekeyNoise, RekeyOffer } from './rekey-noise.js';
import type { SessionConfig } from './session-options.js';
import type { SessionTrace } from './session-trace.js';

/** Packets under the old keys may come late for so long after the first one under the new keys (RFC 9001, section 6.5). */
const OLD_KEY_PROBE_TIMEOUTS = 3;

/** Old keys are overwritten after this at the latest, however slow the path. */
const MAX_OLD_KEY_LIFE: Duration = seconds(30);

/** The exchange has so many idle time-outs: a cut that the session itself outlives must not end it here. */
const PATIENCE_IDLE_TIMEOUTS = 2;

/** Where the exchange stands. Of each key there are at most two: one in use, and one that comes or goes. */
type RekeyState =
  /** One key for each direction. */
  | { readonly kind: 'settled' }
  /** We made an offer, and use the keys we have. */
  | { readonly kind: 'offered'; readonly offer: RekeyOffer; readonly deadline: Instant }
  /** We answered: we understand the new keys, and use them ourselves once the peer does. */
  | { readonly kind: 'answered'; readonly sendKey: AeadKey; readonly deadline: Instant }
  /** Our offer was answered: we use the new keys, and have not heard the peer under them. */
  | { readonly kind: 'switched'; readonly deadline: Instant }
  /** Both use the new keys: packets under the old ones may still be on their way. */
  | { readonly kind: 'retiring'; readonly until: Instant };

/** What a rekey needs of its session. */
export interface RekeySession {
  /** The probe time-out of the active path. */
  readonly probeTimeout: () => Duration;
  /** Asks the peer for an ack. */
  readonly ping: (now: Instant) => void;
  /** Ends the session. */
  readonly close: (now: Instant, code: number, reason: string) => void;
}

/**
 * Changes the keys of a session while everything in it goes on (docs/spec/03-session.md, section 13): by age and count
 * where application data goes or comes, and on demand. One exchange at a time; the next one waits until the keys before
 * are gone, so that the key phase, one bit, always tells which of two keys a packet needs.
 */
export class Rekey {
  readonly #noise: RekeyNoise;
  readonly #opener: PacketOpener;
  readonly #writer: PacketWriter;
  readonly #session: RekeySession;
  readonly #maxAge: Duration;
  readonly #maxPackets: number;
  readonly #patience: Duration;
  #state: RekeyState = { kind: 'settled' };
  #generation = 0;
  #keyedAt: Instant;
  #wanted = false;
  #frame: RekeyFrame | undefined;
  /** The peer's offer that came while the keys before the present ones were not gone yet. */
  #deferred: { readonly generation: number; readonly message: Uint8Array } | undefined;

  constructor(
    now: Instant,
    noise: RekeyNoise,
    opener: PacketOpener,
    writer: PacketWriter,
    session: RekeySession,
    config: Pick<SessionConfig, 'rekeyAfter' | 'rekeyAfterPackets' | 'idleTimeout'>,
  ) {
    const { rekeyAfter, rekeyAfterPackets, idleTimeout } = config;
    this.#noise = noise;
    this.#opener = opener;
    this.#writer = writer;
    this.#session = session;
    this.#maxAge = rekeyAfter;
    this.#maxPackets = rekeyAfterPackets;
    this.#patience = milliseconds(PATIENCE_IDLE_TIMEOUTS * idleTimeout);
    this.#keyedAt = now;
  }

  /** How often the keys were changed. */
  get generation(): number {
    return this.#generation;
  }

  /** Whether a frame of ours is to be sent now. */
  get sendable(): boolean {
    return this.#frame?.sendable === true;
  }

  /** Whether a frame of ours waits for the peer. */
  get pending(): boolean {
    return this.#frame?.pending === true;
  }

  /** When {@link Rekey.handleTimeout} has something to do. */
  get timeout(): Instant | undefined {
    switch (this.#state.kind) {
      case 'settled':
        return undefined;
      case 'retiring':
        return this.#state.until;
      default:
        return this.#state.deadline;
    }
  }

  /** Changes the keys as soon as possible: now, or when those before the present ones are gone. */
  request(now: Instant): void {
    this.#wanted = true;
    this.traffic(now);
  }

  /** Application data is about to go, or came: keys that are old or worn are changed along with it. */
  traffic(now: Instant): void {
    if (this.#state.kind !== 'settled') return;
    const worn = Math.max(this.#writer.sealed, this.#opener.tried) >= this.#maxPackets;
    if (this.#wanted || worn || now >= this.#keyedAt + this.#maxAge) this.#offer(now);
  }

  /** The peer's offer. `false`: it is old news, or loses against ours. */
  takeOffer(now: Instant, generation: number, message: Uint8Array): boolean {
    if (generation !== this.#generation + 1) return false;
    switch (this.#state.kind) {
      case 'offered':
        if (this.#noise.prevails) return false;
        this.#state.offer.destroy();
        this.#answer(now, generation, message);
        return true;
      case 'settled':
        this.#answer(now, generation, message);
        return true;
      case 'retiring':
        if (this.#deferred !== undefined) return false;
        this.#deferred = { generation, message: message.slice() };
        return true;
      default:
        // Nobody offers before the exchange that is under way has ended for him.
        return false;
    }
  }

  /** The peer's answer. `false`: there is no such offer of ours. */
  takeAnswer(now: Instant, generation: number, message: Uint8Array): boolean {
    const state = this.#state;
    if (state.kind !== 'offered' || generation !== this.#generation + 1) return false;
    const keys = state.offer.finish(message);
    if (keys === undefined) {
      this.#state = { kind: 'settled' };
      this.#session.close(now, CloseCode.protocolViolation, BROKEN);
      return true;
    }
    this.#renew(now, keys.receiveKey, undefined);
    this.#writer.useKey(keys.sendKey);
    this.#state = { kind: 'switched', deadline: after(now, this.#patience) };
    // The peer changes with our first packet, and its ack shows us that it did: neither may have to wait for data.
    this.#session.ping(now);
    return true;
  }

  /** A packet was opened under the new keys, for the first time. */
  heard(now: Instant, trace?: SessionTrace): void {
    trace?.keys('remote', this.#opener.phase);
    if (this.#state.kind === 'answered') this.#writer.useKey(this.#state.sendKey);
    this.#withdraw();
    const late = milliseconds(OLD_KEY_PROBE_TIMEOUTS * this.#session.probeTimeout());
    this.#state = { kind: 'retiring', until: after(now, milliseconds(Math.min(late, MAX_OLD_KEY_LIFE))) };
  }

  /** Time passed; calling early does nothing. */
  handleTimeout(now: Instant): void {
    const { timeout } = this;
    if (timeout === undefined || now < timeout) return;
    if (this.#state.kind !== 'retiring') {
      this.#session.close(now, CloseCode.keysExhausted, SILENT);
      return;
    }
    this.#opener.retire();
    this.#state = { kind: 'settled' };
    const deferred = this.#deferred;
    this.#deferred = undefined;
    if (deferred !== undefined) this.takeOffer(now, deferred.generation, deferred.message);
    else if (this.#wanted) this.#offer(now);
  }

  /** Writes our offer or answer if it is due and fits before `limit`; returns the offset behind it. */
  write(into: Uint8Array, offset: number, limit: number, contents: PacketContents): number {
    return this.#frame?.write(into, offset, limit, contents) ?? offset;
  }

  /** Overwrites what would make further keys: the session has ended. */
  destroy(): void {
    if (this.#state.kind === 'offered') this.#state.offer.destroy();
    if (this.#state.kind === 'answered') this.#state.sendKey.destroy();
    this.#state = { kind: 'settled' };
    this.#withdraw();
    this.#noise.destroy();
  }

  #offer(now: Instant): void {
    const generation = this.#generation + 1;
    const offer = this.#noise.offer(generation);
    this.#frame = new RekeyFrame(FrameType.rekeyOffer, generation, offer.message);
    this.#state = { kind: 'offered', offer, deadline: after(now, this.#patience) };
  }

  #answer(now: Instant, generation: number, message: Uint8Array): void {
    this.#withdraw();
    this.#state = { kind: 'settled' };
    const answer = this.#noise.answer(generation, message);
    if (answer === undefined) {
      this.#session.close(now, CloseCode.protocolViolation, BROKEN);
      return;
    }
    this.#renew(
      now,
      answer.keys.receiveKey,
      new RekeyFrame(FrameType.rekeyAnswer, generation, answer.message),
    );
    this.#state = {
      kind: 'answered',
      sendKey: answer.keys.sendKey,
      deadline: after(now, this.#patience),
    };
  }

  #renew(now: Instant, receiveKey: AeadKey, frame: RekeyFrame | undefined): void {
    this.#withdraw();
    this.#frame = frame;
    this.#generation++;
    this.#wanted = false;
    this.#keyedAt = now;
    this.#opener.install(receiveKey);
  }

  #withdraw(): void {
    this.#frame?.withdraw();
    this.#frame = undefined;
  }
}

const BROKEN = 'a rekey message does not fit the keys of this session';
const SILENT = 'the peer does not change the keys of this session';
