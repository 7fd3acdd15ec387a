import { malformed, parsed, type Parsed } from '../base/index.js';
import {
  encodeWith,
  Reader,
  readSocketAddress,
  type SocketAddress,
  type Writer,
  writeSocketAddress,
} from '../wire/index.js';

/**
 * Messages of service 4, between a node and its NMN (docs/spec/04-path.md, section "Rendezvous"). `connect` travels as a
 * datagram when it carries a handshake, which is repeated with it, and so do its answers; everything else as messages.
 */
export type RendezvousMessage =
  /** Node: grant a lease towards `peer` and hand it this handshake message 1. */
  | { readonly kind: 'connect'; readonly peer: number; readonly handshake: Uint8Array }
  /** Node: both of us have exchanged candidates; time a punch. */
  | { readonly kind: 'punchRequest'; readonly peer: number }
  | { readonly kind: 'renewLease'; readonly channel: number; readonly token: Uint8Array }
  | { readonly kind: 'releaseLease'; readonly channel: number }
  /** NMN: your lease towards `peer`, and where the NMN saw that peer. */
  | ({ readonly kind: 'granted'; readonly peer: number; readonly observed: readonly SocketAddress[] } & Lease)
  | { readonly kind: 'refused'; readonly peer: number; readonly reason: RendezvousRefusal }
  /** NMN: `peer` wants to talk; its lease's other end, and its handshake message 1. */
  | ({
      readonly kind: 'introduction';
      readonly peer: number;
      readonly observed: readonly SocketAddress[];
      readonly handshake: Uint8Array;
    } & Lease)
  /** NMN: begin probing `peer` in `startIn` ms. */
  | {
      readonly kind: 'punch';
      readonly peer: number;
      readonly startIn: number;
      readonly observed: readonly SocketAddress[];
    }
  /** NMN: who is there. `complete`: whoever is not listed is away. */
  | { readonly kind: 'presence'; readonly complete: boolean; readonly entries: readonly PresenceEntry[] }
  /** NMN: the address your packets come from, as seen from outside. */
  | { readonly kind: 'observed'; readonly address: SocketAddress }
  /** NMN: your relayed traffic exceeds a rate; this much of this channel's was dropped since the last notice. */
  | {
      readonly kind: 'shaped';
      readonly channel: number;
      readonly droppedBytes: number;
      readonly bytesPerSecond: number;
    }
  /** NMN: the answer to `renewLease`; a lifetime of 0: there is no such lease. */
  | ({ readonly kind: 'renewed' } & Lease);

/** A relay channel: valid for `lifetime` seconds; `token` proves it when it is renewed. */
export interface Lease {
  readonly channel: number;
  readonly lifetime: number;
  readonly token: Uint8Array;
}

/** Whether a member has a session with the NMN. */
export interface PresenceEntry {
  readonly nodeId: number;
  readonly online: boolean;
  /** Civil time in ms when the NMN last heard of it; 0: never. */
  readonly lastSeen: number;
}

const REFUSALS = ['unknownPeer', 'away', 'notPermitted', 'rateLimited'] as const;

/** Why the NMN does not introduce: no such member, a member without a session, revoked, or asked too often. */
export type RendezvousRefusal = (typeof REFUSALS)[number];

/** At most this many addresses of a node are told: one per family and one to spare while it roams. */
export const MAX_OBSERVED_ADDRESSES = 4;
/** The longest handshake message 1 that still fits an introduction in one datagram. */
export const MAX_CARRIED_HANDSHAKE = 1_040;
/** Presence entries per message, so that it stays below 60 KiB; more travel in several messages. */
export const MAX_PRESENCE_ENTRIES = 4_096;

const TOKEN_LENGTH = 16;
const MAX_MESSAGE = 61_440;

const TYPE = {
  connect: 1,
  renewLease: 2,
  releaseLease: 3,
  punchRequest: 4,
  granted: 16,
  refused: 17,
  introduction: 18,
  punch: 19,
  presence: 20,
  observed: 21,
  shaped: 22,
  renewed: 23,
} as const satisfies Record<RendezvousMessage['kind'], number>;

const KINDS = new Map(
  Object.entries(TYPE).map(([kind, type]) => [type as number, kind as keyof typeof TYPE]),
);

/** The bytes of a message, in a new array. */
export function encodeRendezvous(message: RendezvousMessage): Uint8Array {
  const limit = message.kind === 'presence' ? MAX_MESSAGE : 1_200;
  return encodeWith(limit, writer => {
    writer.uint8(TYPE[message.kind]);
    writeBody(writer, message);
  });
}

