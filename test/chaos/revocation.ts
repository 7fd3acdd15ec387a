import {
  type ClusterEvent,
  createNodeKeys,
  type CryptoProvider,
  joinNetwork,
  loadKeys,
  type MemberRuntime,
  MemoryStore,
  milliseconds,
  parseJoinUri,
  seconds,
} from '@coconet/cluster-protocol/core';
import { createCryptoProvider } from '@coconet/cluster-protocol/node';
import {
  AuthenticatingProvider,
  type SimulatedHost,
  SimulatedWorld,
} from '@coconet/cluster-protocol/testing';

import { askNmn, openMember, revocationOf } from '../../packages/nmn/test/support/members.js';
import { foundNetwork, invite, NMN_PORT, startNmn } from '../../packages/nmn/test/support/simulated-nmn.js';
import type { Round } from './round.js';

/** Everybody who can be reached has cut a revoked node off after this, in ms. */
const LIMIT = 2_000;
/** Nodes of one round of the command. */
const NODES = 100;

interface Node {
  readonly name: string;
  readonly host: SimulatedHost;
  readonly store: MemoryStore;
  readonly member: MemberRuntime;
  readonly events: ClusterEvent[];
  /** When it cut the revoked node off, in ms of the world. */
  cutAt: number | undefined;
}

/** What one revocation led to. */
export interface Revocation {
  /** Ms from the wish until each node cut the revoked one off. */
  readonly cutAfter: readonly number[];
  /** The same for the node that had no NMN. */
  readonly cutOffAfter: number | undefined;
  /** What must not be, one sentence each. */
  readonly flaws: readonly string[];
}

/**
 * A network of so many nodes, all of them in touch with one that is then revoked (threat T13). One of them is cut off
 * from the NMN; one is restarted afterwards and meets the revoked node again; one comes back from an older backup; and
 * the revoked node tries to join anew.
 */
