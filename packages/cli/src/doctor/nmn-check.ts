import { lookup } from 'node:dns/promises';

import type { Network } from '@coconet/client-sdk';

import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { formatMs, withNetwork } from '../network.js';
import { holdsAnything } from '../store.js';
import type { Finding } from './finding.js';
import { askStun } from './stun.js';

/** Long enough for a handshake with two retries: 8 s. */
const PATIENCE = 8_000;

const UNREACHED = 'is it running, and does a firewall let UDP through, out of here and into there?';

const NAMELESS = 'is the name written as it should be, and does this machine know a name server?';

/** Whether the NMN answers: of an address that was given, or that of this node's network. */
export async function checkNmn(context: Context, uri: string | undefined): Promise<Finding> {
  if (uri !== undefined) return checkAddress(context, uri);
  if (!(await holdsAnything(context.store.path)))
    return {
      check: 'nmn',
      state: 'warning',
      detail: 'not asked: this node is in no network',
      next: 'coconet doctor URI asks the NMN of an invitation',
    };
  try {
    return await withNetwork(context, network => askOwnNmn(network, context));
  } catch (error) {
    const { message, next } = failureOf(error);
    return {
      check: 'nmn',
      state: 'failed',
      detail: `not asked: ${message}`,
      ...(next !== undefined && { next }),
    };
  }
}

async function askOwnNmn(network: Network, { signal }: Context): Promise<Finding> {
  await network.ready({ signal, timeout: PATIENCE });
  const nmn = network.nodes().find(({ kind }) => kind === 'nmn');
  if (nmn === undefined)
    return {
      check: 'nmn',
      state: 'failed',
      detail: 'this network has no NMN that this node knows of',
      next: 'join again, with a new invitation and another --store',
    };
  if (network.nmn === 'connected')
    for await (const { rtt } of network.ping(nmn.nodeId, { count: 1, timeout: PATIENCE, signal }))
      if (rtt !== null) break;
  const { sentence, seenAs } = await network.explain(nmn.nodeId);
  if (network.nmn !== 'connected')
    return { check: 'nmn', state: 'failed', detail: sentence, next: UNREACHED };
  const seen = seenAs.length === 0 ? '' : `; it sees this node as ${seenAs.join(' and ')}`;
  return { check: 'nmn', state: 'ok', detail: `${sentence}${seen}` };
}

async function checkAddress({ signal }: Context, uri: string): Promise<Finding> {
  const places: string[] = [];
  let isKnown = false;
  for (const { host, port } of await hostsOf(uri)) {
    const addresses = await lookup(host, { all: true }).catch(() => []);
    if (addresses.length === 0) places.push(`${host} (a name that nobody knows)`);
    for (const { address } of addresses) {
      isKnown = true;
      const answer = await askStun(address, port, signal);
      const place = address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`;
      if (answer !== undefined)
        return {
          check: 'nmn',
          state: 'ok',
          detail: `${place} answers in ${formatMs(answer.rtt)} and sees this node as ${answer.seenAs}`,
        };
      places.push(place);
    }
  }
  const next = isKnown ? UNREACHED : NAMELESS;
  return { check: 'nmn', state: 'failed', detail: `no answer from ${places.join(', ')}`, next };
}

/** Throws `JOIN_URI_INVALID` for what is neither a URI of ours nor an address. */
async function hostsOf(uri: string): Promise<readonly { readonly host: string; readonly port: number }[]> {
  const { parseHostPort, parseJoinUri, parseOperatorUri } = await import('@coconet/cluster-protocol/core');
  if (uri.startsWith('coconet-operator:')) return parseOperatorUri(uri).hosts;
  if (uri.includes('://')) return parseJoinUri(uri).hosts;
  return [parseHostPort(uri)];
}
