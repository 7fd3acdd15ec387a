import {
  after,
  DeadlineQueue,
  type Duration,
  type Instant,
  seconds,
  type WallTime,
} from '@coconet/cluster-protocol/core';

/** Somebody came or went. */
export interface PresenceChange {
  readonly networkKey: string;
  readonly nodeId: number;
  readonly online: boolean;
  readonly lastSeen: WallTime;
}

interface Announcement {
  readonly networkKey: string;
  readonly nodeId: number;
  announced: boolean;
  actual: boolean;
  lastSeen: WallTime;
  announcedAt: Instant | undefined;
}

/**
 * A node that is away for less than this was not away: sessions are replaced and NATs rebind without anybody being told.
 * It is also the shortest time between two announcements about one node, so that a flapping one costs its network little.
 */
export const PRESENCE_DEBOUNCE: Duration = seconds(3);

/** What the members of a network believe about who is there, and when it is time to tell them otherwise. */
export class PresenceBoard {
  readonly #nodes = new Map<string, Announcement>();
  readonly #due = new DeadlineQueue<string>();
  readonly #changes: PresenceChange[] = [];

  /** The truth as the NMN's sessions show it. */
  update(now: Instant, wall: WallTime, networkKey: string, nodeId: number, online: boolean): void {
    const key = `${networkKey}/${nodeId}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      if (!online) return;
      node = { networkKey, nodeId, announced: false, actual: false, lastSeen: wall, announcedAt: undefined };
      this.#nodes.set(key, node);
    }
    node.actual = online;
    node.lastSeen = wall;
    if (node.actual === node.announced) {
      this.#due.set(key, undefined);
      return;
    }
    // Coming back is told at once, unless something was told just now; going away only after the debounce.
    const since = node.actual ? (node.announcedAt ?? undefined) : now;
    this.#due.set(key, since === undefined ? now : after(since, PRESENCE_DEBOUNCE));
    this.handleTimeout(now);
  }

  /** Forgets a node that is no member any more. */
  forget(networkKey: string, nodeId: number): void {
    const key = `${networkKey}/${nodeId}`;
    this.#due.set(key, undefined);
    this.#nodes.delete(key);
  }

  /** What was announced about each node of a network that ever came. */
  snapshot(networkKey: string): PresenceChange[] {
    return [...this.#nodes.values()]
      .filter(node => node.networkKey === networkKey)
      .map(({ nodeId, announced: online, lastSeen }) => ({ networkKey, nodeId, online, lastSeen }));
  }

  handleTimeout(now: Instant): void {
    for (let key = this.#due.takeDue(now); key !== undefined; key = this.#due.takeDue(now)) {
      const node = this.#nodes.get(key);
      if (node === undefined || node.actual === node.announced) continue;
      node.announced = node.actual;
      node.announcedAt = now;
      const { networkKey, nodeId, announced, lastSeen } = node;
      this.#changes.push({ networkKey, nodeId, online: announced, lastSeen });
    }
  }

  pollTimeout(): Instant | undefined {
    return this.#due.earliest;
  }

  pollChange(): PresenceChange | undefined {
    return this.#changes.shift();
  }
}
