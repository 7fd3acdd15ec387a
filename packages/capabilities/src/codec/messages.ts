import type { Bounds } from '../model/bounds.js';
import type { CapabilityId } from '../model/capability.js';
import type { PowerSource, Protocol, ReceiverType } from '../model/device.js';
import type { StatusCode } from '../status.js';
import type { WireValue } from './msgpack.js';

/** A point in the life of a device's state. Versions of different incarnations cannot be compared. */
export interface StateVersion {
  /** 8 random bytes, new whenever the device's store is created, lost or restored. */
  readonly stateIncarnation: Uint8Array;
  /** Counts every change of the device's state; at most 2^53 - 1. */
  readonly version: number;
}

/** Where a capability is: a resource, the capability, and which one of several. */
export interface CapabilityAddress {
  readonly resourceId: string;
  readonly capabilityId: CapabilityId;
  /** Label of one of several equal capabilities of the resource. */
  readonly instance?: string;
}

/** What a subscription is about; a list left out means all. */
export interface SubscriptionFilter {
  readonly resources?: readonly string[];
  readonly capabilities?: readonly CapabilityId[];
}

/** Client to device: send a snapshot, then every change. The same id replaces the subscription it names. */
export interface SubscribeMessage {
  readonly type: 'subscribe';
  /** Chosen by the client, unique among its subscriptions at that device. */
  readonly subscriptionId: number;
  readonly filter: SubscriptionFilter;
  /** What the client holds already: only what changed since is sent, if that can still be told. */
  readonly resume?: StateVersion;
  /** ms; the larger of this and the attribute's own minimum counts. */
  readonly minInterval?: number;
  /** ms; 0 = never; takes the place of the attribute's own maximum. */
  readonly maxInterval?: number;
}

/** Client to device: send no more. */
export interface UnsubscribeMessage {
  readonly type: 'unsubscribe';
  readonly subscriptionId: number;
}

/** Client to device: do this. It is identified by the transport's message id: sender, incarnation, sequence. */
export interface CommandMessage extends CapabilityAddress {
  readonly type: 'command';
  readonly commandId: number;
  /** How long the sender waits for a terminal status, in ms; 0 = for ever. */
  readonly timeoutMs: number;
  /** Positional: see the command codec. */
  readonly params: readonly WireValue[];
  /** Not to be started later than this many ms after it was sent. */
  readonly expiresInMs?: number;
}

/** Client to device: the sender gave up on one of its commands. */
export interface CancelMessage {
  readonly type: 'cancel';
  /** Incarnation and sequence of the command's message. */
  readonly incarnation: Uint8Array;
  readonly sequence: number;
}

/** Client to device: the values as they are now. */
export interface ReadMessage extends CapabilityAddress {
  readonly type: 'read';
  readonly requestId: number;
  /** Ids; left out: all. */
  readonly attributes?: readonly number[];
}

/** Client to device: what are you? */
export interface DescribeMessage {
  readonly type: 'describe';
  readonly requestId: number;
  /** What the client knows already: only what changed since is wanted. */
  readonly since?: StateVersion;
}

/** Client to device: an info request. */
export interface AskMessage extends CapabilityAddress {
  readonly type: 'ask';
  readonly requestId: number;
  readonly infoRequestId: number;
  /** ms; 0 = for ever. */
  readonly timeoutMs: number;
  /** Positional: see the command codec. */
  readonly params: readonly WireValue[];
}

/** The device itself, as people know it. */
export interface DeviceDescription {
  readonly name: string;
  readonly productName?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
  readonly serialNumber?: string;
  readonly powerSource?: PowerSource;
  readonly receiverType?: ReceiverType;
  readonly protocols?: readonly Protocol[];
  /** It may gain resources while it runs. */
  readonly extendable?: boolean;
}

/** Bounds that this device has for one attribute, narrower than the definition's. */
export interface AttributeBounds extends Bounds {
  readonly attributeId: number;
}

/** One capability of a resource: which of its members are there. */
export interface CapabilityDescription {
  readonly capabilityId: CapabilityId;
  readonly instance?: string;
  readonly revision: number;
  /** Ids of the commands it runs, implicit ones included. */
  readonly commands: readonly number[];
  /** Ids of the attributes it has. */
  readonly attributes: readonly number[];
  /** Ids of the info requests it answers. */
  readonly infoRequests?: readonly number[];
  readonly bounds?: readonly AttributeBounds[];
}

