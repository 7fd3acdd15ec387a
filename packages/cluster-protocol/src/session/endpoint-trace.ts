import type { DropReason, TraceSink, TraceValue } from '../base/index.js';
import { isDataPacket, packetKind, RELAY_HEADER, readUint32, type SocketAddress } from '../wire/index.js';
import type { EndpointPaths, Path } from './endpoint-paths.js';
import { DROP_TRIGGERS, hex32, tracedHeader } from './packet-trace.js';
import { SessionTrace, type SessionName } from './session-trace.js';
import type { PathId } from './session-event.js';

/** Who listens to an endpoint, and what its peers are called. */
export interface EndpointTracing<Peer> {
  readonly sink: TraceSink;
  readonly peerName: (peer: Peer) => string;
}

/**
 * What happens at an endpoint outside its sessions: packets of handshakes, and what was dropped before any session had it.
 * See {@link SessionTrace} for the rest.
 */
export class EndpointTrace<Peer> {
  readonly #tracing: EndpointTracing<Peer>;
  readonly #paths: EndpointPaths;

  constructor(tracing: EndpointTracing<Peer>, paths: EndpointPaths) {
    this.#tracing = tracing;
    this.#paths = paths;
  }

  /** The trace of a new session, whose beginning is told. */
  session(name: Omit<SessionName, 'peer'>, peer: Peer, path: PathId): SessionTrace {
    const { sink, peerName } = this.#tracing;
    return new SessionTrace(sink, { ...name, peer: peerName(peer) }, path, id => {
      const known = this.#paths.get(id);
      return known === undefined ? String(id) : nameOf(known.link, known.remote, known.channel);
    });
  }

  /** A packet goes out that belongs to no session: those of sessions are told by themselves. */
  sent({ link, remote, channel }: Path, packet: Uint8Array): void {
    if (isDataPacket(packet)) return;
    this.#record('quic:packet_sent', packet, nameOf(link, remote, channel), {});
  }

  /** A datagram came; `reason`: why it was dropped, unless a session knows better. */
  received(link: number, remote: SocketAddress, datagram: Uint8Array, reason: DropReason | undefined): void {
    const isRelayed = packetKind(datagram[0] ?? 0) === 'relay' && datagram.length > RELAY_HEADER;
    const channel = isRelayed ? readUint32(datagram, 1) : undefined;
    const packet = isRelayed ? datagram.subarray(RELAY_HEADER) : datagram;
    const path = nameOf(link, remote, channel);
    if (reason !== undefined)
      this.#record('quic:packet_dropped', packet, path, {
        trigger: DROP_TRIGGERS[reason] ?? 'invalid',
        details: { reason },
      });
    else if (!isDataPacket(packet)) this.#record('quic:packet_received', packet, path, {});
  }

  #record(name: string, packet: Uint8Array, path: string, more: Readonly<Record<string, TraceValue>>): void {
    const data = { header: tracedHeader(packet), raw: { length: packet.length }, ...more };
    this.#tracing.sink.record({ name, data, group: undefined, path });
  }
}

const nameOf = (link: number, remote: SocketAddress, channel: number | undefined): string =>
  `${link}:${remote.key}${channel === undefined ? '' : `#${hex32(channel)}`}`;
