import { t } from '../model/data-type.js';
import { POWER_SOURCES, PROTOCOLS, RECEIVER_TYPES } from '../model/device.js';
import type { PowerSource, Protocol, ReceiverType } from '../model/device.js';
import { MAX_ELEMENTS } from '../model/limits.js';
import { decoded, refused } from '../result.js';
import type { Decoded } from '../result.js';
import { entries } from './entry-list.js';
import {
  capabilityId,
  counter,
  flag,
  incarnation,
  list,
  name,
  numeric,
  optional,
  raw,
  status,
  timestamp,
  tuple,
  uint16,
  uint32,
  value,
} from './layout.js';
import type { WireField } from './layout.js';
import type {
  AnswerMessage,
  AskMessage,
  AttributeBounds,
  CancelMessage,
  CapabilityDescription,
  CapabilityMessage,
  CommandMessage,
  DescribeMessage,
  DescriptionMessage,
  DeviceDescription,
  ReadMessage,
  RefusedMessage,
  RefusedWhat,
  ReportMessage,
  ResourceDescription,
  StateVersion,
  StatusMessage,
  SubscribeMessage,
  SubscriptionFilter,
  UnsubscribeMessage,
  ValuesMessage,
} from './messages.js';
import { asInteger, pack, unpack } from './msgpack.js';
import type { WireValue } from './msgpack.js';

/** Most resources and capabilities one filter names; who wants more leaves the list out and gets all. */
const MAX_FILTER_LENGTH = 256;

/** Longest sentence for people in a status, in bytes of UTF-8. */
const MAX_TEXT_BYTES = 1_024;

const text = value(t.string({ maxBytes: MAX_TEXT_BYTES }));
const opaque = value(t.string());
const percent = value(t.float32({ min: 0, max: 100, unit: '%' }));
const ids = list(uint16, MAX_ELEMENTS);
const names = list(name, MAX_ELEMENTS);
const params = list(raw, 0xff);

// A newer peer's unknown name of power source and the like reads as 'unknown', which is a member of these lists.
const powerSource: WireField<PowerSource> = value(t.enum(POWER_SOURCES));
const receiverType: WireField<ReceiverType> = value(t.enum(RECEIVER_TYPES));
const protocols: WireField<readonly Protocol[]> = value(t.array(t.enum(PROTOCOLS), { arrayLength: 64 }));
const refusedWhat: WireField<RefusedWhat> = value(t.enum(['subscription', 'request']));

const stateVersion = tuple<StateVersion>({ stateIncarnation: incarnation, version: counter });

const device = tuple<DeviceDescription>({
  name,
  productName: optional(name),
  manufacturer: optional(name),
  model: optional(name),
  firmwareVersion: optional(name),
  serialNumber: optional(name),
  powerSource: optional(powerSource),
  receiverType: optional(receiverType),
  protocols: optional(protocols),
  extendable: optional(flag),
});

const bounds = tuple<AttributeBounds>({
  attributeId: uint16,
  min: optional(numeric),
  max: optional(numeric),
});

const capability = tuple<CapabilityDescription>({
  capabilityId,
  instance: optional(name),
  revision: uint16,
  commands: ids,
  attributes: ids,
  infoRequests: optional(ids),
  bounds: optional(list(bounds, MAX_ELEMENTS)),
});

const resource = tuple<ResourceDescription>({
  resourceId: name,
  capabilities: list(capability, MAX_ELEMENTS),
  name: optional(name),
  metadata: optional(opaque),
  manufacturer: optional(name),
  model: optional(name),
  firmwareVersion: optional(name),
  powerSource: optional(powerSource),
  receiverType: optional(receiverType),
  onboardingStatus: optional(status),
  createdBy: optional(name),
  createdAt: optional(timestamp),
});

type Body<M extends CapabilityMessage> = Omit<M, 'type'>;

const subscribe = tuple<Body<SubscribeMessage>>({
  subscriptionId: uint32,
  filter: tuple<SubscriptionFilter>({
    resources: optional(list(name, MAX_FILTER_LENGTH)),
    capabilities: optional(list(capabilityId, MAX_FILTER_LENGTH)),
  }),
  resume: optional(stateVersion),
  minInterval: optional(uint32),
  maxInterval: optional(uint32),
});

const unsubscribe = tuple<Body<UnsubscribeMessage>>({ subscriptionId: uint32 });

const command = tuple<Body<CommandMessage>>({
  resourceId: name,
  capabilityId,
  instance: optional(name),
  commandId: uint16,
  timeoutMs: uint32,
  params,
  expiresInMs: optional(uint32),
});

const cancel = tuple<Body<CancelMessage>>({ incarnation, sequence: counter });

