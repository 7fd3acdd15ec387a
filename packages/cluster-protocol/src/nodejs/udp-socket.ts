import type { RemoteInfo, Socket } from 'node:dgram';
import { isIPv6 } from 'node:net';

import { DgramAsPromised } from 'dgram-as-promised';
import type { SocketAsPromised } from 'dgram-as-promised';

import { ClusterError } from '../base/index.js';
import type { SendError } from '../interface/machine.js';
import { socketAddress } from '../wire/index.js';
import type { SocketAddress } from '../wire/index.js';

/** Wanted of the kernel in each direction; on loopback the default lost 3 % of 1200-byte datagrams, this none. */
const BUFFER_SIZE = 4 * 1024 * 1024;

/** Datagrams are copied here before they are sent; fits 40 full ones, and any single one (65,507 bytes). */
const SLAB_LENGTH = 65_536;

/** Bytes waiting in this process for a kernel whose buffer is full; beyond that a datagram is lost, as any may be. */
const MAX_QUEUED = 4 * 1024 * 1024;

/** Remote addresses remembered as objects. Forgotten all at once when full: it is a cache and rebuilds itself. */
const MAX_INTERNED = 4_096;

/** Who hears of what happens on a {@link UdpSocket}. */
export interface UdpListener {
  /** `bytes` belong to the listener during the call only. */
  handleDatagram(remote: SocketAddress, bytes: Uint8Array): void;
  /** A datagram to `remote` did not leave this machine. Called after `send` has returned. */
  handleSendError(remote: SocketAddress, error: SendError): void;
}

/** One bound UDP socket of one address family. */
export class UdpSocket {
  /** 4 or 6; a socket of family 6 carries no IPv4. */
  readonly family: 4 | 6;
  /** The address it is bound to; `0.0.0.0` or `::` for all of its family. */
  readonly host: string;
  readonly port: number;
  readonly #wrapped: SocketAsPromised;
  readonly #socket: Socket;
  readonly #addresses = new AddressCache();
  #listener: UdpListener | undefined;
  #slab = new Uint8Array(SLAB_LENGTH);
  #slabUsed = 0;
  #closing: Promise<void> | undefined;

  private constructor(wrapped: SocketAsPromised, family: 4 | 6, host: string, port: number) {
    this.#wrapped = wrapped;
    this.#socket = wrapped.socket;
    this.family = family;
    this.host = host;
    this.port = port;
    growBuffer(size => wrapped.setRecvBufferSize(size));
    growBuffer(size => wrapped.setSendBufferSize(size));
    this.#socket.on('message', (bytes: Buffer, from: RemoteInfo) => this.#receive(bytes, from));
  }

