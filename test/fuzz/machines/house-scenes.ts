import { SeededRandom } from '@coconet/cluster-protocol/testing';

import { Arena } from './arena.js';
import { STRANGERS } from './endpoint-scenes.js';
import { Dweller, foundNetwork, type Network, type Resident, startNmn } from './house.js';
import { KeyLog } from './key-log.js';
import type { Scene, SceneMaker } from './scene.js';

/** Bounds of tables, far below what would hurt and above what a scene needs. */
const MOST = {
  sessions: 300,
  paths: 400,
  peers: 16,
  leases: 64,
  guests: 300,
  streamBytes: 64 * 1024 * 1024,
} as const;
/** Whoever is not served within so many stretches of so many ms is not served any more. */
const TRIES = 40;
const PATIENCE_MS = 2_000;

type Nmn = ReturnType<typeof startNmn>;

interface Cast {
  readonly arena: Arena;
  readonly nmn: Nmn | undefined;
  readonly victim: Dweller | undefined;
  readonly peer: Dweller | undefined;
  readonly witness: Dweller;
}

interface Wish {
  /** Whose part the fuzzer takes. */
  readonly peer: Resident | 'nmn';
  readonly victim: Resident | 'nmn';
  /** Whether there is an NMN. */
  readonly online: boolean;
  /** Whether the peer has rights with which it may lawfully cut others off. */
  readonly mighty?: boolean;
  readonly begin: (cast: Cast) => void;
}

/** A house in which `victim` is at the mercy of `peer`, and the door looks whether it still serves others. */
function house(network: Network, wish: Wish): SceneMaker {
  return seed => {
    const random = new SeededRandom(seed + 1);
    const keys = new KeyLog();
    const arena = new Arena();
    const nmnNews: string[] = [];
    const start = (name: Resident | 'nmn'): Dweller | Nmn =>
      name === 'nmn'
        ? startNmn(arena, network, keys, random, nmnNews)
        : new Dweller(arena, network, name, keys, random, wish.online);
    const victim = start(wish.victim);
    const peer = start(wish.peer);
    const door = start('door') as Dweller;
    const nmn =
      [victim, peer].find((who): who is Nmn => !(who instanceof Dweller)) ??
      (wish.online ? (start('nmn') as Nmn) : undefined);
    const V = victim instanceof Dweller ? victim : undefined;
    const A = peer instanceof Dweller ? peer : undefined;
    const before: Uint8Array[] = [];
    const { passes } = arena;
    arena.passes = sent => {
      if (sent.from.key === peer.address.key && sent.to.key === victim.address.key) before.push(sent.bytes);
      return passes(sent);
    };
    wish.begin({ arena, nmn, victim: V, peer: A, witness: door });
    arena.passes = passes;
    arena.slowest = 0;

    const serves = (who: Dweller): boolean => {
      const { served } = who;
      // A message for the NMN is a question that it answers.
      arena.act(who, now => {
        if (V) who.act(now, V.nodeId, 0, 5);
        else who.act(now, 0, 12, 0);
      });
      for (let tries = 0; tries < TRIES && who.served === served; tries++) {
        arena.pass(PATIENCE_MS);
        if (!V && tries % 8 === 7) arena.act(who, now => who.act(now, 0, 12, 0));
      }
      return who.served > served;
    };
    const scene: Scene = {
      arena,
      keys,
      peer,
      before,
      sources: [peer.address, ...STRANGERS],
      relays: V === undefined,
      victimDoes: (verb, argument) => {
        if (V) arena.act(V, now => V.act(now, A?.nodeId ?? door.nodeId, verb, argument));
      },
      peerDoes: (verb, argument) => {
        if (A) arena.act(A, now => A.act(now, V?.nodeId ?? door.nodeId, verb, argument));
      },
      live: () => {
        for (let round = 0; round < 2; round++)
          for (let verb = 0; verb < 16; verb++) {
            scene.peerDoes(verb, 40 * round + 3 * verb);
            scene.victimDoes(verb, 50 * round + 2 * verb);
            arena.act(door, now => door.act(now, V?.nodeId ?? A?.nodeId ?? 0, verb, 20));
            arena.pass(120);
          }
        scene.peerDoes(6, 255);
        arena.pass(2_000);
      },
      drops: () => dropsOf(victim.machine),
      taken: () => Infinity,
      extent: () => victim.machine.tables.sessions,
      news: () => [...nmnNews.splice(0), ...(V?.news.splice(0) ?? [])],
      sizes: () =>
        Object.entries(victim.machine.tables).map(([name, size]) => [
          `the table of ${name}`,
          size as number,
          MOST[name as keyof typeof MOST],
        ]),
      prove: honest => {
        if (honest && A && !serves(A)) return 'the peer is not served any more';
        if (honest || wish.mighty === true) return undefined;
        return serves(door) ? undefined : 'nobody else is served any more';
      },
    };
    return scene;
  };
}

