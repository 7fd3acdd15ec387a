import {
  type KeyPair,
  milliseconds,
  packetKind,
  type PacketKind,
  randomBytes,
  type SocketAddress,
  socketAddress,
} from '@coconet/cluster-protocol/core';
import { SeededRandom } from '@coconet/cluster-protocol/testing';

import { Arena, type Inhabitant, type Sent } from './arena.js';
import { KeyLog } from './key-log.js';
import type { Scene, SceneMaker } from './scene.js';
import { Speaker, type SpeakerOptions } from './speaker.js';

export const addressOf = (host: string, port: number): SocketAddress => {
  const address = socketAddress(host, port);
  if (!address) throw new Error(`${host} is no address`);
  return address;
};

const VICTIM = addressOf('192.0.2.1', 4_000);
const PEER = addressOf('198.51.100.1', 5_000);
const WITNESS = addressOf('198.51.100.2', 5_000);
const CROWD = addressOf('198.51.100.3', 5_000);
/** The relay channel on both legs. */
const CHANNEL = 0x0a0b0c0d;
/** Where strangers are: at the peer's address, at its other ports, elsewhere. */
export const STRANGERS: readonly SocketAddress[] = [
  PEER,
  addressOf('198.51.100.1', 5_001),
  addressOf('203.0.113.7', 1_024),
  addressOf('203.0.113.7', 53),
  addressOf('2001:db8::7', 4_000),
];

/** Handshakes and sessions of the victim: those in the scene, and what strangers may have pending. */
const MOST_SESSIONS = 300;
/** Paths: 24 of each of a few sessions and what handshakes hold. */
const MOST_PATHS = 400;
/** All streams of an endpoint: the bound of its memory. */
const MOST_STREAM_BYTES = 64 * 1024 * 1024;
/** An answer that did not come after this does not come. */
const PATIENCE_MS = 2_000;
const TRIES = 20;
/** More handshakes in a moment than an endpoint opens without a cookie. */
const MOST_AT_ONCE = 70;

interface Cast {
  readonly arena: Arena;
  readonly victim: Speaker;
  readonly peer: Speaker;
  readonly random: SeededRandom;
  readonly keys: KeyLog;
  readonly V: Inhabitant;
  readonly A: Inhabitant;
}

interface SceneOptions {
  readonly victim?: Partial<SpeakerOptions>;
  readonly peer?: Partial<SpeakerOptions>;
  readonly channel?: number;
}