  /**
   * Opens a socket on an address of this machine; port 0 takes any.
   * Fails with `PORT_IN_USE`, or `SOCKET_FAILED` with the cause for everything else.
   */
  static async bind(host: string, port: number): Promise<UdpSocket> {
    const family = isIPv6(host) ? 6 : 4;
    const wrapped = DgramAsPromised.createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      ipv6Only: family === 6,
      // The core sends to addresses only. Answering at once keeps `send` synchronous: no datagram waits for a resolver.
      lookup: (address, _options, answer) => answer(null, address, family),
    });
    try {
      // Exclusive: the workers of a cluster would otherwise share one socket and steal each other's datagrams.
      const bound = await wrapped.bind({ address: host, port, exclusive: true });
      return new UdpSocket(wrapped, family, host, bound.port);
    } catch (error) {
      await wrapped.close();
      throw bindError(error, host, port);
    }
  }

  /** Begins to deliver datagrams. */
  listen(listener: UdpListener): void {
    this.#listener = listener;
  }

  /** Sends a copy of `bytes` and never throws; what fails is told to the listener, later. */
  send(remote: SocketAddress, bytes: Uint8Array): void {
    if (this.#closing !== undefined) return;
    if (bytes.length > this.#slab.length) {
      process.nextTick(() => this.#listener?.handleSendError(remote, 'messageTooLong'));
      return;
    }
    const offset = this.#place(bytes);
    if (offset < 0) return;
    try {
      this.#socket.send(this.#slab, offset, bytes.length, remote.port, remote.host, this.#sent);
    } catch {
      // Node refuses what no kernel was asked for, such as an address of the other family.
      process.nextTick(() => this.#listener?.handleSendError(remote, 'other'));
    }
  }

  /** Closes the socket; nothing is delivered from the moment of the call. Repeated calls are harmless. */
  close(): Promise<void> {
    this.#listener = undefined;
    this.#closing ??= this.#wrapped.close();
    return this.#closing;
  }

  /**
   * Copies `bytes` to where they may stay until the kernel has taken them, and returns where; −1 when too much waits.
   * Nearly always the kernel takes a datagram during the call, and one slab serves for ever.
   */
  #place(bytes: Uint8Array): number {
    if (this.#slabUsed + bytes.length > this.#slab.length) {
      if (this.#socket.getSendQueueCount() > 0) {
        if (this.#socket.getSendQueueSize() > MAX_QUEUED) return -1;
        this.#slab = new Uint8Array(SLAB_LENGTH);
      }
      this.#slabUsed = 0;
    }
    const offset = this.#slabUsed;
    this.#slab.set(bytes, offset);
    this.#slabUsed += bytes.length;
    return offset;
  }

  /** One function for all sends: no closure per datagram, and yet no error is lost. */
  readonly #sent = (error: Error | null): void => {
    if (error === null || this.#closing !== undefined) return;
    const { code, address, port } = error as NodeJS.ErrnoException & { address?: string; port?: number };
    const remote = this.#addresses.get(address ?? '', port ?? 0);
    if (remote !== undefined) this.#listener?.handleSendError(remote, sendErrorOf(code));
  };

  #receive(bytes: Buffer, from: RemoteInfo): void {
    // A source port of 0 is legal (RFC 768) and cannot be answered: no address of ours, no delivery.
    const remote = this.#addresses.get(from.address, from.port);
    if (remote === undefined) return;
    // A plain array: the core copies with `slice`, which of a Buffer gives a view.
    const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#listener?.handleDatagram(remote, plain);
  }
}

/** One object for each remote address in use, found without building a string. */
class AddressCache {
  readonly #hosts = new Map<string, Map<number, SocketAddress>>();
  #size = 0;
  #last: SocketAddress | undefined;

  get(host: string, port: number): SocketAddress | undefined {
    if (this.#last?.port === port && this.#last.host === host) return this.#last;
    const known = this.#hosts.get(host)?.get(port) ?? this.#add(host, port);
    if (known !== undefined) this.#last = known;
    return known;
  }

  #add(host: string, port: number): SocketAddress | undefined {
    const address = socketAddress(host, port);
    if (address === undefined) return undefined;
    if (this.#size >= MAX_INTERNED) {
      this.#hosts.clear();
      this.#size = 0;
    }
    let ports = this.#hosts.get(host);
    if (ports === undefined) {
      ports = new Map();
      this.#hosts.set(host, ports);
    }
    ports.set(port, address);
    this.#size++;
    return address;
  }
}

/** What an error of `sendmsg` means to the core. */
function sendErrorOf(code: string | undefined): SendError {
  switch (code) {
    case 'EMSGSIZE':
      return 'messageTooLong';
    case 'ENETUNREACH':
    case 'EHOSTUNREACH':
    case 'ENETDOWN':
    case 'EHOSTDOWN':
    case 'EADDRNOTAVAIL':
      return 'unreachable';
    case 'ECONNREFUSED':
      return 'refused';
    default:
      return 'other';
  }
}

/** Asks for as much of {@link BUFFER_SIZE} as the system allows: Linux cuts silently, macOS refuses the whole. */
function growBuffer(set: (size: number) => void): void {
  for (let size = BUFFER_SIZE; size >= 256 * 1024; size /= 2) {
    try {
      set(size);
      return;
    } catch {
      continue;
    }
  }
}

function bindError(cause: unknown, host: string, port: number): ClusterError {
  const code = (cause as NodeJS.ErrnoException).code;
  if (code === 'EADDRINUSE') {
    return new ClusterError(
      'PORT_IN_USE',
      `UDP port ${port} of ${host} is in use by another program: stop that program, or choose another port.`,
      { cause },
    );
  }
  const hint =
    code === 'EACCES' && port > 0 && port < 1_024
      ? ': ports below 1024 are for privileged programs, choose a higher one.'
      : code === 'EADDRNOTAVAIL'
        ? ': no interface of this machine has that address.'
        : '.';
  return new ClusterError(
    'SOCKET_FAILED',
    `UDP port ${port} of ${host} cannot be opened (${code ?? 'unknown error'})${hint}`,
    {
      cause,
    },
  );
}
