import { nearestName } from '@coconet/capabilities';
import { ClientError } from './errors.js';
import type { NodeInfo } from './network.js';

/** Names listed in a sentence; more would not be read. */
const MAX_LISTED = 8;
const MAX_NODE_ID = 0xffff_ffff;

/** A node as a person names it. */
export type NodeReference =
  { readonly kind: 'id'; readonly nodeId: number } | { readonly kind: 'name'; readonly name: string };

/** A resource as a person names it: `Desk/lamp`, `#17/lamp`. */
export interface ResourceAddress {
  readonly device: NodeReference;
  readonly resourceId: string;
}

/** Reads a node's name, `#17`, or id. @throws {ClientError} `ADDRESS_INVALID`. */
export function parseNode(node: string | number): NodeReference {
  if (typeof node === 'number') return checkedId(node, String(node));
  if (node.startsWith('#')) return checkedId(/^#\d{1,10}$/.test(node) ? Number(node.slice(1)) : NaN, node);
  if (node === '') throw wrong('a node needs a name or an id: Desk, or #17');
  if (node.includes('/')) throw wrong(`'${node}' is the address of a resource; a node's name has no slash`);
  return { kind: 'name', name: node };
}

/** Reads the address of a resource, cut at its first slash. @throws {ClientError} `ADDRESS_INVALID`. */
export function parseAddress(address: string): ResourceAddress {
  const slash = address.indexOf('/');
  if (slash < 0)
    throw wrong(`'${address}' has no slash: a resource is DEVICE/RESOURCE, as in Desk/lamp or #17/lamp`);
  const resourceId = address.slice(slash + 1);
  if (slash === 0 || resourceId === '')
    throw wrong(
      `'${address}' lacks its ${slash === 0 ? 'device' : 'resource'}: DEVICE/RESOURCE, as in Desk/lamp`,
    );
  return { device: parseNode(address.slice(0, slash)), resourceId };
}

/** The reference as it is written. */
export const showNode = (node: NodeReference): string => (node.kind === 'id' ? `#${node.nodeId}` : node.name);

/** The nodes that a reference means: none, one, or several of the same name. */
export const matching = (nodes: readonly NodeInfo[], node: NodeReference): readonly NodeInfo[] =>
  nodes.filter(({ nodeId, name }) => (node.kind === 'id' ? nodeId === node.nodeId : name === node.name));

/** The one node that is meant. @throws {ClientError} `UNKNOWN_NODE` with the nearest name, `AMBIGUOUS_NAME` with all. */
export function nodeOf(nodes: readonly NodeInfo[], node: NodeReference): NodeInfo {
  const found = matching(nodes, node);
  if (found.length > 1) throw ambiguous(found, showNode(node), '');
  const [one] = found;
  if (one) return one;
  throw new ClientError('UNKNOWN_NODE', unknownNode(nodes, node));
}

/** A sentence about a node that there is not. */
export function unknownNode(nodes: readonly NodeInfo[], node: NodeReference): string {
  const names = nodes
    .map(({ name, nodeId }) => (node.kind === 'id' ? `#${nodeId}` : name))
    .filter(name => name !== '');
  return `the network has no node ${showNode(node)}; ${nearest(showNode(node), names)}`;
}

/** Several nodes have the name: which is meant must be said with an id. */
export function ambiguous(nodes: readonly NodeInfo[], name: string, rest: string): ClientError {
  const choices = nodes.map(({ nodeId, kind }) => `#${nodeId}${rest} (${kind})`);
  return new ClientError(
    'AMBIGUOUS_NAME',
    `${nodes.length} nodes are called ${name}: say which with its id, ${list(choices, 'or')}`,
  );
}

/** The second half of a sentence about something that there is not: the nearest of what there is, or all. */
export function nearest(written: string, known: readonly string[]): string {
  const near = nearestName(written, known);
  if (near !== undefined) return `did you mean ${near}?`;
  return known.length === 0
    ? 'there are none'
    : `there ${known.length === 1 ? 'is' : 'are'} ${list(known, 'and')}`;
}

function list(items: readonly string[], word: 'and' | 'or'): string {
  const shown = items.length > MAX_LISTED ? [...items.slice(0, MAX_LISTED - 1), 'others'] : items;
  return shown.length < 2 ? shown.join() : `${shown.slice(0, -1).join(', ')} ${word} ${shown.at(-1) ?? ''}`;
}

function checkedId(nodeId: number, written: string): NodeReference {
  if (Number.isInteger(nodeId) && nodeId >= 1 && nodeId <= MAX_NODE_ID) return { kind: 'id', nodeId };
  throw wrong(`'${written}' is no node id: # and a number from 1 to ${MAX_NODE_ID}`);
}

const wrong = (what: string): ClientError => new ClientError('ADDRESS_INVALID', what);
