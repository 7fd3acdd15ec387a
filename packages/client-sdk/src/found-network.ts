import {
  callNmn,
  ClusterError,
  encodeHosts,
  loadMembership,
  membershipChanges,
  NMN_HOSTS_KEY,
  type Store,
} from '@coconet/cluster-protocol';
import {
  authorizeNmn,
  createNetwork,
  encodeCredential,
  formatHostPort,
  formatNetworkId,
  formatRootKey,
  type ManagementContent,
  NetworkState,
  nodeNameProblem,
  type OperatorUri,
  parseOperatorUri,
  SecretRing,
  socketAddress,
} from '@coconet/cluster-protocol/core';
import { ClientError } from './errors.js';
import type { CreatedNetwork, CreateNetworkOptions } from './network.js';
import type { Platform } from './platform/platform.js';

/** What an operator's call names as its network: there is none yet. */
const NO_NETWORK = new Uint8Array(16);

type Answer<T extends ManagementContent['type']> = Extract<ManagementContent, { type: T }>;

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
    return await found(platform, options, operator, target, nodeName);
  } finally {
    await opened?.release();
  }
}

async function found(
  platform: Platform,
  { name, user, rootFile }: CreateNetworkOptions,
  operator: OperatorUri,
  store: Store,
  nodeName: string,
): Promise<CreatedNetwork> {
  const host = await platform.openHost();
  const { crypto, random } = host;
  const now = host.wallTime();
  const { root, network, ownerKeys, ownerCredential } = createNetwork(crypto, random, { user, now });
  const resolved = await Promise.all(
    operator.hosts.map(async each => {
      const addresses = await platform.resolve(each.host).catch(() => []);
      return addresses.map(address => socketAddress(address, each.port));
    }),
  );
  // The key is safe before anybody knows of the network: a network without its root key could never change its NMN.
  await platform.writePrivateFile(rootFile, formatRootKey(crypto, root));
  const talk: { asked: boolean; welcome?: Answer<'networkCreated'> } = { asked: false };
  try {
    const outcome = await callNmn(
      host,
      {
        keys: ownerKeys,
        nmnStaticKey: operator.nmnKey,
        addresses: resolved.flat().filter(address => address !== undefined),
        network: NO_NETWORK,
        secret: operator.token,
      },
      async ask => {
        const operatorToken = operator.token;
        const prepared = expect(await ask({ type: 'prepareNetwork', operatorToken }), 'networkPrepared');
        const { authority, nmnCredential } = authorizeNmn(
          crypto,
          random,
          root,
          { authorityKey: prepared.authorityKey, staticKey: prepared.nmnStaticKey },
          { number: 1, now },
        );
        talk.asked = true;
        const answer = await ask({
          type: 'createNetwork',
          challenge: prepared.challenge,
          operatorToken,
          name,
          rootKey: root.publicKey,
          authority,
          nmnCredential,
          ownerName: nodeName,
          ownerCredential,
        });
        talk.asked = answer.type !== 'error';
        talk.welcome = expect(answer, 'networkCreated');
      },
    );
    if (outcome.kind === 'unreachable') {
      const where = operator.hosts.map(formatHostPort).join(', ');
      throw new ClusterError('NMN_UNREACHABLE', `the NMN at ${where} cannot be reached: ${outcome.text}`);
    }
  } catch (error) {
    // Once it was asked the network may be there, and then this is its only key.
    if (!talk.asked) await platform.removeFile(rootFile);
    throw error;
  }
  const { welcome } = talk;
  if (!welcome)
    throw new ClientError('MALFORMED_ANSWER', 'the NMN ended the conversation before the network was made');
  const { state, epoch, secret } = welcome;
  const restored = NetworkState.restore(crypto, { network, rootKey: root.publicKey }, state);
  if (!restored.ok)
    throw new ClientError(
      'MALFORMED_ANSWER',
      'the NMN made the network, but its state cannot be read: do not use it',
    );
  const secrets = new SecretRing();
  secrets.add({ epoch, secret });
  const { nodeId } = ownerCredential.leaf;
  const membership = {
    network,
    rootKey: root.publicKey,
    nodeId,
    name: nodeName,
    credential: encodeCredential(ownerCredential),
    nmnStaticKey: operator.nmnKey,
  };
  const changes = membershipChanges(ownerKeys, membership, { state, secrets: secrets.snapshot() });
  changes.set(NMN_HOSTS_KEY, encodeHosts(operator.hosts));
  await store.write(changes);
  return { networkId: formatNetworkId(network), name, nodeId, rootFile };
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

function expect<T extends ManagementContent['type']>(answer: ManagementContent, type: T): Answer<T> {
  if (isOfType(answer, type)) return answer;
  if (answer.type === 'error') throw new ClientError('ADMIN_REFUSED', `the NMN refused: ${answer.message}`);
  throw new ClientError('MALFORMED_ANSWER', `the NMN answered something else (${answer.type})`);
}

const isOfType = <T extends ManagementContent['type']>(
  answer: ManagementContent,
  type: T,
): answer is Answer<T> => answer.type === type;

const wrong = (what: string): ClientError => new ClientError('INVALID_OPTION', what);
