import { ClusterError, decodeText, type DropReason, type Instant, sameBytes } from '../base/index.js';
import { readUint32, WIRE_VERSION } from '../wire/index.js';
import { cookieReceiver } from './cookie.js';
import type {
  ConnectOptions,
  EndpointEvent,
  EndpointOptions,
  HandshakeFailure,
  HandshakeId,
} from './endpoint-types.js';
import { REFUSAL_HEADER, VERSION_REFUSAL_LENGTH } from './handshake-packets.js';
import { OutgoingHandshake } from './outgoing-handshake.js';
import type { EndpointPaths } from './endpoint-paths.js';
import type { PathId } from './session-event.js';

/** Outgoing handshakes at once: more peers than that are reached one after the other. */
const MAX_OUTGOING = 1_024;

/** What the dialler needs of its endpoint. */
export interface DialerWorld<Peer> {
  readonly paths: EndpointPaths;
  readonly freshIndex: () => number;
  readonly resetToken: (index: number) => Uint8Array;
  readonly send: (path: PathId, bytes: Uint8Array) => void;
  readonly emit: (event: EndpointEvent<Peer>) => void;
  readonly schedule: (id: HandshakeId, due: Instant | undefined) => void;
}

/** The outgoing handshakes of an endpoint, up to the moment when a message 2 has been opened. */
export class Dialer<Peer> {
  readonly #options: EndpointOptions<Peer>;
  readonly #world: DialerWorld<Peer>;
  readonly #byId = new Map<HandshakeId, OutgoingHandshake<Peer>>();
  readonly #byIndex = new Map<number, OutgoingHandshake<Peer>>();
  #nextId: HandshakeId = 1;

  constructor(options: EndpointOptions<Peer>, world: DialerWorld<Peer>) {
    this.#options = options;
    this.#world = world;
  }

  /** Handshakes under way. */
  get size(): number {
    return this.#byId.size;
  }

  uses(index: number): boolean {
    return this.#byIndex.has(index);
  }

  withIndex(index: number): OutgoingHandshake<Peer> | undefined {
    return this.#byIndex.get(index);
  }

  to(remoteStatic: Uint8Array): OutgoingHandshake<Peer> | undefined {
    for (const handshake of this.#byId.values())
      if (sameBytes(handshake.options.remoteStatic, remoteStatic)) return handshake;
    return undefined;
  }

  connect(now: Instant, options: ConnectOptions<Peer>): HandshakeId {
    if (this.#byId.size >= MAX_OUTGOING)
      throw new ClusterError('QUEUE_FULL', `${MAX_OUTGOING} handshakes are under way already`);
    const id = this.#nextId++;
    const index = this.#world.freshIndex();
    const token = this.#world.resetToken(index);
    const handshake = new OutgoingHandshake(now, id, index, token, options, this.#options);
    this.#byId.set(id, handshake);
    this.#byIndex.set(index, handshake);
    for (const path of handshake.paths) this.#world.paths.hold(path);
    this.#advance(now, handshake);
    return id;
  }

  addPath(now: Instant, id: HandshakeId, path: PathId): void {
    const handshake = this.#byId.get(id);
    if (!handshake?.addPath(now, path)) return;
    this.#world.paths.hold(path);
    this.#advance(now, handshake);
  }

  handleTimeout(now: Instant, id: HandshakeId): void {
    const handshake = this.#byId.get(id);
    if (handshake) this.#advance(now, handshake);
  }

  receiveRetry(now: Instant, packet: Uint8Array): DropReason | undefined {
    const handshake = packet.length < 8 ? undefined : this.#byIndex.get(readUint32(packet, 4));
    if (!handshake) return 'unknownIndex';
    const before = handshake.localIndex;
    const index = this.#world.freshIndex();
    if (!handshake.handleRetry(now, packet, index, this.#world.resetToken(index))) return 'handshakeFailed';
    this.#byIndex.delete(before);
    this.#byIndex.set(index, handshake);
    this.#advance(now, handshake);
    return undefined;
  }

  /** A loaded peer wants to see that our address is ours: message 1 goes out again at once, on that path alone. */
  receiveCookie(now: Instant, path: PathId, packet: Uint8Array): DropReason | undefined {
    const handshake = this.#byIndex.get(cookieReceiver(packet) ?? -1);
    if (!handshake) return 'unknownIndex';
    const reason = handshake.handleCookie(now, path, packet);
    if (reason === undefined) this.#world.send(path, handshake.datagramFor(now, path));
    return reason;
  }

  receiveRefusal(packet: Uint8Array): DropReason | undefined {
    const handshake = packet.length < REFUSAL_HEADER ? undefined : this.#byIndex.get(readUint32(packet, 4));
    if (!handshake) return 'unknownIndex';
    const refusal = handshake.openRefusal(packet);
    if (!refusal) return 'handshakeFailed';
    this.#fail(handshake, { kind: 'refused', code: refusal.code, text: decodeText(refusal.text) ?? '' });
    return undefined;
  }

  /** Not authenticated: it only explains a time-out, and changes nothing. Whoever speaks our version does not send it. */
  receiveVersionRefusal(packet: Uint8Array): DropReason | undefined {
    if (packet.length !== VERSION_REFUSAL_LENGTH) return 'malformed';
    const handshake = this.#byIndex.get(readUint32(packet, 4));
    if (!handshake) return 'unknownIndex';
    const [highest, lowest] = [packet[1]!, packet[2]!];
    if (lowest > highest) return 'malformed';
    if (lowest <= WIRE_VERSION && WIRE_VERSION <= highest) return 'unexpected';
    handshake.peerVersions = { lowest, highest };
    return undefined;
  }

  forget(handshake: OutgoingHandshake<Peer>): void {
    this.#byId.delete(handshake.id);
    if (this.#byIndex.get(handshake.localIndex) === handshake) this.#byIndex.delete(handshake.localIndex);
    this.#world.schedule(handshake.id, undefined);
    for (const path of handshake.paths) this.#world.paths.release(path);
    handshake.destroy();
  }

  abandon(id: HandshakeId): void {
    const handshake = this.#byId.get(id);
    if (handshake) this.forget(handshake);
  }

  #advance(now: Instant, handshake: OutgoingHandshake<Peer>): void {
    if (now >= handshake.deadline) {
      const { peerVersions } = handshake;
      this.#fail(handshake, { kind: 'timeout', ...(peerVersions && { peerVersions }) });
      return;
    }
    if (handshake.dueToSend(now)) {
      for (const path of handshake.paths) this.#world.send(path, handshake.datagramFor(now, path));
      const { peer, carry } = handshake.options;
      if (carry)
        this.#world.emit({ kind: 'carry', handshake: handshake.id, peer, bytes: handshake.datagram });
      handshake.handleSent(now);
    }
    this.#world.schedule(handshake.id, handshake.timeout);
  }

  #fail(handshake: OutgoingHandshake<Peer>, failure: HandshakeFailure): void {
    const { id, options } = handshake;
    this.forget(handshake);
    this.#world.emit({ kind: 'handshakeFailed', handshake: id, peer: options.peer, failure });
  }
}
