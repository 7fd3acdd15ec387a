import type { Instant } from '../../../src/base/index.js';
import type { Link, LinkId, Machine, SendError, Transmit } from '../../../src/interface/machine.js';
import type { SocketAddress } from '../../../src/wire/index.js';

/** What a {@link ScriptedMachine} tells. */
export type ScriptedEvent =
  | {
      readonly kind: 'received';
      readonly link: LinkId;
      readonly remote: SocketAddress;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'sendFailed'; readonly remote: SocketAddress; readonly error: SendError }
  | { readonly kind: 'timeout'; readonly now: Instant };

/** The simplest honest machine: reports what it hears, sends what it is given, and echoes when asked to. */
export class ScriptedMachine implements Machine<ScriptedEvent> {
  readonly echo: boolean;
  links: readonly Link[] = [];
  due: Instant | undefined;
  polls = 0;
  readonly #out: Transmit[] = [];
  readonly #events: ScriptedEvent[] = [];
  readonly #reused = new Uint8Array(65_536);

  constructor(options: { echo?: boolean } = {}) {
    this.echo = options.echo ?? false;
  }

  send(link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    this.#out.push({ link, remote, bytes });
  }

  handleDatagram(_now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    const copy = Uint8Array.from(bytes);
    bytes.fill(0); // A machine may decrypt in place.
    if (this.echo) this.send(link, remote, copy);
    this.#events.push({ kind: 'received', link, remote, bytes: copy });
  }

  handleSendError(_now: Instant, _link: LinkId, remote: SocketAddress, error: SendError): void {
    this.#events.push({ kind: 'sendFailed', remote, error });
  }

  handleLinks(_now: Instant, links: readonly Link[]): void {
    this.links = links;
  }

  handleTimeout(now: Instant): void {
    if (this.due === undefined || now < this.due) return;
    this.due = undefined;
    this.#events.push({ kind: 'timeout', now });
  }

  pollTransmit(): Transmit | undefined {
    this.polls++;
    const next = this.#out.shift();
    if (next === undefined) return undefined;
    // The next call overwrites what this one gave away, as real machines do.
    this.#reused.fill(0xee);
    if (next.bytes.length > this.#reused.length) return next;
    this.#reused.set(next.bytes);
    return { ...next, bytes: this.#reused.subarray(0, next.bytes.length) };
  }

  pollEvent(): ScriptedEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.due;
  }
}

/** Collects events and lets a test wait for one. */
export class EventLog<Event> {
  readonly events: Event[] = [];
  readonly #waiting: { matches: (event: Event) => boolean; resolve: (event: Event) => void }[] = [];

  readonly listener = (event: Event): void => {
    this.events.push(event);
    for (const waiter of this.#waiting.filter(({ matches }) => matches(event))) waiter.resolve(event);
  };

  /** The first event, past or to come, that `matches`. */
  async first(matches: (event: Event) => boolean): Promise<Event> {
    const known = this.events.find(matches);
    if (known !== undefined) return known;
    return new Promise(resolve => this.#waiting.push({ matches, resolve }));
  }

  /** Resolves once `count` events match. */
  async count(count: number, matches: (event: Event) => boolean): Promise<void> {
    await this.first(() => this.events.filter(matches).length >= count);
  }
}