function writeBody(writer: Writer, message: RendezvousMessage): void {
  switch (message.kind) {
    case 'connect':
      writer.uint32(message.peer).block(message.handshake);
      return;
    case 'punchRequest':
      writer.uint32(message.peer);
      return;
    case 'renewLease':
      writer.uint32(message.channel).bytes(message.token);
      return;
    case 'releaseLease':
      writer.uint32(message.channel);
      return;
    case 'granted':
      writer.uint32(message.peer);
      writeLease(writer, message);
      writeAddresses(writer, message.observed);
      return;
    case 'refused':
      writer.uint32(message.peer).uint8(REFUSALS.indexOf(message.reason));
      return;
    case 'introduction':
      writer.uint32(message.peer);
      writeLease(writer, message);
      writeAddresses(writer, message.observed);
      writer.block(message.handshake);
      return;
    case 'punch':
      writer.uint32(message.peer).varint(message.startIn);
      writeAddresses(writer, message.observed);
      return;
    case 'presence':
      writer.uint8(message.complete ? 1 : 0).varint(message.entries.length);
      for (const entry of message.entries)
        writer
          .uint32(entry.nodeId)
          .uint8(entry.online ? 1 : 0)
          .uint48(entry.lastSeen);
      return;
    case 'observed':
      writeSocketAddress(writer, message.address);
      return;
    case 'shaped':
      writer.uint32(message.channel).varint(message.droppedBytes).varint(message.bytesPerSecond);
      return;
    case 'renewed':
      writeLease(writer, message);
  }
}

/** The message in `bytes`; byte strings in it are copies. Never throws. */
export function decodeRendezvous(bytes: Uint8Array): Parsed<RendezvousMessage> {
  const reader = new Reader(bytes);
  const kind = KINDS.get(reader.uint8());
  const message = kind && readBody(reader, kind);
  return message !== undefined && reader.complete ? parsed(message) : malformed;
}

function readBody(reader: Reader, kind: RendezvousMessage['kind']): RendezvousMessage | undefined {
  switch (kind) {
    case 'connect':
      return { kind, peer: reader.uint32(), handshake: reader.block(MAX_CARRIED_HANDSHAKE).slice() };
    case 'punchRequest':
      return { kind, peer: reader.uint32() };
    case 'renewLease':
      return { kind, channel: reader.uint32(), token: reader.bytes(TOKEN_LENGTH).slice() };
    case 'releaseLease':
      return { kind, channel: reader.uint32() };
    case 'granted':
      return { kind, peer: reader.uint32(), ...readLease(reader), observed: readAddresses(reader) };
    case 'refused': {
      const peer = reader.uint32();
      const reason = REFUSALS[reader.uint8()];
      return reason && { kind, peer, reason };
    }
    case 'introduction':
      return {
        kind,
        peer: reader.uint32(),
        ...readLease(reader),
        observed: readAddresses(reader),
        handshake: reader.block(MAX_CARRIED_HANDSHAKE).slice(),
      };
    case 'punch':
      return { kind, peer: reader.uint32(), startIn: reader.varint(), observed: readAddresses(reader) };
    case 'presence':
      return { kind, complete: readFlag(reader), entries: readPresence(reader) };
    case 'observed': {
      const address = readSocketAddress(reader);
      return address && { kind, address };
    }
    case 'shaped':
      return {
        kind,
        channel: reader.uint32(),
        droppedBytes: reader.varint(),
        bytesPerSecond: reader.varint(),
      };
    case 'renewed':
      return { kind, ...readLease(reader) };
  }
}

function writeLease(writer: Writer, lease: Lease): void {
  writer.uint32(lease.channel).varint(lease.lifetime).bytes(lease.token);
}

function readLease(reader: Reader): Lease {
  return { channel: reader.uint32(), lifetime: reader.varint(), token: reader.bytes(TOKEN_LENGTH).slice() };
}

function writeAddresses(writer: Writer, addresses: readonly SocketAddress[]): void {
  writer.uint8(addresses.length);
  for (const address of addresses) writeSocketAddress(writer, address);
}

function readAddresses(reader: Reader): SocketAddress[] {
  const count = reader.uint8();
  if (count > MAX_OBSERVED_ADDRESSES) reader.fail();
  const addresses: SocketAddress[] = [];
  for (let i = 0; i < count && !reader.failed; i++) {
    const address = readSocketAddress(reader);
    if (address) addresses.push(address);
    else reader.fail();
  }
  return addresses;
}

function readPresence(reader: Reader): PresenceEntry[] {
  const count = reader.varint();
  if (count > MAX_PRESENCE_ENTRIES) reader.fail();
  const entries: PresenceEntry[] = [];
  for (let i = 0; i < count && !reader.failed; i++)
    entries.push({ nodeId: reader.uint32(), online: readFlag(reader), lastSeen: reader.uint48() });
  return entries;
}

function readFlag(reader: Reader): boolean {
  const value = reader.uint8();
  if (value > 1) reader.fail();
  return value === 1;
}
