import { ClientError } from '../errors.js';
import type { JsonObject } from '../platform/platform.js';

/** Version of what programs that share a store say to each other; another one is refused with a clear error. */
export const BRIDGE_VERSION = 1;

/**
 * What the program that holds a store does for others: one JSON value a line (see `JsonLineServer`). The first group is
 * for people and other languages, with names, and values in the JSON form of the capabilities; the second for this SDK,
 * with ids, and values as bytes in base64url, so that nothing is lost that the holder does not know.
 */
export const METHODS = {
  /** → {version, networkId, nodeId, name, role, nmn} */
  info: 'info',
  /** → node[] */
  nodes: 'nodes',
  /** → resource[] */
  resources: 'resources',
  /** {address, capability, instance?, fresh?, timeout?} → {values, fresh, at} */
  read: 'read',
  /** {address, capability, instance?, values, timeout?} */
  write: 'write',
  /** {address, capability, instance?, command, params?, timeout?} → response */
  command: 'command',
  /** {address, capability, instance?, infoRequest, params?, timeout?} → response */
  ask: 'ask',
  /** {address?, node?, capabilities?, minInterval?, maxInterval?} → stream of report[] */
  watch: 'watch',
  /** → stream of {change, node} */
  watchNodes: 'watchNodes',
  /** {node} → explanation */
  explain: 'explain',
  /** → {reason: count} */
  dropped: 'dropped',
  /** {node, count?, interval?, timeout?} → stream of reply */
  ping: 'ping',
  /** {kind, role?, name?, user?, expiresIn?, timeout?} → {uri, nodeId, expiresAt} */
  createInvitation: 'admin.createInvitation',
  /** {node, reason?, timeout?} */
  revoke: 'admin.revoke',
  /** {timeout?} */
  leave: 'admin.leave',

  /** → stream of what changes in the picture */
  view: 'sdk.view',
  /** {call, nodeId, request, timeout?, late?} → stream of progress, outcome, late outcome */
  call: 'sdk.call',
  /** {call}: the outcome still comes, as far as it is known */
  cancel: 'sdk.cancel',
  /** {nodeId, filter, minInterval?, maxInterval?} → stream of batches */
  follow: 'sdk.follow',
} as const;

/** A member of params that has to be a text. @throws {ClientError} `INVALID_OPTION`. */
export function textIn(params: JsonObject, name: string): string {
  const value = params[name];
  if (typeof value === 'string') return value;
  throw wrong(name, 'a text', value);
}

/** A member that may be missing. */
export const optionalTextIn = (params: JsonObject, name: string): string | undefined =>
  params[name] === undefined ? undefined : textIn(params, name);

/** A number, or nothing. `null` is how JSON writes `Infinity`. */
export function optionalNumberIn(params: JsonObject, name: string): number | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (value === null) return Infinity;
  if (typeof value === 'number') return value;
  throw wrong(name, 'a number', value);
}

/** A whole number. */
export function integerIn(params: JsonObject, name: string): number {
  const value = params[name];
  if (Number.isSafeInteger(value)) return value as number;
  throw wrong(name, 'a whole number', value);
}

/** A node: its name or id. */
export function nodeIn(params: JsonObject): string | number {
  const value = params.node;
  if (typeof value === 'string' || typeof value === 'number') return value;
  throw wrong('node', 'a name or an id', value);
}

/** A list of texts, or nothing. */
export function optionalTextsIn(params: JsonObject, name: string): readonly string[] | undefined {
  const value = params[name];
  if (value === undefined) return undefined;
  if (Array.isArray(value) && value.every(item => typeof item === 'string')) return value;
  throw wrong(name, 'a list of texts', value);
}

/** An object; nothing is an empty one. */
export function objectIn(params: JsonObject, name: string): JsonObject {
  const value = params[name] ?? {};
  if (isObject(value)) return value;
  throw wrong(name, 'an object', value);
}

/** Whether it is an object and no list. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const wrong = (name: string, wanted: string, value: unknown): ClientError =>
  new ClientError('INVALID_OPTION', `${name}: wanted is ${wanted}, not ${show(value)}`);

const show = (value: unknown): string =>
  value === undefined ? 'nothing' : JSON.stringify(value).slice(0, 64);
