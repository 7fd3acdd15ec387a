import { after, seconds, type Duration, type Instant } from '../base/index.js';
import { MAX_MESSAGE, UNGRANTED_MESSAGE } from '../wire/index.js';
import { BLOCK, StreamMemory } from './stream-memory.js';

/** Bytes that half messages may take over all sessions of an endpoint: four of the longest. */
export const MESSAGE_MEMORY: number = 64 * 1_024 * 1_024;

/** How much of it may be granted: a quarter is always left for messages that need no grant. */
export const GRANTED_MEMORY: number = 48 * 1_024 * 1_024;

/** What one session may have granted: a message of the largest size, and one that overtakes it. */
export const SESSION_GRANTS: number = 2 * MAX_MESSAGE;

/** Half a message that made no progress for so long makes room for others: twice the longest time between two probes. */
const STALE: Duration = seconds(2);

/** A grant lasts so long where others wait for one: 16 MiB at 56 KB/s. */
export const GRANT_LIFE: Duration = seconds(300);

/** The first of so many half messages that may go makes room; looking at all of them would be work for an attacker to cause. */
const MAX_LOOKED_AT = 64;

/** Half a message as the memory sees it. */
export interface HeldMessage {
  readonly holder: MessageHolder;
  /** Length of the whole, once it needs a grant. */
  readonly total: number;
  progressAt: Instant;
  grantedAt: Instant | undefined;
  /** Bytes it takes without a grant, and those it was granted. */
  charged: number;
  granted: number;
}

/** The session that half messages belong to. */
export interface MessageHolder {
  /** Bytes that its half messages take without a grant, and those they were granted. */
  charged: number;
  granted: number;
  /** The rest of a message may come. */
  grant(message: HeldMessage): void;
  /** A message has to go. */
  throwAway(message: HeldMessage): void;
}

/**
 * What half messages take over all sessions of one endpoint. Those that need no grant push each other out, the stale ones
 * and those of greedy sessions first; the others wait for their grant in the order they came.
 */
export class MessageMemory {
  /** Where the bytes are. */
  readonly blocks: StreamMemory = new StreamMemory();
  /** Without a grant; the one whose last progress is the oldest comes first. */
  readonly #ungranted = new Set<HeldMessage>();
  readonly #waiting = new Set<HeldMessage>();
  /** In the order they were granted. */
  readonly #granted = new Set<HeldMessage>();
  #chargedBytes = 0;
  #grantedBytes = 0;
  #now: Instant | undefined;

  /** Bytes that are taken, those included that were granted and have not come. */
  get reserved(): number {
    return this.#chargedBytes + this.#grantedBytes;
  }

  /** Half messages. */
  get size(): number {
    return this.#ungranted.size + this.#granted.size;
  }

  /** Makes room for `bytes` more of a session; tells whether there is. Others may have to go, the session's own never. */
  makeRoom(now: Instant, holder: MessageHolder, bytes: number): boolean {
    while (this.reserved + bytes > MESSAGE_MEMORY) {
      const victim = this.#victim(now, holder, bytes);
      if (victim === undefined) return false;
      victim.holder.throwAway(victim);
    }
    return true;
  }

  /** Something new of a message came, which takes `bytes` more. */
  progressed(now: Instant, message: HeldMessage, bytes: number): void {
    const isFirst = message.charged === 0;
    const isLater = now > message.progressAt;
    this.#now = now;
    message.progressAt = now;
    message.charged += bytes;
    message.holder.charged += bytes;
    this.#chargedBytes += bytes;
    if (message.grantedAt !== undefined) return;
    if (isLater) this.#ungranted.delete(message);
    if (isFirst || isLater) this.#ungranted.add(message);
  }

  /** A message needs a grant; it comes as soon as there is room. */
  request(message: HeldMessage): void {
    this.#waiting.add(message);
    this.#serve();
  }

  /** A message is whole or is no more. */
  release(message: HeldMessage): void {
    this.#ungranted.delete(message);
    this.#granted.delete(message);
    this.#waiting.delete(message);
    this.#chargedBytes -= message.charged;
    this.#grantedBytes -= message.granted;
    message.holder.charged -= message.charged;
    message.holder.granted -= message.granted;
    message.charged = message.granted = 0;
    if (this.#waiting.size > 0) this.#serve();
  }

  /** When {@link MessageMemory.takeBack} is to be called, if nothing happens before: others wait for the oldest grant. */
  get overdueAt(): Instant | undefined {
    if (this.#waiting.size === 0) return undefined;
    for (const { grantedAt } of this.#granted)
      if (grantedAt !== undefined) return after(grantedAt, GRANT_LIFE);
    return undefined;
  }

  /** Throws away what holds its grant for too long while others wait. */
  takeBack(now: Instant): void {
    for (const message of this.#granted) {
      if ((this.overdueAt ?? Infinity) > now) return;
      message.holder.throwAway(message);
    }
  }

  #victim(now: Instant, holder: MessageHolder, bytes: number): HeldMessage | undefined {
    let looked = 0;
    for (const message of this.#ungranted) {
      if (++looked > MAX_LOOKED_AT) return undefined;
      if (message.holder === holder) continue;
      const stale = after(message.progressAt, STALE) <= now;
      if (stale || message.holder.charged > holder.charged + bytes) return message;
    }
    return undefined;
  }

  #serve(): void {
    for (const message of this.#waiting) {
      const bytes = Math.ceil((message.total - UNGRANTED_MESSAGE) / BLOCK) * BLOCK;
      if (message.holder.granted + bytes > SESSION_GRANTS) continue;
      // Whoever waits longest is served first, so that small ones never starve a large one.
      if (this.#grantedBytes + bytes > GRANTED_MEMORY || this.reserved + bytes > MESSAGE_MEMORY) return;
      this.#waiting.delete(message);
      this.#ungranted.delete(message);
      this.#granted.add(message);
      message.granted = bytes;
      message.grantedAt = this.#now;
      message.holder.granted += bytes;
      this.#grantedBytes += bytes;
      message.holder.grant(message);
    }
  }
}
