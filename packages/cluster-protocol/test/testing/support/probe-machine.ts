import { after } from '../../../src/base/index.js';
import type { Duration, Instant } from '../../../src/base/index.js';
import type { Link, LinkId, Machine, SendError, Transmit } from '../../../src/interface/machine.js';
import type { SocketAddress } from '../../../src/wire/index.js';

/** What a {@link ProbeMachine} tells: a line for each thing that happened. */
export interface ProbeEvent {
  readonly kind: 'received' | 'sendFailed' | 'timeout';
  readonly at: Instant;
  readonly remote?: SocketAddress;
  readonly bytes?: Uint8Array;
  readonly error?: SendError;
}

/** Sends what it is told to, remembers what it hears, and answers when it is an echo. */
export class ProbeMachine implements Machine<ProbeEvent> {
  readonly received: { readonly from: string; readonly bytes: Uint8Array; readonly at: Instant }[] = [];
  readonly failures: SendError[] = [];
  readonly wakes: Instant[] = [];
  links: readonly Link[] = [];
  due: Instant | undefined;
  /** Sends every datagram back. */
  echo = false;
  /** While set, `beat` is sent this often to `beatTo`. */
  every: Duration | undefined;
  beatTo: SocketAddress | undefined;
  #beats = 0;
  readonly #out: Transmit[] = [];
  readonly #events: ProbeEvent[] = [];

  send(
    remote: SocketAddress,
    bytes: Uint8Array = Uint8Array.of(1),
    link: LinkId = remote.family === 4 ? 1 : 2,
  ): void {
    this.#out.push({ link, remote, bytes });
  }

  /** The addresses that datagrams came from, in order. */
  get sources(): readonly string[] {
    return this.received.map(({ from }) => from);
  }

  handleDatagram(at: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    const copy = bytes.slice();
    bytes.fill(0);
    this.received.push({ from: remote.key, bytes: copy, at });
    this.#events.push({ kind: 'received', at, remote, bytes: copy });
    if (this.echo) this.send(remote, copy, link);
  }

  handleSendError(at: Instant, _link: LinkId, remote: SocketAddress, error: SendError): void {
    this.failures.push(error);
    this.#events.push({ kind: 'sendFailed', at, remote, error });
  }

  handleLinks(_now: Instant, links: readonly Link[]): void {
    this.links = links;
  }

  handleTimeout(now: Instant): void {
    if (this.due === undefined || now < this.due) return;
    this.wakes.push(now);
    this.due = this.every === undefined ? undefined : after(now, this.every);
    if (this.beatTo !== undefined)
      this.send(this.beatTo, Uint8Array.of(this.#beats >> 8, this.#beats++ & 255));
    this.#events.push({ kind: 'timeout', at: now });
  }

  pollTransmit(): Transmit | undefined {
    return this.#out.shift();
  }

  pollEvent(): ProbeEvent | undefined {
    return this.#events.shift();
  }

  pollTimeout(): Instant | undefined {
    return this.due;
  }
}