/** Victim, peer and a witness, and a session between the first two as far as `begin` says. */
function scene(begin: (cast: Cast) => void, options: SceneOptions = {}): SceneMaker {
  return seed => {
    const random = new SeededRandom(seed + 1);
    const keys = new KeyLog();
    const arena = new Arena();
    const draw = (): KeyPair => keys.dhKeyPair(randomBytes(random, 32));
    const speaker = (name: string, more: Partial<SpeakerOptions> = {}): Speaker =>
      new Speaker({ random: random.fork(name), keys, staticKey: draw(), ...more });
    const [victim, peer, witness] = [speaker('v', options.victim), speaker('a', options.peer), speaker('w')];
    const live = (machine: Speaker, address: SocketAddress): Inhabitant => {
      const who: Inhabitant = { machine, address, onEvent: event => machine.take(event) };
      arena.add(who);
      return who;
    };
    const [V, A, W] = [live(victim, VICTIM), live(peer, PEER), live(witness, WITNESS)];
    if (options.channel !== undefined)
      for (const [who, remote] of [
        [victim, PEER],
        [peer, VICTIM],
      ] as const) {
        const { paths } = who.endpoint;
        paths.hold(paths.intern(1, remote, options.channel).id);
      }
    const before: Uint8Array[] = [];
    const passes = arena.passes;
    arena.passes = sent => {
      if (sent.from.key === PEER.key && sent.to.key === VICTIM.key) before.push(sent.bytes);
      return passes(sent);
    };
    begin({ arena, victim, peer, random, keys, V, A });
    arena.passes = passes;
    arena.slowest = 0;
    const ended = victim.ended;
    let mayEnd = peer.session(victim.staticKey) === undefined;
    const dial = (now: Scene['arena']['now'], who: Speaker): void =>
      who.dial(now, VICTIM, victim.staticKey, who === peer ? options.channel : undefined);

    /** Whether somebody gets a message through and hears of it, with a new session if need be. */
    const serves = (who: Speaker, at: Inhabitant): boolean => {
      const { acknowledged } = who;
      for (let tries = 0; tries < TRIES && who.acknowledged === acknowledged; tries++) {
        arena.act(at, now => {
          const session = who.session(victim.staticKey);
          if (!session) dial(now, who);
          else who.act(now, victim.staticKey, 0, 5);
        });
        arena.pass(PATIENCE_MS);
      }
      return who.acknowledged > acknowledged;
    };
    return {
      arena,
      keys,
      peer: A,
      before,
      sources: STRANGERS,
      relays: false,
      victimDoes: (verb, argument) => {
        arena.act(V, now => victim.act(now, peer.staticKey, verb, argument));
      },
      peerDoes: (verb, argument) => {
        arena.act(A, now => {
          // Now and then it begins anew, or ends.
          if (verb % 32 === 31) {
            mayEnd = true;
            peer.session(victim.staticKey)?.close(now, 0, 'over');
          } else if (verb % 32 === 30) {
            mayEnd = true;
            dial(now, peer);
          } else peer.act(now, victim.staticKey, verb, argument);
        });
      },
      live: () => {
        arena.pass(50);
        if (!peer.session(victim.staticKey)) arena.act(A, now => dial(now, peer));
        for (let round = 0; round < 3; round++)
          for (let verb = 0; verb < 16; verb++) {
            arena.pass(40);
            arena.act(A, now => peer.act(now, victim.staticKey, verb, 3 + 50 * round + verb));
            arena.act(V, now => victim.act(now, peer.staticKey, verb, 7 + 40 * round + verb));
          }
        arena.pass(500);
        arena.act(A, now => peer.session(victim.staticKey)?.close(now, 0, 'over'));
        arena.pass(1_000);
        arena.act(A, now => dial(now, peer));
        arena.pass(500);
        arena.act(V, now => victim.session(peer.staticKey)?.close(now, 0, 'over'));
        arena.pass(500);
      },
      drops: () => victim.drops.snapshot(),
      taken: () => victim.taken,
      extent: () => victim.endpoint.size,
      news: () => victim.news.splice(0),
      sizes: () => [
        ['the table of sessions', victim.endpoint.size, MOST_SESSIONS],
        ['the table of paths', victim.endpoint.paths.size, MOST_PATHS],
        ['the memory of streams', victim.endpoint.streamBytes, MOST_STREAM_BYTES],
      ],
      prove: honest => {
        if (honest && victim.foreign.length > 0)
          return `a message came that nobody sent: ${victim.foreign[0]}`;
        if (honest && !mayEnd && victim.ended > ended) return 'the session of the peer was ended';
        if (options.victim?.refusing === true) return undefined;
        if (honest && !serves(peer, A)) return 'the peer is not served any more';
        return honest || serves(witness, W) ? undefined : 'nobody else is served any more';
      },
    };
  };
}

const open = ({ arena, peer, victim, A }: Cast): void => {
  arena.act(A, now => peer.dial(now, VICTIM, victim.staticKey));
  arena.pass(60);
};

const opened = ({ arena, peer, victim, V }: Cast): void => {
  arena.act(V, now => victim.dial(now, PEER, peer.staticKey));
  arena.pass(60);
};

/** Keeps back what `which` says for as long as `during` takes. */
function without(arena: Arena, which: (sent: Sent) => boolean, during: () => void): void {
  const { passes } = arena;
  arena.passes = sent => passes(sent) && !which(sent);
  during();
  arena.passes = passes;
}

const isKind =
  (kind: PacketKind, from?: SocketAddress) =>
  (sent: Sent): boolean =>
    packetKind(sent.bytes[0]!) === kind && (from === undefined || sent.from.key === from.key);

/** Both have said much and little, and streams are open. */
const talk = (cast: Cast): void => {
  const { arena, peer, victim, A, V } = cast;
  open(cast);
  for (const verb of [0, 2, 4, 6, 4, 6, 13, 3]) {
    arena.act(A, now => peer.act(now, victim.staticKey, verb, 21));
    arena.act(V, now => victim.act(now, peer.staticKey, verb, 33));
    arena.pass(15);
  }
};

