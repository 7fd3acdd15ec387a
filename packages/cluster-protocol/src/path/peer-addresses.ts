import type { SocketAddress } from '../wire/index.js';
import { type Candidate, type CandidateList, MAX_CANDIDATES, type TargetKind } from './candidate.js';
import { type ConsentFacts, type ConsentVerdict, judgeConsent, linkTowards } from './consent.js';

import { classOf, type PathClass, rankOf } from './path-score.js';

/** Addresses of a peer that the NMN saw: one per family and one to spare while it roams. */
export const MAX_OBSERVED = 4;

/** Addresses remembered for the next start: as many as one handshake may try. */
export const MAX_REMEMBERED = 8;

/** Remembered addresses that are probed before the ones that the peer names itself: the newest of each family. */
const REMEMBERED_FIRST = 2;

/** An address of the peer that may be probed. */
export interface Target {
  readonly address: SocketAddress;
  readonly kind: TargetKind;
  readonly link: number;
  readonly pathClass: PathClass;
  readonly vouched: boolean;
}

/** An address of the peer that must not be probed. */
export interface RefusedTarget {
  readonly address: SocketAddress;
  readonly kind: TargetKind;
  readonly because: string;
}

/** All addresses of a peer that this node was told or found out. Each source replaces its own and is bounded by itself. */
export class PeerAddresses {
  #named: readonly Candidate[] | undefined;
  #generation = -1;
  #observed: readonly SocketAddress[] = [];
  #remembered: readonly SocketAddress[] = [];

  /** Whether the peer has told its addresses in this session. */
  get told(): boolean {
    return this.#named !== undefined && this.#generation >= 0;
  }

  get observed(): readonly SocketAddress[] {
    return this.#observed;
  }

  /** Where a challenge was answered, the newest first. */
  get remembered(): readonly SocketAddress[] {
    return this.#remembered;
  }

  /** A new session counts its lists from the beginning; what the peer named before holds until it names others. */
  restartGenerations(): void {
    this.#generation = -1;
  }

  /** Takes a list of the peer; `false` when it is older than the one that is here. */
  name(list: CandidateList): boolean {
    if (list.generation <= this.#generation) return false;
    this.#generation = list.generation;
    this.#named = list.candidates.slice(0, MAX_CANDIDATES);
    return true;
  }

  observe(addresses: readonly SocketAddress[]): void {
    this.#observed = addresses.slice(0, MAX_OBSERVED);
  }

  remember(addresses: readonly SocketAddress[]): void {
    const all = [...addresses, ...this.#remembered];
    const keys = new Set<string>();
    this.#remembered = all.filter(({ key }) => !keys.has(key) && keys.add(key)).slice(0, MAX_REMEMBERED);
  }

  /** Judges every address; at most {@link MAX_CANDIDATES} targets, the best class first. */
  judge(facts: ConsentFacts): {
    readonly targets: readonly Target[];
    readonly refused: readonly RefusedTarget[];
  } {
    const targets = new Map<string, Target>();
    const refused = new Map<string, RefusedTarget>();
    for (const { address, kind, verdict } of this.#inOrder(facts)) {
      if (targets.has(address.key)) continue;
      const link = linkTowards(address, facts.links);
      if (!verdict.allowed) refused.set(address.key, { address, kind, because: verdict.because });
      else if (targets.size < MAX_CANDIDATES && link !== undefined) {
        const pathClass = classOf(address, facts.links);
        targets.set(address.key, { address, kind, link: link.link, pathClass, vouched: verdict.vouched });
        refused.delete(address.key);
      }
    }
    const byClass = [...targets.values()].sort((a, b) => rankOf(a.pathClass) - rankOf(b.pathClass));
    return { targets: byClass, refused: [...refused.values()] };
  }

  #inOrder(facts: ConsentFacts): { address: SocketAddress; kind: TargetKind; verdict: ConsentVerdict }[] {
    const remembered = this.#remembered.map(address => ({
      address,
      kind: 'remembered' as const,
      verdict: judgeConsent(address, 'proved', facts),
    }));
    return [
      ...this.#observed.map(address => ({
        address,
        kind: 'observed' as const,
        verdict: judgeConsent(address, 'observed', facts),
      })),
      ...remembered.slice(0, REMEMBERED_FIRST),
      ...(this.#named ?? []).map(({ address, kind }) => ({
        address,
        kind,
        verdict: judgeConsent(address, 'peer', facts),
      })),
      ...remembered.slice(REMEMBERED_FIRST),
    ];
  }
}
