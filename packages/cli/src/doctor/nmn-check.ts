import { lookup } from 'node:dns/promises';

import type { Context } from '../context.js';
import { failureOf } from '../failure.js';
import { formatMs, withNetwork } from '../network.js';
import { holdsAnything } from '../store.js';
import type { Finding } from './finding.js';
import { askStun } from './stun.js';

/** Long enough for a handshake with two retries: 8 s. */
const PATIENCE = 8_000;

const UNREACHED = 'is it running, and does a firewall let UDP through, out of here and into there?';

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
    return await withNetwork(context, async network => {
      await network.ready({ signal: context.signal, timeout: PATIENCE });
      if (network.nmn === 'connected') return { check: 'nmn', state: 'ok', detail: 'connected' };
      return { check: 'nmn', state: 'failed', detail: 'the NMN does not answer', next: UNREACHED };
    });
  } catch (error) {
    return { check: 'nmn', state: 'failed', detail: `not asked: ${failureOf(error).message}` };
  }
}

async function checkAddress({ signal }: Context, uri: string): Promise<Finding> {
  const places: string[] = [];
  for (const { host, port } of await hostsOf(uri)) {
    const addresses = await lookup(host, { all: true }).catch(() => []);
    if (addresses.length === 0) places.push(`${host} (a name that nobody knows)`);
    for (const { address } of addresses) {
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
  return { check: 'nmn', state: 'failed', detail: `no answer from ${places.join(', ')}`, next: UNREACHED };
}

/** Throws `JOIN_URI_INVALID` for what is neither a URI of ours nor an address. */
async function hostsOf(uri: string): Promise<readonly { readonly host: string; readonly port: number }[]> {
  const { parseHostPort, parseJoinUri, parseOperatorUri } = await import('@coconet/cluster-protocol/core');
  if (uri.startsWith('coconet-operator:')) return parseOperatorUri(uri).hosts;
  if (uri.includes('://')) return parseJoinUri(uri).hosts;
  return [parseHostPort(uri)];
}
