import { readFileSync } from 'node:fs';

import { elapsed, type Instant, milliseconds } from '../base/index.js';
import type { LinkId } from '../interface/machine.js';
import { addressScope, MAX_DATAGRAM, type SocketAddress } from '../wire/index.js';

/** How often the system is asked whether it cuts what it took whole before: asking takes 0.1 ms. */
const EVERY = milliseconds(50);

/** Hosts and paths that are remembered between two looks. What does not fit is looked at by itself, each time. */
const MAX_REMEMBERED = 1_024;

/** How many fragments this machine has made of what it sent; `undefined`: it does not say. */
export type FragmentCounter = (family: 4 | 6) => number | undefined;

/** Where a datagram went. */
export interface Sent {
  readonly link: LinkId;
  readonly remote: SocketAddress;
}

/**
 * Finds out when the operating system cuts our datagrams into fragments. Node cannot forbid it, and Linux does it without
 * a word to whoever sends, once it has heard by ICMP of a narrow path: its counters are what tells. They are those of the
 * whole network namespace, so that somebody else's fragments may cost us the larger packets, and never the other way round.
 */
export class FragmentWatch {
  readonly #count: FragmentCounter;
  /** By host: the largest datagram that left in one piece. */
  readonly #whole = new Map<string, number>();
  /** Where large datagrams went since the last look, with the link. */
  readonly #recent = new Map<SocketAddress, LinkId>();
  readonly #counted: Record<4 | 6, number> = { 4: 0, 6: 0 };
  /** Whether the system says anything; `undefined`: it was not asked yet. */
  #isTold: boolean | undefined;
  #lookedAt: Instant | undefined;
  /** What was counted before the datagram that is being sent; `undefined`: one like it went there whole. */
  #before: number | undefined;
  #latest: SocketAddress | undefined;
  #isLatestLocal = false;

  constructor(count: FragmentCounter = systemFragments) {
    this.#count = count;
  }

  /** A datagram is about to be sent. False: it needs no watching, and {@link FragmentWatch.sent} no call. */
  sends(remote: SocketAddress, length: number): boolean {
    if (length <= MAX_DATAGRAM || this.#isTold === false) return false;
    if (remote !== this.#latest) {
      this.#latest = remote;
      this.#isLatestLocal = addressScope(remote) === 'loopback';
    }
    if (this.#isLatestLocal) return false;
    const isNews = length > (this.#whole.get(remote.host) ?? 0) || this.#recent.size >= MAX_REMEMBERED;
    this.#before = isNews ? this.#count(remote.family) : undefined;
    this.#isTold ??= this.#before !== undefined;
    return this.#isTold;
  }

  /** It was sent. True: it left in pieces. */
  sent(remote: SocketAddress, link: LinkId, length: number): boolean {
    if (this.#before !== undefined) {
      if ((this.#count(remote.family) ?? 0) > this.#before) return true;
      if (this.#whole.size >= MAX_REMEMBERED) this.#whole.clear();
      this.#whole.set(remote.host, Math.max(length, this.#whole.get(remote.host) ?? 0));
    }
    if (this.#recent.size < MAX_REMEMBERED) this.#recent.set(remote, link);
    return false;
  }

  /** Looks again if it is time: everywhere that something large went to, if the system has cut anything meanwhile. */
  look(now: Instant): readonly Sent[] {
    if (this.#recent.size === 0) return NOTHING;
    if (this.#lookedAt !== undefined && elapsed(this.#lookedAt, now) < EVERY) return NOTHING;
    const isFirst = this.#lookedAt === undefined;
    this.#lookedAt = now;
    const cut = FAMILIES.filter(family => {
      const count = this.#count(family) ?? 0;
      const rose = count > this.#counted[family];
      this.#counted[family] = count;
      return rose && !isFirst;
    });
    if (cut.length === 0) {
      this.#recent.clear();
      return NOTHING;
    }
    const affected = [...this.#recent].filter(([{ family }]) => cut.includes(family));
    this.#recent.clear();
    for (const [{ host }] of affected) this.#whole.delete(host);
    return affected.map(([remote, link]) => ({ link, remote }));
  }
}

const FAMILIES = [4, 6] as const;

const NOTHING: readonly Sent[] = [];

/** The counters of Linux (RFC 4293, ipSystemStatsOutFragCreates); other systems do not say. */
export function systemFragments(family: 4 | 6): number | undefined {
  try {
    return family === 4
      ? fieldOf(readFileSync('/proc/net/snmp', 'latin1'))
      : Number(/^Ip6FragCreates\s+(\d+)/m.exec(readFileSync('/proc/net/snmp6', 'latin1'))?.[1] ?? 0);
  } catch {
    return undefined;
  }
}

/** Two lines begin with `Ip:`, one with names and one with values. */
function fieldOf(text: string): number | undefined {
  const [names = [], values = []] = text
    .split('\n')
    .filter(line => line.startsWith('Ip: '))
    .map(line => line.split(' '));
  const value = values[names.indexOf('FragCreates')];
  return value === undefined ? undefined : Number(value);
}