/** One resource and what it can do. */
export interface ResourceDescription {
  readonly resourceId: string;
  readonly capabilities: readonly CapabilityDescription[];
  readonly name?: string;
  /** Opaque text for user interfaces. */
  readonly metadata?: string;
  readonly manufacturer?: string;
  readonly model?: string;
  readonly firmwareVersion?: string;
  readonly powerSource?: PowerSource;
  readonly receiverType?: ReceiverType;
  readonly onboardingStatus?: StatusCode;
  readonly createdBy?: string;
  readonly createdAt?: Date;
}

/** Device to client: what it is. Sent when asked, and by itself when it changes. */
export interface DescriptionMessage extends StateVersion {
  readonly type: 'description';
  /** The request it answers; left out when nobody asked. */
  readonly requestId?: number;
  /** The resources are all there are; `false`: those that changed. In the first part of several only. */
  readonly full: boolean;
  /** Nothing more follows. */
  readonly last: boolean;
  readonly device: DeviceDescription;
  readonly resources: readonly ResourceDescription[];
  /** Ids of resources that are no longer there. */
  readonly removed: readonly string[];
}

/** One attribute's value. */
export interface Entry extends CapabilityAddress {
  readonly attributeId: number;
  /** As the wire has it: see the value codec. `null` = not known. */
  readonly value: WireValue;
  /** It was read just now; `false`: an older value is replayed. */
  readonly realtime: boolean;
  /** Time of the reading, never of the replay; `null`: never read. */
  readonly lastUpdated: Date | null;
  /** The device's version at the last change of this attribute. */
  readonly version: number;
}

/** Device to client: values of a subscription. Applied together, in order. */
export interface ReportMessage extends StateVersion {
  readonly type: 'report';
  readonly subscriptionId: number;
  /** What the client must hold for this report to follow on; a larger one than it holds means a gap. */
  readonly fromVersion: number;
  /** Everything there is, instead of what changed. */
  readonly snapshot: boolean;
  /** Nothing more of this report follows. */
  readonly last: boolean;
  readonly entries: readonly Entry[];
  /** Ids of resources that are no longer there. */
  readonly removed?: readonly string[];
}

/** Device to client: what became of a command. Any number of `inProgress`, then exactly one terminal code. */
export interface StatusMessage {
  readonly type: 'status';
  /** Incarnation and sequence of the command's message. */
  readonly incarnation: Uint8Array;
  readonly sequence: number;
  readonly code: StatusCode;
  /** Positional: see the command codec. */
  readonly response?: readonly WireValue[];
  /** The parameter that was wrong. */
  readonly field?: string;
  /** A sentence for people. */
  readonly message?: string;
  /** How far it is, in %. */
  readonly progress?: number;
}

/** Device to client: the answer to `read`. */
export interface ValuesMessage {
  readonly type: 'values';
  readonly requestId: number;
  readonly code: StatusCode;
  readonly entries: readonly Entry[];
}

/** Device to client: the answer to `ask`. */
export interface AnswerMessage {
  readonly type: 'answer';
  readonly requestId: number;
  readonly code: StatusCode;
  /** Positional: see the command codec. */
  readonly response?: readonly WireValue[];
  readonly field?: string;
  readonly message?: string;
}

/** What a `refused` message refuses. */
export type RefusedWhat = 'subscription' | 'request';

/** Device to client: a subscription or a request that is not to be had. */
export interface RefusedMessage {
  readonly type: 'refused';
  readonly what: RefusedWhat;
  /** The subscription id or request id. */
  readonly id: number;
  readonly code: StatusCode;
}

/** What a client sends. */
export type ClientMessage =
  | SubscribeMessage
  | UnsubscribeMessage
  | CommandMessage
  | CancelMessage
  | ReadMessage
  | DescribeMessage
  | AskMessage;

/** What a device sends. */
export type DeviceMessage =
  DescriptionMessage | ReportMessage | StatusMessage | ValuesMessage | AnswerMessage | RefusedMessage;

/** Any message of the capability service. */
export type CapabilityMessage = ClientMessage | DeviceMessage;
