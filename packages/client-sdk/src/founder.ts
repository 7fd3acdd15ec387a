import {
  type Ask,
  callNmn,
  Cancellation,
  ClusterError,
  type Duration,
  encodeHosts,
  type Host,
  loadKeys,
  membershipChanges,
  NMN_HOSTS_KEY,
  seconds,
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
  networkIdOf,
  NetworkState,
  type OperatorUri,
  SecretRing,
  socketAddress,
} from '@coconet/cluster-protocol/core';
import { ClientError } from './errors.js';
import type { CreatedNetwork, CreateNetworkOptions } from './network.js';
import type { Platform } from './platform/platform.js';
import {
  type CreationRequest,
  encodeUnfinished,
  UNFINISHED_KEY,
  type UnfinishedNetwork,
} from './unfinished-network.js';

/** What an operator's call names as its network: there is none yet. */
const NO_NETWORK = new Uint8Array(16);

/** Waits before an NMN is asked again that took the request and did not answer: over half a minute it may restart. */
const PAUSES: readonly Duration[] = [1, 2, 4, 8, 15].map(seconds);

/** What came of asking for a network. */
type Outcome =
  | { readonly kind: 'created'; readonly welcome: Answer<'networkCreated'> }
  /** The NMN knows nothing of the first step. */
  | { readonly kind: 'forgotten' }
  /** `away`: it was not asked. `lost`: it was, and nobody knows what it did. */
  | { readonly kind: 'refused' | 'away' | 'lost'; readonly error: unknown };

type Answer<T extends ManagementContent['type']> = Extract<ManagementContent, { type: T }>;

/** Creates one network. Once the NMN was asked for it, everything is kept until its answer is there. */
export class Founder {
  readonly #platform: Platform;
  readonly #host: Host;
  readonly #store: Store;
  readonly #options: CreateNetworkOptions;
  readonly #cancellation: Cancellation;

  constructor(platform: Platform, host: Host, store: Store, options: CreateNetworkOptions) {
    this.#platform = platform;
    this.#host = host;
    this.#store = store;
    this.#options = options;
    this.#cancellation = new Cancellation(abortOf(options.signal));
  }