export async function revokeOne(crypto: CryptoProvider, seed: number, count: number): Promise<Revocation> {
  const world = new SimulatedWorld({ seed, crypto, yieldTurn: () => new Promise(setImmediate) });
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { settled: false };
    const outcome = promise.finally(() => {
      state.settled = true;
    });
    outcome.catch(() => undefined);
    await world.until(() => state.settled, seconds(120), 'a promise');
    return outcome;
  };
  const joins = { perSecond: 1e6, capacity: 1e6 };
  const nmn = startNmn(crypto, world.host({ name: 'nmn' }), {
    membership: { joins, joinsPerSource: joins, openInvitations: 10_000 },
  });
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));
  const revoked: { nodeId?: number } = {};
  const open = async (name: string, host: SimulatedHost, store: MemoryStore, uri?: string): Promise<Node> => {
    const member = await openMember(host, store, 'device', uri);
    const node: Node = { name, host, store, member, events: [], cutAt: undefined };
    member.on(event => {
      node.events.push(event);
      // A session that is still there ends in the same moment.
      const isGone = event.kind === 'member' && event.change === 'removed' && event.nodeId === revoked.nodeId;
      if (isGone) node.cutAt ??= world.now;
    });
    return node;
  };
  const join = async (name: string): Promise<Node> => {
    const uri = await invite(nmn, owner, network, 'device', name);
    return open(name, world.host({ name }), new MemoryStore(), uri);
  };
  const nodes: Node[] = [];
  // An owner may ask for ten invitations a second in one session.
  while (nodes.length < count) {
    nodes.push(await during(join(`n${nodes.length}`)));
    await world.run(milliseconds(100));
  }
  const [lost, far, friend, restarted, old, ...others] = nodes as [Node, Node, Node, Node, Node, ...Node[]];
  const peers = [far, friend, restarted, old, ...others];
  const lostId = lost.member.node.nodeId;
  revoked.nodeId = lostId;
  await world.until(() => lost.member.node.nodes().length >= count + 2, seconds(30), 'everybody is known');
  for (const { member } of peers)
    lost.member.do((node, now) => {
      node.connect(now, member.node.nodeId);
    });
  for (const [one, other] of [
    [friend, far],
    [old, restarted],
  ] as const)
    one.member.do((node, now) => {
      node.connect(now, other.member.node.nodeId);
    });
  const isConnected = ({ events }: Node, peer: number): boolean =>
    events.some(event => event.kind === 'connected' && event.peer === peer);
  await world.until(
    () =>
      peers.every(node => isConnected(node, lostId)) &&
      isConnected(far, friend.member.node.nodeId) &&
      isConnected(old, restarted.member.node.nodeId),
    seconds(60),
    'everybody is in touch with the one',
  );
  await world.run(seconds(20));
  world.network.cut('nmn', far.name);
  const [lostBefore, oldBefore] = [await copyOf(lost.store), await copyOf(old.store)];

  const since = world.now;
  const answer = await during(askNmn(owner, { type: 'revoke', record: revocationOf(owner, lostId) }));
  await world.run(milliseconds(LIMIT));

  const flaws: string[] = answer.type === 'revoked' ? [] : [`the revocation was refused: ${answer.type}`];
  for (const { name, cutAt } of peers)
    if (cutAt === undefined) flaws.push(`${name} has not cut it off within ${LIMIT} ms`);
  if (!lost.events.some(event => event.kind === 'expelled')) flaws.push('the revoked node was not told');

  // With no NMN, nobody but its own store tells a node that was restarted who was revoked.
  nmn.host.crash();
  await during(Promise.all([lost, restarted, old].map(({ member }) => member.close())));
  const again = await during(open('again', restarted.host, restarted.store));
  const thief = await during(open('thief', lost.host, lostBefore));
  thief.member.do((node, now) => {
    node.connect(now, again.member.node.nodeId);
  });
  await world.run(seconds(10));
  if (isConnected(again, lostId)) flaws.push('a restarted node has taken the revoked one back');

  const backup = await during(open('backup', old.host, oldBefore));
  backup.member.do((node, now) => {
    node.connect(now, again.member.node.nodeId);
  });
  await world.run(seconds(10));
  const knows = ({ member }: Node): boolean => member.node.nodes().some(({ nodeId }) => nodeId === lostId);
  if (!isConnected(again, backup.member.node.nodeId)) flaws.push('a node from a backup found nobody');
  if (knows(again)) flaws.push('an older list was taken for a newer one');
  if (knows(backup)) flaws.push('a node from a backup did not learn of the revocation');

  const next = startNmn(crypto, nmn.host.restart(), nmn.life);
  const uri = await during(invite(next, owner, network, 'device', 'new'));
  const keys = await loadKeys(lostBefore, crypto, world.random);
  const keysInvited = await during(
    joinNetwork(
      world.host({ name: 'new' }),
      parseJoinUri(uri),
      [next.host.address(NMN_PORT)],
      { ...createNodeKeys(crypto, world.random), ...keys },
      { kind: 'device', name: 'new' },
    ).then(
      () => 'taken',
      (error: unknown) => String(error),
    ),
  );
  if (!keysInvited.includes('revoked')) flaws.push(`the revoked keys were not refused: ${keysInvited}`);
  const after = ({ cutAt }: Node): number[] => (cutAt === undefined ? [] : [cutAt - since]);
  return {
    cutAfter: peers.filter(node => node !== far).flatMap(after),
    cutOffAfter: after(far)[0],
    flaws,
  };
}

async function copyOf(store: MemoryStore): Promise<MemoryStore> {
  const copy = new MemoryStore();
  const entries = (await store.list('')).map(async key => [key, await store.read(key)] as const);
  await copy.write(new Map(await Promise.all(entries)));
  return copy;
}

/** Revocations in networks of a hundred nodes; every tenth with the real cryptography. */
export async function* revocationRounds(seed: number): AsyncGenerator<Round, void> {
  const real = await createCryptoProvider();
  for (let round = 0; ; round++) {
    const own = (seed + round) >>> 0;
    const crypto = round % 10 === 9 ? real : new AuthenticatingProvider();
    const { cutAfter, cutOffAfter, flaws } = await revokeOne(crypto, own, NODES);
    yield {
      counts: { revocations: 1, 'peers that cut it off': cutAfter.length },
      times: {
        ...(cutAfter.length > 0 && { 'the last peer': Math.max(...cutAfter) }),
        ...(cutOffAfter !== undefined && { 'the peer without an NMN': cutOffAfter }),
      },
      flaws: flaws.map(flaw => `seed ${own}: ${flaw}`),
    };
  }
}