const quick: SceneOptions = { peer: { config: { ackDelay: milliseconds(5) } } };

/** An endpoint in every state. */
export const ENDPOINT_SCENES: Readonly<Record<string, SceneMaker>> = {
  'no session': scene(() => undefined),
  'a stranger is asked for a nonce': scene(
    ({ arena, peer, victim, A }) => {
      arena.act(A, now => peer.dial(now, VICTIM, victim.staticKey));
      without(arena, isKind('initiation', PEER), () => arena.pass(12));
    },
    { victim: { cautious: true } },
  ),
  'nobody is let in': scene(() => undefined, { victim: { refusing: true } }),
  'message 1 is answered': scene(cast => {
    without(cast.arena, isKind('data', PEER), () => open(cast));
  }),
  'message 1 is sent': scene(cast => {
    without(cast.arena, isKind('response', PEER), () => opened(cast));
  }),
  'a nonce is asked for': scene(
    cast => {
      without(cast.arena, isKind('response', PEER), () => opened(cast));
    },
    { peer: { cautious: true } },
  ),
  'both call': scene(({ arena, peer, victim, A, V }) => {
    arena.act(A, now => peer.dial(now, VICTIM, victim.staticKey));
    arena.act(V, now => victim.dial(now, PEER, peer.staticKey));
    without(arena, isKind('response'), () => arena.pass(12));
  }),
  'a session, called': scene(open),
  'a session, calling': scene(opened, quick),
  'over a relay': scene(
    ({ arena, peer, victim, A }) => {
      arena.act(A, now => peer.dial(now, VICTIM, victim.staticKey, CHANNEL));
      arena.pass(60);
    },
    { channel: CHANNEL },
  ),
  'streams and messages': scene(talk),
  'messages partly here': scene(cast => {
    const { arena, peer, victim, A } = cast;
    open(cast);
    let count = 0;
    without(
      arena,
      sent => sent.from.key === PEER.key && count++ % 3 === 1,
      () => {
        for (const length of [90, 70, 200]) arena.act(A, now => peer.act(now, victim.staticKey, 2, length));
        arena.pass(30);
      },
    );
  }),
  'keys are being changed': scene(cast => {
    const { arena, peer, victim, V } = cast;
    open(cast);
    arena.act(V, now => victim.act(now, peer.staticKey, 0, 9));
    without(arena, isKind('data', PEER), () => {
      arena.act(V, now => victim.act(now, peer.staticKey, 12, 0));
      arena.pass(12);
    });
  }),
  'keys were changed': scene(cast => {
    const { arena, peer, victim, A } = cast;
    open(cast);
    arena.act(A, now => peer.act(now, victim.staticKey, 12, 0));
    arena.pass(40);
    arena.act(A, now => peer.act(now, victim.staticKey, 0, 9));
    arena.pass(10);
  }),
  closing: scene(cast => {
    const { arena, peer, victim, V } = cast;
    talk(cast);
    without(arena, isKind('data', VICTIM), () => {
      arena.act(V, now => victim.session(peer.staticKey)?.close(now, 0, 'over'));
      arena.pass(5);
    });
  }),
  closed: scene(cast => {
    const { arena, peer, victim, A } = cast;
    talk(cast);
    arena.act(A, now => peer.session(victim.staticKey)?.close(now, 0, 'over'));
    arena.pass(3_000);
  }),
  loaded: scene(cast => {
    const { arena, peer, victim, keys, random, A } = cast;
    const crowd = new Speaker({
      random: random.fork('crowd'),
      keys,
      staticKey: keys.dhKeyPair(randomBytes(random, 32)),
    });
    for (let i = 0; i < MOST_AT_ONCE; i++) {
      crowd.dial(arena.now, CROWD, victim.staticKey);
      const sent = crowd.pollTransmit(arena.now);
      if (sent) arena.inject(CROWD, sent.bytes.slice());
    }
    arena.act(A, now => peer.dial(now, VICTIM, victim.staticKey));
    arena.pass(7);
  }),
};