/** Drops by reason, those of sub-systems by their names. */
function dropsOf(machine: Dweller['machine'] | Nmn['machine']): Record<string, number> {
  const drops = { ...machine.drops.snapshot() } as Record<string, number>;
  if (!('relay' in machine)) return drops;
  for (const [reason, count] of Object.entries(machine.relay.counters.dropped))
    drops[`relay ${reason}`] = count;
  for (const [reason, count] of Object.entries(machine.stun.dropped)) drops[`stun ${reason}`] = count;
  return drops;
}

const talk = ({ arena, peer, victim }: Cast): void => {
  arena.pass(400);
  for (const verb of [5, 0, 8, 9, 2, 8]) {
    if (peer && victim) {
      arena.act(peer, now => peer.act(now, victim.nodeId, verb, 30));
      arena.act(victim, now => victim.act(now, peer.nodeId, verb, 60));
    }
    arena.pass(60);
  }
};

/** A member in some states, at the mercy of another member and of its NMN. */
export async function memberScenes(): Promise<Readonly<Record<string, SceneMaker>>> {
  const network = await foundNetwork();
  const alone = { victim: 'lamp', peer: 'phone', online: false } as const;
  const known = { victim: 'lamp', peer: 'phone', online: true } as const;
  return {
    'member: nobody has called': house(network, { ...alone, begin: () => undefined }),
    'member: a member calls': house(network, {
      ...alone,
      begin: ({ arena, peer, victim }) => {
        arena.act(peer!, now => peer!.act(now, victim!.nodeId, 5, 0));
        arena.pass(7);
      },
    }),
    'member: with another, no NMN': house(network, { ...alone, begin: talk }),
    'member: with another and an NMN': house(network, { ...known, begin: talk }),
    'member: the NMN is hostile': house(network, {
      victim: 'lamp',
      peer: 'nmn',
      online: true,
      mighty: true,
      begin: talk,
    }),
  };
}

/** An NMN in some states, at the mercy of a guest, of a device, and of the owner. */
export async function nmnScenes(): Promise<Readonly<Record<string, SceneMaker>>> {
  const network = await foundNetwork();
  const rest = ({ arena }: Cast): void => arena.pass(500);
  return {
    'nmn: just started': house(network, {
      victim: 'nmn',
      peer: 'phone',
      online: true,
      begin: () => undefined,
    }),
    'nmn: a guest': house(network, { victim: 'nmn', peer: 'phone', online: true, begin: rest }),
    'nmn: a device that talks': house(network, {
      victim: 'nmn',
      peer: 'lamp',
      online: true,
      begin: cast => {
        rest(cast);
        const { arena, peer, witness } = cast;
        arena.act(peer!, now => peer!.act(now, witness.nodeId, 0, 9));
        arena.pass(300);
      },
    }),
    'nmn: the owner': house(network, {
      victim: 'nmn',
      peer: 'owner',
      online: true,
      mighty: true,
      begin: rest,
    }),
  };
}
