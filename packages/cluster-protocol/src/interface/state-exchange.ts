import { type DropCounters, type Duration, type Instant, seconds } from '../base/index.js';
import {
  decodeManagement,
  encodeManagement,
  type ManagementContent,
  type NetworkSecret,
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
  /** Secrets that peers offer, the newest of each, until the state says that there is such an epoch. */
  readonly #offers = new Map<number, NetworkSecret>();

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
    // In every session: what a peer gave us for the secret is its word alone until the NMN has confirmed it.
    if (this.#world.mind.nmnNodeId !== undefined) this.#world.request(now, { type: 'secret' });
    if (this.#world.mind.renewalDue(now)) this.#world.request(now, { type: 'renew' });
  }

  /** A message of service networkState came from a peer. True: with it, both have the same secret at last. */
  receive(now: Instant, from: number, bytes: Uint8Array): boolean {
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
    return this.#takeOffer(from);
  }

  /** A management message from a peer that is not the NMN: only a newer secret, in a session for catching up. */
  caughtUp(who: SessionPeer, bytes: Uint8Array): boolean {
    const decoded = decodeManagement(bytes);
    if (who.kind !== 'catchUp' || !decoded.ok || decoded.value.type !== 'secretIs') {
      this.#world.drops.count(decoded.ok ? 'notPermitted' : decoded.reason);
      return false;
    }
    const { epoch, secret } = decoded.value;
    this.#offers.set(who.nodeId, { epoch, secret });
    return this.#takeOffer(who.nodeId);
  }

  // Which epoch there is, the authority signs: a member may offer what it likes, and nothing above that counts.
  #takeOffer(from: number): boolean {
    const offer = this.#offers.get(from);
    if (!offer || offer.epoch > this.#world.mind.currentEpoch) return false;
    this.#offers.delete(from);
    this.#world.mind.learnSecret(offer.epoch, offer.secret);
    return true;
  }

  /** An answer of the NMN; `undefined`: it was malformed, and is counted. */
  answered(
    now: Instant,
    bytes: Uint8Array,
  ): { readonly requestId: number; readonly content: ManagementContent } | undefined {
    const decoded = decodeManagement(bytes);
    if (!decoded.ok) {
      this.#world.drops.count(decoded.reason);
      return undefined;
    }
    const { requestId, ...content } = decoded.value;
    this.#world.mind.learnAnswer(now, content);
    return { requestId, content };
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
