import type { Host, Store } from '@coconet/cluster-protocol';

/** A JSON object as it comes from another program. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** A connection to the program that holds the node. */
export interface BridgeConnection {
  /** Resolves when it is over, for whatever reason. */
  readonly closed: Promise<void>;
  request(
    method: string,
    params?: JsonObject,
    options?: { readonly signal?: AbortSignal | undefined },
  ): Promise<unknown>;
  stream(
    method: string,
    params?: JsonObject,
    options?: { readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<unknown, void, undefined>;
  close(): Promise<void>;
}

/** A method that other programs may call; an async iterable as its result becomes a stream. */
export type BridgeMethod = (params: JsonObject, context: { readonly signal: AbortSignal }) => unknown;

/** A store that was named, not handed in. */
export type OpenedStore =
  /** This program holds it. */
  | {
      readonly kind: 'held';
      readonly store: Store;
      /** Lets other programs in. */
      serve(methods: Readonly<Record<string, BridgeMethod>>): void;
      /** Ends their connections, closes the store, and lets the next program take over. */
      release(): Promise<void>;
    }
  /** Another program does. */
  | { readonly kind: 'shared'; connect(): Promise<BridgeConnection> };

/** What differs between Node and the browser. */
export interface Platform {
  openHost(): Promise<Host>;
  /** IP addresses of a host name; an address resolves to itself. */
  resolve(host: string): Promise<readonly string[]>;
  openStore(name: string): Promise<OpenedStore>;
  /** Writes a file of this user alone that must not exist. @throws {ClientError} `FILE_EXISTS`. */
  writePrivateFile(path: string, text: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  /** Asks a program that listens on a local socket. */
  callSocket(path: string, method: string, params: JsonObject): Promise<unknown>;
}