  /** Makes the root key and all that it signs for the NMN of `operator`. */
  async prepare(operator: OperatorUri, ownerName: string): Promise<UnfinishedNetwork> {
    const { crypto, random } = this.#host;
    const { name, user, rootFile } = this.#options;
    const now = this.#host.wallTime();
    const ownerKeys = await loadKeys(this.#store, crypto, random);
    const { root, ownerCredential } = createNetwork(crypto, random, { user, now, ownerKeys });
    const made: { request?: CreationRequest } = {};
    await this.#call(operator, async ask => {
      const prepare = { type: 'prepareNetwork', operatorToken: operator.token } as const;
      const prepared = expect(await ask(prepare), 'networkPrepared');
      const nmn = { authorityKey: prepared.authorityKey, staticKey: prepared.nmnStaticKey };
      made.request = {
        type: 'createNetwork',
        challenge: prepared.challenge,
        operatorToken: operator.token,
        name,
        rootKey: root.publicKey,
        ...authorizeNmn(crypto, random, root, nmn, { number: 1, now }),
        ownerName,
        ownerCredential,
      };
    });
    const { request } = made;
    if (!request)
      throw new ClientError('MALFORMED_ANSWER', 'the NMN ended the conversation before its answer');
    // The key is safe before anybody knows of the network: a network without its root key could never change its NMN.
    await this.#platform.writePrivateFile(rootFile, formatRootKey(crypto, root));
    const unfinished = { operator, rootFile, request };
    try {
      await this.#store.write(new Map([[UNFINISHED_KEY, encodeUnfinished(unfinished)]]));
    } catch (error) {
      await this.#platform.removeFile(rootFile);
      throw error;
    }
    return unfinished;
  }

  /** Asks until there is an answer, and keeps what it says. `mayExist`: an earlier process has asked already. */
  async found(unfinished: UnfinishedNetwork, mayExist: boolean): Promise<CreatedNetwork> {
    const { operator, rootFile, request } = unfinished;
    for (let attempt = 0; ; attempt++) {
      const outcome = await this.#ask(operator, request);
      if (outcome.kind === 'created') return this.#keep(unfinished, outcome.welcome);
      if (outcome.kind === 'forgotten') {
        // The NMN has lost the first step before it did the second: there is no network, whoever asked for it.
        await this.#forget(rootFile);
        return this.found(await this.prepare(operator, request.ownerName), false);
      }
      mayExist ||= outcome.kind === 'lost';
      const pause = PAUSES[attempt];
      const isOver = outcome.kind === 'refused' || pause === undefined || this.#cancellation.cancelled;
      if (isOver && mayExist) throw undecided(outcome.error, rootFile);
      if (isOver) {
        await this.#forget(rootFile);
        throw outcome.error;
      }
      await this.#wait(pause);
    }
  }

  async #ask(operator: OperatorUri, request: CreationRequest): Promise<Outcome> {
    const sent: CreationRequest[] = [];
    const answers: ManagementContent[] = [];
    try {
      await this.#call(operator, async ask => {
        sent.push(request);
        answers.push(await ask(request));
      });
      const [answer] = answers;
      if (answer?.type === 'error' && answer.field === 'challenge') return { kind: 'forgotten' };
      return answer?.type === 'error'
        ? { kind: 'refused', error: refused(answer) }
        : { kind: 'created', welcome: expect(answer, 'networkCreated') };
    } catch (error) {
      if (sent.length > 0) return { kind: 'lost', error };
      return { kind: codeOf(error) === 'JOIN_REFUSED' ? 'refused' : 'away', error };
    }
  }

  async #keep(
    { operator, rootFile, request }: UnfinishedNetwork,
    { state, epoch, secret }: Answer<'networkCreated'>,
  ): Promise<CreatedNetwork> {
    const { crypto, random } = this.#host;
    const { rootKey, ownerCredential, ownerName, name } = request;
    const network = networkIdOf(crypto, rootKey);
    if (!NetworkState.restore(crypto, { network, rootKey }, state).ok)
      throw new ClientError(
        'MALFORMED_ANSWER',
        'the NMN made the network, but its state cannot be read: do not use it',
      );
    const secrets = new SecretRing();
    secrets.add({ epoch, secret });
    const { nodeId } = ownerCredential.leaf;
    const credential = encodeCredential(ownerCredential);
    const membership = {
      network,
      rootKey,
      nodeId,
      name: ownerName,
      credential,
      nmnStaticKey: operator.nmnKey,
    };
    const keys = await loadKeys(this.#store, crypto, random);
    const changes = membershipChanges(keys, membership, { state, secrets: secrets.snapshot() });
    changes.set(NMN_HOSTS_KEY, encodeHosts(operator.hosts));
    changes.set(UNFINISHED_KEY, undefined);
    await this.#store.write(changes);
    return { networkId: formatNetworkId(network), name, nodeId, rootFile };
  }

  /** The NMN has made nothing: a root key of no network helps nobody. */
  async #forget(rootFile: string): Promise<void> {
    await this.#store.write(new Map([[UNFINISHED_KEY, undefined]]));
    await this.#platform.removeFile(rootFile);
  }

  async #call(operator: OperatorUri, converse: (ask: Ask) => Promise<void>): Promise<void> {
    const host = this.#host;
    const resolved = await Promise.all(
      operator.hosts.map(async each => {
        const addresses = await this.#platform.resolve(each.host).catch(() => []);
        return addresses.map(address => socketAddress(address, each.port));
      }),
    );
    const target = {
      keys: await loadKeys(this.#store, host.crypto, host.random),
      nmnStaticKey: operator.nmnKey,
      addresses: resolved.flat().filter(address => address !== undefined),
      network: NO_NETWORK,
      secret: operator.token,
      cancellation: this.#cancellation,
    };
    const outcome = await callNmn(host, target, converse).catch((error: unknown) => {
      if (codeOf(error) !== 'CANCELLED') throw error;
      const cause: unknown = this.#options.signal?.reason;
      throw new ClientError('CANCELLED', 'called off while the network was being created', { cause });
    });
    if (outcome.kind === 'done') return;
    const where = operator.hosts.map(formatHostPort).join(', ');
    throw new ClusterError('NMN_UNREACHABLE', `the NMN at ${where} cannot be reached: ${outcome.text}`);
  }

  async #wait(pause: Duration): Promise<void> {
    let callOff: () => void = () => undefined;
    await new Promise<void>(resolve => {
      callOff = this.#host.schedule(pause, resolve);
      this.#cancellation.listen(resolve);
    });
    callOff();
    this.#cancellation.listen();
  }
}

const abortOf = (signal: AbortSignal | undefined): Promise<void> | undefined =>
  signal &&
  new Promise(resolve => {
    signal.addEventListener('abort', () => resolve(), { once: true });
  });

function expect<T extends ManagementContent['type']>(
  answer: ManagementContent | undefined,
  type: T,
): Answer<T> {
  if (answer && isOfType(answer, type)) return answer;
  if (answer?.type === 'error') throw refused(answer);
  throw new ClientError('MALFORMED_ANSWER', `the NMN answered something else (${answer?.type ?? 'nothing'})`);
}

const refused = ({ message }: Answer<'error'>): ClientError =>
  new ClientError('ADMIN_REFUSED', `the NMN refused: ${message}`);

/** Nobody knows whether the network is there: what only its creator has is kept. */
function undecided(error: unknown, rootFile: string): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  const message = `${reason}. The network may be there nevertheless, so its root key in ${rootFile} and the store are kept: create it again in the same way to finish it`;
  const code = codeOf(error);
  if (code === 'NMN_UNREACHABLE') return new ClusterError(code, message, { cause: error });
  if (code === 'CANCELLED' || code === 'ADMIN_REFUSED')
    return new ClientError(code, message, { cause: error });
  return code === 'JOIN_REFUSED' ? new ClusterError(code, message, { cause: error }) : error;
}

const codeOf = (error: unknown): unknown =>
  typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;

const isOfType = <T extends ManagementContent['type']>(
  answer: ManagementContent,
  type: T,
): answer is Answer<T> => answer.type === type;
