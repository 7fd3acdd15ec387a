import type { SocketAddress } from '@coconet/cluster-protocol/core';

import type { Arena, Inhabitant } from './arena.js';
import type { KeyLog } from './key-log.js';

/** A machine in a state, those around it, and how to see whether all is well. */
export interface Scene {
  readonly arena: Arena;
  readonly keys: KeyLog;
  /** Whose part the fuzzer takes: it has the keys of the sessions with the victim. */
  readonly peer: Inhabitant;
  /** What the peer has sent to the victim so far, the last at the end. */
  readonly before: readonly Uint8Array[];
  /** Where datagrams without keys come from. The first is the peer's address. */
  readonly sources: readonly SocketAddress[];
  /** The program of the victim does something. */
  victimDoes(verb: number, argument: number): void;
  /** The program of the peer does something, honestly. */
  peerDoes(verb: number, argument: number): void;
  /** All that both do in an ordinary session, from its beginning to its end. */
  live(): void;
  /** Whether the victim passes packets of others on without looking into them. */
  readonly relays: boolean;
  /** Drops of the victim by reason. */
  drops(): Readonly<Record<string, number>>;
  /** Packets that the victim took, as far as it counts them. */
  taken(): number;
  /** Changes when the victim begins or ends to know somebody. */
  extent(): number;
  /** What the victim was told since the last call, in words. */
  news(): readonly string[];
  /** Tables and buffers of the victim that have a bound: name, size, bound. */
  sizes(): readonly (readonly [name: string, size: number, bound: number])[];
  /**
   * What is wrong in the end, if anything. `honest`: nobody but strangers did anything to the victim, so that its peer must
   * be served; otherwise somebody else must be.
   */
  prove(honest: boolean): string | undefined;
}

/** Brings a machine into a state: the same one for the same seed. */
export type SceneMaker = (seed: number) => Scene;
