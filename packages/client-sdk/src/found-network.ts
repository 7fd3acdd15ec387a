import { ClusterError, loadMembership } from '@coconet/cluster-protocol';
import { nodeNameProblem, parseOperatorUri } from '@coconet/cluster-protocol/core';
import { ClientError } from './errors.js';
import { Founder } from './founder.js';
import type { CreatedNetwork, CreateNetworkOptions } from './network.js';
import type { Platform } from './platform/platform.js';
import { loadUnfinished } from './unfinished-network.js';

/** Makes a network on a platform: see `createNetwork`. */
export async function foundNetwork(
  platform: Platform,
  options: CreateNetworkOptions,
): Promise<CreatedNetwork> {
  const { name, user, nodeName = user, rootFile, store, signal } = options;
  for (const [option, value] of Object.entries({ name, user, nodeName })) {
    const problem = nodeNameProblem(value);
    if (problem !== undefined) throw wrong(`${option}: ${JSON.stringify(value)} ${problem}`);
  }
  if (rootFile === '') throw wrong('rootFile: name the file that gets the root key of the network');
  if (signal?.aborted === true) throw new ClientError('CANCELLED', 'called off before it began');
  const operator = parseOperatorUri(await operatorUri(platform, options));
  const opened = typeof store === 'string' ? await platform.openStore(store) : undefined;
  if (opened?.kind === 'shared')
    throw new ClusterError(
      'STORE_IN_USE',
      'a program uses this store: a new network needs a store of its own',
    );
  const target = typeof store === 'string' ? opened?.store : store;
  if (!target) throw wrong('store: name a folder');
  try {
    if (await loadMembership(target))
      throw new ClientError(
        'FILE_EXISTS',
        'the store holds the membership of a network already: a new network needs a store of its own',
      );
    const before = await loadUnfinished(target);
    if (before && (before.request.name !== name || before.rootFile !== rootFile))
      throw wrong(
        `the store holds the network ${before.request.name}, root key ${before.rootFile}, whose creation was interrupted: create it again under the same name and with the same file to finish it, or name another store`,
      );
    const founder = new Founder(platform, await platform.openHost(), target, options);
    return await founder.found(before ?? (await founder.prepare(operator, nodeName)), before !== undefined);
  } finally {
    await opened?.release();
  }
}

async function operatorUri(
  platform: Platform,
  { operator, localSocket }: CreateNetworkOptions,
): Promise<string> {
  if ((operator === undefined) === (localSocket === undefined))
    throw wrong(
      'give either operator, the URI from the operator of an NMN, or localSocket, that of an NMN on this machine',
    );
  if (operator !== undefined) return operator;
  const answer = await platform.callSocket(localSocket ?? '', 'operatorToken', {});
  const uri = typeof answer === 'object' && answer !== null && 'uri' in answer ? answer.uri : answer;
  if (typeof uri === 'string') return uri;
  throw new ClientError('MALFORMED_ANSWER', 'the NMN gave no operator URI: it may be of another version');
}

const wrong = (what: string): ClientError => new ClientError('INVALID_OPTION', what);
