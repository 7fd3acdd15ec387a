import { ClusterError, MemberRuntime, tuningOf } from '@coconet/cluster-protocol';
import type { Host, LastingMemory, Store } from '@coconet/cluster-protocol';
import type { DeviceOptions } from './device-options.js';
import { DeviceError } from './errors.js';

/** What a device stands on, beside its options. */
export interface DeviceSurroundings {
  readonly host: Host;
  readonly store: Store;
  /** IP addresses of a host name. */
  readonly resolve: (host: string) => Promise<readonly string[]>;
  /** Frees what was opened for this device alone; called once, after everything is written. */
  readonly release?: () => Promise<void>;
}

/** Opens the member that the store holds, or joins first. Throws what {@link MemberRuntime.open} throws, and `CANCELLED`. */
export async function openRuntime(
  { join, name, port, transport, signal, allowDocumentationAddresses }: DeviceOptions,
  { host, store, resolve }: DeviceSurroundings,
  notice: (text: string) => void,
  memory: LastingMemory,
): Promise<MemberRuntime> {
  throwIfAborted(signal);
  const runtime = await MemberRuntime.open({
    host,
    store,
    join,
    name,
    kind: 'device',
    resolve,
    notice,
    memory,
    transport,
    ...(port !== undefined && { links: { port, whenTaken: 'fail' } }),
    ...(allowDocumentationAddresses !== undefined && { allowDocumentationAddresses }),
    ...(signal !== undefined && { aborted: abortOf(signal) }),
  });
  if (signal?.aborted === true) await runtime.close();
  throwIfAborted(signal);
  return runtime;
}

/** Sentences for people: to whom the options name, and to whoever listens later. */
export class Notices {
  readonly #first: ((text: string) => void) | undefined;
  #later: (text: string) => void = () => undefined;

  constructor(first: ((text: string) => void) | undefined) {
    this.#first = first;
  }

  tell(text: string): void {
    this.#first?.(text);
    this.#later(text);
  }

  hear(listener: (text: string) => void): void {
    this.#later = listener;
  }
}

const CANCELLED = 'called off while the device was being opened';

function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw new ClusterError('CANCELLED', CANCELLED, { cause: signal.reason });
}

const abortOf = (signal: AbortSignal): Promise<void> =>
  new Promise(resolve => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });

/** Names of devices are the first half of an address, which is cut at the first slash. @throws {DeviceError} `INVALID_OPTION`. */
export function checkOptions({ name, port, transport = {} }: DeviceOptions): void {
  if (name !== undefined && (name.includes('/') || name.startsWith('#')))
    throw new DeviceError(
      'INVALID_OPTION',
      `name: '${name}' holds a slash or begins with #, which addresses like Desk/lamp and #17/lamp use; choose another`,
    );
  if (port !== undefined && (!Number.isInteger(port) || port < 0 || port > 0xffff))
    throw new DeviceError('INVALID_OPTION', `port: ${port} is no UDP port; 1 to 65535, or 0 for any`);
  try {
    tuningOf(transport);
  } catch (error) {
    if (!(error instanceof ClusterError)) throw error;
    throw new DeviceError('INVALID_OPTION', `transport: ${error.message}`, { cause: error });
  }
}
