import type {
  CryptoProvider,
  Instant,
  KeyPair,
  ManagementContent,
  RandomSource,
  TraceSink,
  WallTime,
} from '@coconet/cluster-protocol/core';

import type { Commit } from './commit-queue.js';
import type { NmnConfig } from './config.js';
import type { LogFields } from './log.js';
import type { Asker, Stranger } from './membership/networks.js';
import type { OperatorToken } from './membership/operator-tokens.js';
import type { NetworkContents } from './membership/storage-change.js';
import type { Caller, NmnEvent } from './subsystem.js';

/** What the machine asks of its rim, and tells it. */
export type NmnMachineEvent =
  /** Make it durable, then call `handleCommitted`. Commits are to be kept in this order. */
  | ({ readonly kind: 'commit' } & Commit)
  /** What is in memory of this network is not on disk: read it again and call `handleLoaded`. */
  | { readonly kind: 'reload'; readonly networkKey: string }
  /** A message for a service that a further sub-system handles. */
  | {
      readonly kind: 'message';
      readonly caller: Caller;
      readonly service: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'event'; readonly event: NmnEvent }
  | {
      readonly kind: 'log';
      readonly level: 'info' | 'warn' | 'debug';
      readonly event: string;
      readonly fields: LogFields;
    };

/** What an NMN is made of. */
export interface NmnMachineOptions {
  readonly provider: CryptoProvider;
  readonly random: RandomSource;
  readonly config: Pick<NmnConfig, 'membership' | 'rendezvous' | 'relay'>;
  readonly now: Instant;
  /** Reads the wall clock: certificates and heads are dated with it. */
  readonly wall: () => WallTime;
  readonly staticKey: KeyPair;
  /** 32 secret bytes that survive restarts. */
  readonly resetSecret: Uint8Array;
  /** Starts of this NMN, the present one included. */
  readonly starts: number;
  readonly networks: readonly NetworkContents[];
  readonly operatorTokens: readonly OperatorToken[];
  /** Hears what happens inside; `undefined`: nobody does. */
  readonly trace?: TraceSink | undefined;
}

/** The log's word on somebody who named a claim or token and did not prove that it holds it. */
export function wrongProofLog(stranger: Stranger): NmnMachineEvent {
  const network = stranger.kind === 'joiner' ? stranger.networkKey : undefined;
  return { kind: 'log', level: 'warn', event: 'wrongProof', fields: { network, of: stranger.kind } };
}

/** The log's word on a request that was refused: who and why, nothing of its content. */
export function refusalLog(
  asker: Asker,
  request: ManagementContent,
  error: Extract<ManagementContent, { readonly type: 'error' }>,
): NmnMachineEvent {
  const network = asker.kind === 'operator' ? undefined : asker.networkKey;
  const nodeId = asker.kind === 'member' ? asker.nodeId : undefined;
  const fields = { network, nodeId, request: request.type, code: error.code, field: error.field };
  return { kind: 'log', level: 'info', event: 'requestRefused', fields };
}
