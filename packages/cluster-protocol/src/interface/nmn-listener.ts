import type { Duration, Instant } from '../base/index.js';
import type { Peer } from '../network/index.js';
import type { Path } from '../session/index.js';
import type { SocketAddress } from '../wire/index.js';
import type { ClusterEvent } from './events.js';

/** What the link to the NMN tells its node. */
export interface NmnListener {
  granted(now: Instant, peer: number, path: Path, observed: readonly SocketAddress[]): void;
  relayGone(now: Instant, peer: number, path: Path): void;
  /** The relay dropped `bytes` of what we sent to the peer, because all we send through it exceeds its rate. */
  shaped(now: Instant, peer: number, bytes: number, bytesPerSecond: number): void;
  refused(now: Instant, peer: number, reason: string): void;
  punch(now: Instant, peer: number, startIn: Duration, observed: readonly SocketAddress[]): void;
  reflexive(now: Instant, addresses: readonly SocketAddress[]): void;
  presence(now: Instant, peer: number, online: boolean, lastSeen: number): void;
  state(now: Instant, state: 'connected' | 'away', text: string): void;
  /** The NMN says that we are no member any more. */
  expelled(now: Instant): void;
}

/** What of its node the listener acts upon. */
export interface ListenerWorld {
  readonly peers: ReadonlyMap<number, Peer>;
  /** The peer of this id, made if it is new; `undefined`: there are too many. */
  readonly peer: (nodeId: number) => Peer | undefined;
  readonly advance: (now: Instant, peer: Peer) => void;
  readonly touch: (peer: Peer) => void;
  readonly addHandshakePath: (now: Instant, peer: Peer, path: Path) => void;
  readonly refused: (peer: Peer, reason: string) => void;
  readonly expelled: (now: Instant) => void;
  readonly encourageAll: (now: Instant) => void;
  readonly emit: (event: ClusterEvent) => void;
}

/** Passes what the NMN tells on to the peers that it is about. */
export function nmnListener(world: ListenerWorld): NmnListener {
  const withPeer = (now: Instant, nodeId: number, act: (peer: Peer) => void): void => {
    const peer = world.peers.get(nodeId);
    if (!peer) return;
    act(peer);
    world.advance(now, peer);
  };
  return {
    granted: (now, nodeId, path, observed) => {
      const peer = world.peer(nodeId);
      if (!peer) return;
      peer.agent.peerObserved(now, observed);
      peer.agent.relayAvailable(now, path);
      world.addHandshakePath(now, peer, path);
      world.advance(now, peer);
    },
    relayGone: (now, nodeId, path) => {
      withPeer(now, nodeId, ({ agent }) => {
        agent.relayGone(now, path);
      });
    },
    shaped: (now, nodeId, bytes, bytesPerSecond) => {
      world.peers.get(nodeId)?.agent.relayShaped(now, bytes, bytesPerSecond);
    },
    refused: (_now, nodeId, reason) => {
      const peer = world.peers.get(nodeId);
      if (peer) world.refused(peer, reason);
    },
    punch: (now, nodeId, startIn, observed) => {
      withPeer(now, nodeId, ({ agent }) => {
        agent.peerObserved(now, observed);
        agent.punch(now, startIn);
      });
    },
    reflexive: (now, addresses) => {
      for (const peer of world.peers.values()) {
        peer.agent.setReflexive(now, addresses);
        world.touch(peer);
      }
    },
    presence: (now, nodeId, online, lastSeen) => {
      world.emit({ kind: 'presence', peer: nodeId, online, lastSeen });
      const known = online ? world.peers.get(nodeId) : undefined;
      if (!known) return;
      known.encourage(now);
      world.touch(known);
    },
    state: (now, state, text) => {
      world.emit({ kind: 'nmn', state, text });
      if (state === 'connected') world.encourageAll(now);
    },
    expelled: now => {
      world.expelled(now);
    },
  };
}
