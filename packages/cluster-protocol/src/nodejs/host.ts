import { isIP } from 'node:net';

import { ClusterError } from '../base/index.js';
import type { Duration, Instant, RandomSource, TraceSink, WallTime } from '../base/index.js';
import type { CryptoProvider } from '../crypto/provider.js';
import type { Host, LinkOptions, Machine, RunningMachine } from '../interface/machine.js';
import { AlarmClock, monotonicNow, wallTimeNow } from './clock.js';
import { createCryptoProvider } from './crypto-provider.js';
import { Driver } from './driver.js';
import { openQlogFolder, QLOG_VARIABLE } from './qlog-file.js';
import { SystemRandom } from './random.js';
import { UdpSocket } from './udp-socket.js';

/** All addresses of each family. */
const EVERYWHERE = ['0.0.0.0', '::'] as const;

/** This process and its machine: system clocks, system randomness, libsodium and UDP sockets. */
export class NodeHost implements Host {
  readonly random: RandomSource = new SystemRandom();
  readonly crypto: CryptoProvider;
  readonly trace: ((title: string) => TraceSink) | undefined;
  readonly #alarm = new AlarmClock();

  /** `trace`: makes the traces of endpoints; absent: there are none. */
  constructor(crypto: CryptoProvider, trace?: (title: string) => TraceSink) {
    this.crypto = crypto;
    this.trace = trace;
  }

  now(): Instant {
    return monotonicNow();
  }

  wallTime(): WallTime {
    return wallTimeNow();
  }

  /** Runs `action` once, not before `delay` has passed; until then the process stays alive. */
  schedule(delay: Duration, action: () => void): () => void {
    return this.#alarm.schedule(delay, action);
  }

  /**
   * Opens the sockets and turns `machine` until it is closed; until then the process stays alive.
   * Fails with `INVALID_ARGUMENT`, `PORT_IN_USE` or `SOCKET_FAILED`, and then leaves nothing open.
   */
  async run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine> {
    const driver = new Driver(machine, await openSockets(options), this.#alarm, listener);
    try {
      driver.start();
    } catch (error) {
      await driver.close();
      throw error;
    }
    return driver;
  }
}

/** Options of {@link createNodeHost}. */
export interface NodeHostOptions {
  /**
   * A folder into which every endpoint writes a qlog file of what happens inside it. Default: what the variable
   * `COCONET_QLOG` names; without it nothing is written.
   */
  readonly qlog?: string;
}

/**
 * The host of a program on Node. One is enough for a process, however many machines it runs. Throws `INVALID_ARGUMENT`
 * when the folder for traces cannot be made.
 */
export async function createNodeHost(options: NodeHostOptions = {}): Promise<NodeHost> {
  const crypto = await createCryptoProvider();
  const folder = options.qlog ?? process.env[QLOG_VARIABLE] ?? '';
  return new NodeHost(crypto, folder === '' ? undefined : await openQlogFolder(folder));
}

async function openSockets(options: LinkOptions): Promise<readonly UdpSocket[]> {
  const port = options.port ?? 0;
  if (!Number.isInteger(port) || port < 0 || port > 0xffff) {
    throw new ClusterError('INVALID_ARGUMENT', `port: ${port} is not a UDP port; 1 to 65535, or 0 for any.`);
  }
  for (const host of options.bind ?? []) {
    if (isIP(host) !== 0) continue;
    throw new ClusterError('INVALID_ARGUMENT', `bind: '${host}' is not an IP address of this machine.`);
  }
  const wanted = options.bind === undefined || options.bind.length === 0 ? EVERYWHERE : options.bind;
  const sockets: UdpSocket[] = [];
  let missing: unknown;
  try {
    for (const host of wanted) {
      try {
        // One port number for both families where that can be had: it is one thing less to explain.
        sockets.push(
          await bindOne(host, port === 0 ? (sockets[0]?.port ?? 0) : port, port, options.whenTaken),
        );
      } catch (error) {
        if (wanted !== EVERYWHERE || isTaken(error)) throw error;
        missing = error; // A machine may lack one family; it needs the other.
      }
    }
    if (sockets.length === 0) throw missing;
    return sockets;
  } catch (error) {
    await Promise.all(sockets.map(socket => socket.close()));
    throw error;
  }
}

/** Binds `preferred`; another port where the caller did not insist on `asked`. */
async function bindOne(
  host: string,
  preferred: number,
  asked: number,
  whenTaken: LinkOptions['whenTaken'] = 'fail',
): Promise<UdpSocket> {
  try {
    return await UdpSocket.bind(host, preferred);
  } catch (error) {
    if (!isTaken(error) || preferred === 0 || (asked !== 0 && whenTaken === 'fail')) throw error;
    return UdpSocket.bind(host, 0);
  }
}

const isTaken = (error: unknown): boolean => error instanceof ClusterError && error.code === 'PORT_IN_USE';