const read = tuple<Body<ReadMessage>>({
  requestId: uint32,
  resourceId: name,
  capabilityId,
  instance: optional(name),
  attributes: optional(ids),
});

const describe = tuple<Body<DescribeMessage>>({ requestId: uint32, since: optional(stateVersion) });

const ask = tuple<Body<AskMessage>>({
  requestId: uint32,
  resourceId: name,
  capabilityId,
  instance: optional(name),
  infoRequestId: uint16,
  timeoutMs: uint32,
  params,
});

const description = tuple<Body<DescriptionMessage>>({
  requestId: optional(uint32),
  stateIncarnation: incarnation,
  version: counter,
  full: flag,
  last: flag,
  device,
  resources: list(resource, MAX_ELEMENTS),
  removed: names,
});

const report = tuple<Body<ReportMessage>>({
  subscriptionId: uint32,
  stateIncarnation: incarnation,
  fromVersion: counter,
  version: counter,
  snapshot: flag,
  last: flag,
  entries,
  removed: optional(names),
});

const statusMessage = tuple<Body<StatusMessage>>({
  incarnation,
  sequence: counter,
  code: status,
  response: optional(params),
  field: optional(name),
  message: optional(text),
  progress: optional(percent),
});

const values = tuple<Body<ValuesMessage>>({ requestId: uint32, code: status, entries });

const answer = tuple<Body<AnswerMessage>>({
  requestId: uint32,
  code: status,
  response: optional(params),
  field: optional(name),
  message: optional(text),
});

const refusal = tuple<Body<RefusedMessage>>({ what: refusedWhat, id: uint32, code: status });

/** Types of messages on the wire, never reused: 1–15 from a client, 16–31 from a device. */
export const MESSAGE_NUMBERS = {
  subscribe: 1,
  unsubscribe: 2,
  command: 3,
  cancel: 4,
  read: 5,
  describe: 6,
  ask: 7,
  description: 16,
  report: 17,
  status: 18,
  values: 19,
  answer: 20,
  refused: 21,
} as const satisfies Record<CapabilityMessage['type'], number>;

type Bodies = {
  readonly [T in CapabilityMessage['type']]: WireField<Body<Extract<CapabilityMessage, { type: T }>>>;
};

const BODIES: Bodies = {
  subscribe,
  unsubscribe,
  command,
  cancel,
  read,
  describe,
  ask,
  description,
  report,
  status: statusMessage,
  values,
  answer,
  refused: refusal,
};

type MessageType = CapabilityMessage['type'];

const TYPES: ReadonlyMap<number, MessageType> = new Map(
  (Object.keys(MESSAGE_NUMBERS) as MessageType[]).map(type => [MESSAGE_NUMBERS[type], type]),
);

// BODIES has for each type the field of just that type's body, which a lookup by a union of types cannot express.
const bodyOf = (type: MessageType): WireField<object> => BODIES[type] as WireField<object>;

/** A message as a wire value: its type, then its fields. */
export function messageToWire(message: CapabilityMessage): WireValue {
  const { type, ...body } = message;
  const fields = bodyOf(type).toWire(body, '') as readonly WireValue[];
  return [MESSAGE_NUMBERS[type], ...fields];
}

/**
 * The bytes of a message.
 *
 * @throws {CapabilityError} for a field out of its range (which it names), and `MESSAGE_TOO_LARGE`: see
 * {@link splitReport} and {@link splitDescription}.
 */
export function encodeMessage(message: CapabilityMessage): Uint8Array {
  return pack(messageToWire(message));
}

/** The message of bytes from anybody; never throws. */
export function decodeMessage(bytes: Uint8Array): Decoded<CapabilityMessage> {
  const wire = unpack(bytes);
  if (!wire.ok) return wire;
  if (!Array.isArray(wire.value)) return refused('not a message');
  const [number, ...fields] = wire.value as readonly WireValue[];
  const type = TYPES.get(asInteger(number) ?? -1);
  if (type === undefined) return refused('unknown message type');
  const body = bodyOf(type).fromWire(fields);
  if (!body.ok) return refused(`${type}: ${body.reason}`);
  // The body is that of `type`: both come from the same row of BODIES.
  return decoded({ type, ...body.value } as CapabilityMessage);
}

const CLIENT_TYPES: readonly MessageType[] = Object.keys(MESSAGE_NUMBERS).filter(
  (type): type is MessageType => MESSAGE_NUMBERS[type as MessageType] < 16,
);

/** Whether a message is one that clients send; a device drops all others, and a client drops these. */
export const isClientMessage = (message: CapabilityMessage): boolean => CLIENT_TYPES.includes(message.type);
