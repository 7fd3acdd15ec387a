import { type DropCounters, type Duration, type Instant, seconds } from '../base/index.js';
import {
  decodeManagement,
  encodeManagement,
  type ManagementContent,
  type Peer,
  SERVICES,
  type SendOptions,
  type SessionPeer,
} from '../network/index.js';
import type { MemberMind } from './member-mind.js';

/** A message of the state exchange is worth little later: the next session begins with a newer one. */
const WORTH: Duration = seconds(10);

/** What the exchange needs of its node. */
export interface ExchangeWorld {
  readonly mind: MemberMind;
  readonly drops: DropCounters;
  readonly peers: () => Iterable<Peer>;
  readonly nmnConnected: () => boolean;
  readonly send: (
    now: Instant,
    nodeId: number,
    service: number,
    bytes: Uint8Array,
    options: SendOptions,
  ) => void;
  readonly request: (now: Instant, content: ManagementContent) => void;
  readonly expel: (now: Instant, nodeId: number) => void;
}

/** Keeps the network's state in step with the NMN and from peer to peer (docs/spec/05-network.md, "Synchronisation"). */
export class StateExchange {
  readonly #world: ExchangeWorld;

  constructor(world: ExchangeWorld) {
    this.#world = world;
  }

  /** A session is there: both say how far their state is; the NMN is asked for what only it has. */
  opened(now: Instant, who: SessionPeer): void {
    for (const bytes of this.#world.mind.sessionOpened(now, who)) this.#send(now, who.nodeId, bytes);
    // Who lacks a secret that we have gets it from us: our state, revocations included, has judged its certificate.
    const { secrets } = this.#world.mind;
    if (who.kind === 'catchUp' && secrets.current && secrets.epoch > (who.said?.epoch ?? 0))
      this.#world.send(
        now,
        who.nodeId,
        SERVICES.management,
        encodeManagement({ type: 'secretIs', requestId: 0, ...secrets.current }),
        { expiresIn: WORTH },
      );
    if (who.kind !== 'nmn') return;
    this.#askSecret(now);
    if (this.#world.mind.renewalDue(now)) this.#world.request(now, { type: 'renew' });
  }

  /** A message of service networkState came from a peer. */
  receive(now: Instant, from: number, bytes: Uint8Array): void {
    const { mind, drops } = this.#world;
    const { news, output } = mind.receive(now, from, bytes);
    if (news.refused) drops.count(news.refused);
    for (const message of news.send) this.#send(now, from, message);
    for (const nodeId of news.revoked) this.#world.expel(now, nodeId);
    // Revocations travel from peer to peer: whoever is connected and may not know yet is told at once.
    if (news.changed)
      for (const peer of [...this.#world.peers()])
        if (peer.session !== undefined && peer.nodeId !== from)
          for (const message of mind.announce(peer.nodeId, output.applied))
            this.#send(now, peer.nodeId, message);
    this.#askSecret(now);
  }

  /** A management message from a peer that is not the NMN: only a newer secret, in a session for catching up. */
  caughtUp(now: Instant, who: SessionPeer, bytes: Uint8Array): boolean {
    const decoded = decodeManagement(bytes);
    if (who.kind !== 'catchUp' || !decoded.ok || decoded.value.type !== 'secretIs') {
      this.#world.drops.count(decoded.ok ? 'notPermitted' : decoded.reason);
      return false;
    }
    this.#world.mind.learnAnswer(now, decoded.value);
    return true;
  }

  #askSecret(now: Instant): void {
    if (this.#world.mind.secretIsOld && this.#world.nmnConnected())
      this.#world.request(now, { type: 'secret' });
  }

  #send(now: Instant, nodeId: number, bytes: Uint8Array): void {
    if (this.#world.mind.certificateOf(nodeId))
      this.#world.send(now, nodeId, SERVICES.networkState, bytes, { expiresIn: WORTH });
  }
}
