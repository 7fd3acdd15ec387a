import { after, type Duration, type Instant, milliseconds, seconds } from '../base/index.js';
import type { Path } from '../session/index.js';
import type { Lease } from './rendezvous.js';

/** Leases at once: one per peer that is talked to over the relay. */
const MAX_LEASES = 1_024;
/** A renewal that got no answer is asked for again after this. */
export const RENEWAL_RETRY: Duration = seconds(20);

interface Held {
  readonly peer: number;
  readonly path: Path;
  token: Uint8Array;
  expiresAt: Instant;
  renewAt: Instant;
}

/** What {@link RelayLeases.handleTimeout} asks for. */
export type LeaseAction =
  | { readonly kind: 'renew'; readonly channel: number; readonly token: Uint8Array }
  | { readonly kind: 'expired'; readonly peer: number; readonly path: Path };

/** The relay channels that an NMN granted us, one for each peer (docs/spec/04-path.md, "Relay"). */
export class RelayLeases {
  readonly #byPeer = new Map<number, Held>();

  get(peer: number): Path | undefined {
    return this.#byPeer.get(peer)?.path;
  }

  /** Takes a granted lease in. Returns the path that it replaces, or `'full'`. */
  add(now: Instant, peer: number, path: Path, lease: Lease): Path | 'full' | undefined {
    const before = this.#byPeer.get(peer);
    if (!before && this.#byPeer.size >= MAX_LEASES) return 'full';
    const { expiresAt, renewAt } = span(now, lease);
    this.#byPeer.set(peer, { peer, path, token: lease.token, expiresAt, renewAt });
    return before && before.path.id !== path.id ? before.path : undefined;
  }

  /** Leases held. */
  get size(): number {
    return this.#byPeer.size;
  }

  /** The peer that a channel of ours leads to. */
  peerOf(channel: number): number | undefined {
    return this.#withChannel(channel)?.peer;
  }

  /** The NMN has renewed a lease, or says with a lifetime of 0 that there is none: that one is returned, and gone. */
  renewed(now: Instant, lease: Lease): { readonly peer: number; readonly path: Path } | undefined {
    const held = this.#withChannel(lease.channel);
    if (!held) return undefined;
    if (lease.lifetime === 0) {
      this.#byPeer.delete(held.peer);
      return held;
    }
    Object.assign(held, span(now, lease), { token: lease.token });
    return undefined;
  }

  /** Lets one lease go. */
  remove(peer: number): Path | undefined {
    const held = this.#byPeer.get(peer);
    this.#byPeer.delete(peer);
    return held?.path;
  }

  /** Lets all leases go: the NMN that granted them is gone. */
  clear(): { readonly peer: number; readonly path: Path }[] {
    const all = [...this.#byPeer.values()];
    this.#byPeer.clear();
    return all;
  }

  handleTimeout(now: Instant): LeaseAction[] {
    const actions: LeaseAction[] = [];
    for (const [peer, held] of this.#byPeer) {
      if (held.expiresAt <= now) {
        this.#byPeer.delete(peer);
        actions.push({ kind: 'expired', peer, path: held.path });
      } else if (held.renewAt <= now && held.path.channel !== undefined) {
        held.renewAt = after(now, RENEWAL_RETRY);
        actions.push({ kind: 'renew', channel: held.path.channel, token: held.token });
      }
    }
    return actions;
  }

  pollTimeout(): Instant | undefined {
    let due: Instant | undefined;
    for (const { renewAt, expiresAt } of this.#byPeer.values()) {
      const next = renewAt < expiresAt ? renewAt : expiresAt;
      if (due === undefined || next < due) due = next;
    }
    return due;
  }

  #withChannel(channel: number): Held | undefined {
    for (const held of this.#byPeer.values()) if (held.path.channel === channel) return held;
    return undefined;
  }
}

const span = (now: Instant, lease: Lease): { readonly expiresAt: Instant; readonly renewAt: Instant } => {
  const lifetime: Duration = seconds(lease.lifetime);
  return { expiresAt: after(now, lifetime), renewAt: after(now, milliseconds(lifetime / 2)) };
};
