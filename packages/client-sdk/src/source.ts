import type { CapabilityAddress, WireValue } from '@coconet/capabilities';
import type { Role } from '@coconet/cluster-protocol';
import type { Outcome } from './command-call.js';
import type { DropCounts, Invitation, InvitationWish, NodeExplanation } from './network.js';
import type { LateOutcome, Progress } from './resource.js';
import type { SubscriptionWish, ValueBatch } from './subscription.js';

/** This node, as whoever uses it has to know it. */
export interface SelfReport {
  readonly networkId: string;
  readonly nodeId: number;
  readonly name: string;
  readonly role: Role;
}

/** How a call is waited for. */
export interface CallControl {
  /** ms, above 0; `Infinity`: for ever. */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
  readonly onProgress?: ((progress: Progress) => void) | undefined;
  readonly onLateOutcome?: ((outcome: LateOutcome) => void) | undefined;
}

/** What is asked of a capability of a device. */
export type CallRequest = { readonly nodeId: number; readonly address: CapabilityAddress } & (
  | {
      readonly kind: 'command';
      readonly commandId: number;
      readonly params: readonly WireValue[];
      /** Running it twice is as good as once. */
      readonly idempotent: boolean;
    }
  | { readonly kind: 'ask'; readonly infoRequestId: number; readonly params: readonly WireValue[] }
  | { readonly kind: 'read'; readonly attributes: readonly number[] | undefined }
);

/** What is to be followed. */
export interface WatchRequest extends SubscriptionWish {
  readonly nodeId: number;
}

/** Who hears of what is followed. */
export interface WatchSink {
  values(batch: ValueBatch): void;
  /** Nothing more comes. */
  refused(error: Error): void;
}

/** How long something of the NMN or a peer is waited for. */
export interface Patience {
  /** ms */
  readonly timeout: number;
  readonly signal?: AbortSignal | undefined;
}

/**
 * What a network is used through: a node in this process, or a program that holds the node. It fills a `NetworkView`;
 * what is asked for by name above is ids and wire values here.
 */
export interface NetworkSource {
  readonly self: SelfReport;
  readonly shared: boolean;
  /** Never rejects for what a device or the way to it did. */
  call(request: CallRequest, control: CallControl): Promise<Outcome>;
  /** Follows values until the returned function is called or the sink was refused. */
  watch(request: WatchRequest, sink: WatchSink): () => void;
  explain(nodeId: number): Promise<NodeExplanation>;
  /** What came from the network and was dropped, by reason. */
  dropped(): Promise<DropCounts>;
  /** ms there and back; `null`: no answer in time. */
  ping(nodeId: number, patience: Patience): Promise<number | null>;
  invite(wish: InvitationWish, patience: Patience): Promise<Invitation>;
  revoke(nodeId: number, reason: string, patience: Patience): Promise<void>;
  leave(patience: Patience): Promise<void>;
  close(): Promise<void>;
}
