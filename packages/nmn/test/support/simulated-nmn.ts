import {
  type CryptoProvider,
  formatOperatorUri,
  type Host,
  type HostPort,
  type KeyPair,
  type MemberRuntime,
  milliseconds,
  type NodeKind,
  randomBytes,
  toHex,
} from '@coconet/cluster-protocol/core';
import type { SimulatedHost } from '@coconet/cluster-protocol/testing';

import { DEFAULT_CONFIG, type MembershipConfig } from '../../src/config.js';
import { OperatorTokens } from '../../src/membership/operator-tokens.js';
import { NmnMachine } from '../../src/nmn-machine.js';
import type { RelayOptions } from '../../src/relay/relay-options.js';
import { createWith, invite as inviteAs, joinUriOf } from './members.js';
import { MemoryDisk } from './memory-disk.js';

export const NMN_PORT = 28_620;

/** Half of what a flush takes: a crash in between finds the changes on disk or not, as it happens. */
const HALF_FLUSH = milliseconds(1.5);

/** What an NMN is besides its networks; it outlives restarts. */
export interface NmnIdentity {
  readonly staticKey: KeyPair;
  readonly resetSecret: Uint8Array;
  readonly starts: number;
}

/** What one life of an NMN has from the life before, and what its operator wants. */
export interface NmnLife {
  readonly disk?: MemoryDisk;
  readonly identity?: NmnIdentity;
  readonly membership?: Partial<MembershipConfig>;
  readonly relay?: Partial<RelayOptions>;
}

/** An NMN on a simulated host, with a disk that does what the test says. */
export interface SimulatedNmn {
  readonly machine: NmnMachine;
  readonly host: SimulatedHost;
  readonly staticKey: Uint8Array;
  /** Creates one network. */
  readonly token: Uint8Array;
  readonly disk: MemoryDisk;
  /** To start it again with {@link startNmn}: same disk, same keys, same settings. */
  readonly life: NmnLife & { readonly identity: NmnIdentity };
  turn(): void;
}

/** Starts an NMN on a host, the first time or after a crash. */
export function startNmn(crypto: CryptoProvider, host: SimulatedHost, life: NmnLife = {}): SimulatedNmn {
  const before = life.identity ?? {
    staticKey: crypto.dhKeyPair(randomBytes(host.random, 32)),
    resetSecret: randomBytes(host.random, 32),
    starts: 0,
  };
  const identity = { ...before, starts: before.starts + 1 };
  const disk = life.disk ?? new MemoryDisk();
  const membership = { ...DEFAULT_CONFIG.membership, ...life.membership };
  const { token, kept } = new OperatorTokens(crypto, host.random, membership.operatorTokenLife).create(
    host.wallTime(),
  );
  disk.tokens.set(toHex(kept.id), kept);
  const machine = new NmnMachine({
    provider: crypto,
    random: host.random,
    now: host.now(),
    wall: () => host.wallTime(),
    config: { ...DEFAULT_CONFIG, membership, relay: { ...DEFAULT_CONFIG.relay, ...life.relay } },
    ...identity,
    networks: disk.all(),
    operatorTokens: [...disk.tokens.values()],
    trace: host.trace('nmn'),
  });
  const running = host.attach(machine, { port: NMN_PORT }, event => {
    if (event.kind === 'commit')
      host.schedule(HALF_FLUSH, () => {
        disk.commit(event.changes, isKept => {
          host.schedule(HALF_FLUSH, () => {
            if (isKept) machine.handleCommitted(host.now(), event.id);
            else machine.handleCommitFailed(host.now(), event.id);
            running.turn();
          });
        });
      });
    if (event.kind === 'reload')
      host.schedule(HALF_FLUSH, () => {
        machine.handleLoaded(host.now(), event.networkKey, disk.load(event.networkKey));
        running.turn();
      });
  });
  return {
    machine,
    host,
    staticKey: identity.staticKey.publicKey,
    token,
    disk,
    life: { ...life, disk, identity },
    turn: () => {
      running.turn();
    },
  };
}

const hostsOf = (nmn: SimulatedNmn): readonly HostPort[] => [
  { host: nmn.host.address(NMN_PORT).host, port: NMN_PORT },
];

/** Creates a network at the NMN from another host and returns the owner's running member. */
export async function foundNetwork(
  nmn: SimulatedNmn,
  host: Host,
): Promise<{ owner: MemberRuntime; network: Uint8Array }> {
  const uri = formatOperatorUri({ nmnKey: nmn.staticKey, token: nmn.token, hosts: hostsOf(nmn) });
  const { runtime, genesis } = await createWith(host, uri);
  return { owner: runtime, network: genesis.network };
}

/** Has the owner invite a node, as `coconet invite` does, and returns the join URI. */
export async function invite(
  nmn: SimulatedNmn,
  owner: MemberRuntime,
  network: Uint8Array,
  kind: NodeKind,
  name: string,
): Promise<string> {
  const claim = await inviteAs(owner, { kind, name });
  return joinUriOf({ network, nmnKey: nmn.staticKey, hosts: hostsOf(nmn) }, claim);
}
