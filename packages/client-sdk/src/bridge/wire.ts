import {
  decodeMessage,
  encodeMessage,
  type DescriptionMessage,
  type Entry,
  pack,
  type ReportMessage,
  type ResourceDescription,
  splitDescription,
  splitReport,
  STATUS_CODES,
  type StatusCode,
  unpack,
  type WireValue,
} from '@coconet/capabilities';
import { fromBase64Url, toBase64Url } from '@coconet/cluster-protocol';
import type { Outcome } from '../command-call.js';
import type { Description } from '../description.js';
import { ClientError } from '../errors.js';
import type { NodeInfo } from '../network.js';
import type { JsonObject } from '../platform/platform.js';
import type { ValueBatch } from '../subscription.js';
import { isObject } from './methods.js';

/** Values as bytes of the capability service, in base64url. */
export type Packed = readonly string[];

const NO_INCARNATION = new Uint8Array(8);

/** A list of wire values. */
export const packList = (list: readonly WireValue[]): string => toBase64Url(pack(list));

/** The inverse of {@link packList}. */
export function unpackList(text: unknown): readonly WireValue[] {
  const list = unpack(bytesOf(text));
  if (!list.ok || !Array.isArray(list.value)) throw nonsense();
  return list.value as readonly WireValue[];
}

/** A batch of values. */
export function packBatch({ stateIncarnation, snapshot, entries, removed }: ValueBatch): Packed {
  const report: ReportMessage = {
    type: 'report',
    subscriptionId: 0,
    stateIncarnation,
    fromVersion: 0,
    version: 0,
    snapshot,
    last: true,
    entries,
    ...(removed.length > 0 && { removed }),
  };
  return splitReport(report).map(part => toBase64Url(encodeMessage(part)));
}

/** The inverse of {@link packBatch}. */
export function unpackBatch(packed: unknown): ValueBatch {
  const parts = messagesOf(packed).filter(message => message.type === 'report');
  const [first] = parts;
  if (!first) throw nonsense();
  const { stateIncarnation, snapshot } = first;
  return {
    stateIncarnation,
    snapshot,
    entries: parts.flatMap(({ entries }) => entries),
    removed: parts.flatMap(({ removed }) => removed ?? []),
  };
}

const packEntries = (entries: readonly Entry[]): Packed =>
  packBatch({ stateIncarnation: NO_INCARNATION, snapshot: false, entries, removed: [] });

/** What a device is. */
export function packDescription({ resources, ...rest }: Description): Packed {
  const message: DescriptionMessage = {
    type: 'description',
    ...rest,
    full: true,
    last: true,
    resources: [...resources.values()],
    removed: [],
  };
  return splitDescription(message).map(part => toBase64Url(encodeMessage(part)));
}

/** The inverse of {@link packDescription}. */
export function unpackDescription(packed: unknown): Description {
  const parts = messagesOf(packed).filter(message => message.type === 'description');
  const [first] = parts;
  if (!first) throw nonsense();
  const { stateIncarnation, version, device } = first;
  const resources = new Map<string, ResourceDescription>();
  for (const part of parts)
    for (const resource of part.resources) resources.set(resource.resourceId, resource);
  return { stateIncarnation, version, device, resources };
}

/** What became of a call. */
export const packOutcome = ({ response, entries, ...rest }: Outcome): JsonObject => ({
  ...rest,
  ...(response && { response: packList(response) }),
  ...(entries && { entries: packEntries(entries) }),
});

/** The inverse of {@link packOutcome}. */
export function unpackOutcome(value: unknown): Outcome {
  if (!isObject(value) || !STATUS_CODES.includes(value.code as StatusCode)) throw nonsense();
  const { code, answered, response, entries, field, message } = value;
  return {
    code: code as StatusCode,
    answered: answered === true,
    ...(response !== undefined && { response: unpackList(response) }),
    ...(entries !== undefined && { entries: unpackBatch(entries).entries }),
    ...(typeof field === 'string' && { field }),
    ...(typeof message === 'string' && { message }),
  };
}

/** A node as JSON has it, with its date back. */
export function nodeInfoOf(value: unknown): NodeInfo {
  if (!isObject(value) || !Number.isInteger(value.nodeId)) throw nonsense();
  const { lastSeen } = value;
  // Written by this very SDK of the same bridge version.
  return {
    ...(value as object as NodeInfo),
    lastSeen: typeof lastSeen === 'string' ? new Date(lastSeen) : null,
  };
}

function messagesOf(packed: unknown): readonly (ReportMessage | DescriptionMessage)[] {
  if (!Array.isArray(packed)) throw nonsense();
  return packed.map(text => {
    const decoded = decodeMessage(bytesOf(text));
    if (!decoded.ok || (decoded.value.type !== 'report' && decoded.value.type !== 'description'))
      throw nonsense();
    return decoded.value;
  });
}

function bytesOf(text: unknown): Uint8Array {
  const bytes = typeof text === 'string' ? fromBase64Url(text) : undefined;
  if (!bytes) throw nonsense();
  return bytes;
}

/** What came from the other program makes no sense. */
export const nonsense = (): ClientError =>
  new ClientError(
    'MALFORMED_ANSWER',
    'the program that shares the store said something that this one does not understand: they may be of different versions',
  );
