import type { DropCounters, Instant, LinkId, Transmit } from '@coconet/cluster-protocol/core';
import {
  datagramKind,
  isStun,
  MAX_UNPROVED_DATAGRAM,
  type SocketAddress,
} from '@coconet/cluster-protocol/wire';

import type { RelayService } from './relay/relay-service.js';
import type { StunResponder } from './stun/stun-responder.js';
import { TransmitQueue } from './transmit-queue.js';

/** Datagrams that need no session with this NMN: STUN requests, and packets between two members over the relay. */
export class PlainTraffic {
  readonly #relay: RelayService;
  readonly #stun: StunResponder;
  readonly #drops: DropCounters;
  readonly #outgoing = new TransmitQueue();

  constructor(relay: RelayService, stun: StunResponder, drops: DropCounters) {
    this.#relay = relay;
    this.#stun = stun;
    this.#drops = drops;
  }

  /** Deals with a datagram that is of one of these kinds; false: it is of another kind. */
  handleDatagram(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): boolean {
    if (isStun(bytes)) this.#answerStun(link, remote, bytes);
    else if (datagramKind(bytes) === 'relay') this.#forward(now, link, remote, bytes);
    else return false;
    return true;
  }

  /** The next datagram to send; valid until the one after it is asked for. */
  pollTransmit(): Transmit | undefined {
    return this.#outgoing.shift();
  }

  #answerStun(link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    const response = this.#stun.respond(remote, bytes);
    if (typeof response !== 'string') this.#outgoing.push(link, remote, response);
  }

  #forward(now: Instant, link: LinkId, remote: SocketAddress, bytes: Uint8Array): void {
    if (bytes.length > MAX_UNPROVED_DATAGRAM) {
      this.#drops.count('tooLong');
      return;
    }
    const to = this.#relay.forward(now, link, remote, bytes);
    if (typeof to === 'string') return;
    if (!this.#outgoing.push(to.link, to.address, bytes)) this.#drops.count('queueFull');
  }
}
