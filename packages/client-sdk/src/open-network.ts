import {
  checkNetwork,
  ClusterError,
  type Host,
  MemberRuntime,
  milliseconds,
  parseJoinUri,
  type Store,
  type TransportOptions,
  tuningOf,
} from '@coconet/cluster-protocol';
import { HolderLost, RemoteSource } from './bridge/remote.js';
import { bridgeMethods } from './bridge/server.js';
import { ClientNetwork } from './client-network.js';
import { ClientError } from './errors.js';
import { MemberSource } from './member-source.js';
import { NetworkView } from './network-view.js';
import type { ConnectOptions } from './network.js';
import type { Platform } from './platform/platform.js';
import { SharedSource } from './shared-source.js';
import type { NetworkSource } from './source.js';

/** When a holder ended between two looks at the store, the next look comes after this many ms. */
const LOOK_AGAIN = 50;

/** Opens a network on a platform: see `connect`. */
export async function openNetwork(platform: Platform, options: ConnectOptions): Promise<ClientNetwork> {
  // Wrong text is an error before anything is opened, and even where the store would not need it.
  const join = options.join === '' ? undefined : options.join;
  const uri = join === undefined ? undefined : parseJoinUri(join);
  if (typeof options.store === 'string' && options.store === '')
    throw new ClientError(
      'INVALID_OPTION',
      'store: name the folder in which identity and network state are kept',
    );
  throwIfAborted(options.signal);
  checkTransport(options.transport);
  const host = await platform.openHost();
  const view = new NetworkView();
  const opener = new Opener(platform, host, view, options);
  const { store } = options;
  const source =
    typeof store === 'string'
      ? await SharedSource.start(
          () => opener.find(store),
          host,
          error => opener.failed(error),
        )
      : await opener.member(store);
  try {
    if (uri) checkNetwork(uri, source.self.networkId);
  } catch (error) {
    await source.close();
    throw error;
  }
  return opener.finish(source);
}

function checkTransport(transport: TransportOptions = {}): void {
  try {
    tuningOf(transport);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    throw new ClientError('INVALID_OPTION', `transport: ${error.message}`, { cause: error });
  }
}

/** Finds or becomes whoever holds the node. */
class Opener {
  readonly #platform: Platform;
  readonly #host: Host;
  readonly #view: NetworkView;
  readonly #options: ConnectOptions;
  #network: ClientNetwork | undefined;
  /** Said before the network was there to be told. */
  #expelled: string | undefined;
  #holding: ((network: ClientNetwork) => void) | undefined;

  constructor(platform: Platform, host: Host, view: NetworkView, options: ConnectOptions) {
    this.#platform = platform;
    this.#host = host;
    this.#view = view;
    this.#options = options;
  }

  /** The network, when its first source is there. */
  finish(source: NetworkSource): ClientNetwork {
    const { capabilities } = this.#options;
    const network = new ClientNetwork({
      source,
      view: this.#view,
      timers: this.#host,
      registry: capabilities,
    });
    this.#network = network;
    this.#holding?.(network);
    if (this.#expelled !== undefined) network.handleExpelled(this.#expelled);
    return network;
  }

  /** No program can hold the node any more. */
  failed(error: Error): void {
    this.#options.onNotice?.(`the network is lost: ${error.message}`);
    this.#network?.handleExpelled(error.message);
  }

  /** Becomes the holder of the store, or finds it. */
  async find(path: string): Promise<NetworkSource> {
    const signal = this.#network ? undefined : this.#options.signal;
    for (;;) {
      throwIfAborted(signal);
      const opened = await this.#platform.openStore(path);
      if (opened.kind === 'held') {
        let source: MemberSource;
        try {
          source = await this.member(opened.store);
        } catch (error) {
          await opened.release();
          throw error;
        }
        return this.#hold(source, opened);
      }
      try {
        return await RemoteSource.open(await opened.connect(), this.#view, signal);
      } catch (error) {
        // It ended meanwhile: there is another holder, or it is our turn.
        if (!(error instanceof HolderLost) && !isGone(error)) throw error;
        await new Promise<void>(resolve => {
          this.#host.schedule(milliseconds(LOOK_AGAIN), resolve);
        });
      }
    }
  }

  /** Opens the member of a store in this process. */
  async member(store: Store): Promise<MemberSource> {
    const { join, name, onNotice, port, transport, allowDocumentationAddresses } = this.#options;
    const signal = this.#network ? undefined : this.#options.signal;
    let abort: () => void = () => undefined;
    const aborted = new Promise<'aborted'>(resolve => {
      abort = (): void => {
        resolve('aborted');
      };
      signal?.addEventListener('abort', abort, { once: true });
    });
    const opening = MemberRuntime.open({
      host: this.#host,
      store,
      join: this.#network ? undefined : join,
      name,
      kind: 'client',
      resolve: host => this.#platform.resolve(host),
      transport,
      ...(onNotice && { notice: onNotice }),
      ...(port !== undefined && { links: { port, whenTaken: 'fail' } }),
      ...(allowDocumentationAddresses !== undefined && { allowDocumentationAddresses }),
      aborted,
    });
    try {
      const first = await Promise.race([opening, aborted]);
      if (first !== 'aborted') return await this.#checked(first);
      // It holds the store until it has come to its own end.
      await opening.then(runtime => runtime.close()).catch(() => undefined);
      throw new ClientError('CANCELLED', 'called off while connecting', { cause: signal?.reason });
    } finally {
      signal?.removeEventListener('abort', abort);
    }
  }

  async #checked(runtime: MemberRuntime): Promise<MemberSource> {
    const kind = runtime.node.nodes().find(({ self }) => self)?.kind ?? 'client';
    if (kind === 'client' || kind === 'service')
      return new MemberSource(runtime, this.#view, {
        expelled: text => {
          if (this.#network) this.#network.handleExpelled(text);
          else this.#expelled = text;
        },
      });
    await runtime.close();
    throw new ClusterError(
      'STORE_IN_USE',
      `this store belongs to a ${kind}, and an app needs a store of its own: name another folder, and join with an invitation for a client`,
    );
  }

  #hold(
    source: MemberSource,
    opened: Extract<Awaited<ReturnType<Platform['openStore']>>, { kind: 'held' }>,
  ): NetworkSource {
    let isEnding = false;
    const serve = (network: ClientNetwork): void => {
      opened.serve(bridgeMethods({ network, source, ending: () => isEnding }));
    };
    if (this.#network) serve(this.#network);
    else this.#holding = serve;
    const close = source.close.bind(source);
    return Object.assign(source, {
      close: async (): Promise<void> => {
        if (isEnding) return;
        isEnding = true;
        await close();
        await opened.release();
      },
    });
  }
}

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true)
    throw new ClientError('CANCELLED', 'called off while connecting', { cause: signal.reason });
}

const isGone = (error: unknown): boolean =>
  error instanceof Error &&
  'code' in error &&
  ['ECONNREFUSED', 'ENOENT', 'ECONNRESET', 'EPIPE'].includes(String(error.code));
