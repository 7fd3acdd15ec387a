import {
  type ClusterEvent,
  type CryptoProvider,
  encodeText,
  MemberRuntime,
  milliseconds,
  seconds,
} from '@coconet/cluster-protocol/core';
import {
  NAT_KINDS,
  NonceWatch,
  type Recorder,
  type NatKind,
  type SimulatedHost,
  SimulatedWorld,
} from '@coconet/cluster-protocol/testing';
import { resolve } from '../../packages/nmn/test/support/members.js';
import {
  foundNetwork,
  invite,
  type SimulatedNmn,
  startNmn,
} from '../../packages/nmn/test/support/simulated-nmn.js';

import type { Run } from './run.js';

const SERVICE = 0x8000;
const yieldTurn = (): Promise<void> => new Promise(setImmediate);

/** One side of the conversation, through all its lives. */
interface Side {
  readonly name: string;
  readonly kind: 'device' | 'client';
  host: SimulatedHost;
  member: MemberRuntime | undefined;
  life: number;
  /** Texts received, by life. */
  readonly received: Map<string, string>[];
  readonly problems: string[];
  /** The node id of the other side. */
  readonly peers: Set<number>;
  /** Texts by the sequence that this life gave them, and what became of them. */
  readonly sent: Map<
    string,
    { readonly text: string; delivered: boolean; readonly life: number; readonly peerLife: number }
  >;
}

/**
 * A whole network (NMN, device, client) for a minute of bad luck drawn from a seed: loss, reorder, duplication, cuts, NAT
 * rebinding, crashes and restarts of each of the three; then everything heals.
 */
export async function runHousehold(seed: number, crypto: CryptoProvider, recorder?: Recorder): Promise<Run> {
  const nonces = new NonceWatch(crypto);
  const world = new SimulatedWorld({ seed, crypto: nonces, yieldTurn, ...(recorder && { recorder }) });
  const { random } = world;
  const problems: string[] = [];
  let nmn: SimulatedNmn = startNmn(nonces, world.host({ name: 'nmn' }));
  const during = async <T>(promise: Promise<T>): Promise<T> => {
    const state = { settled: false };
    const outcome = promise.finally(() => {
      state.settled = true;
    });
    outcome.catch(() => undefined);
    await world.until(() => state.settled, seconds(60), 'a promise');
    return outcome;
  };
  await world.run(milliseconds(10));
  const { owner, network } = await during(foundNetwork(nmn, world.host({ name: 'owner' })));

  const kinds = Object.keys(NAT_KINDS) as NatKind[];
  const nats = ['lan1', 'lan2'].map(name =>
    world.network.lan({ name, nat: kinds[random.below(kinds.length)]! }),
  );
  const sides: Side[] = [];
  for (const [index, name] of ['lamp', 'phone'].entries()) {
    const kind = index === 0 ? 'device' : 'client';
    const uri = await during(invite(nmn, owner, network, kind, name));
    const host = world.host({ name, ...(random.below(4) > 0 && { on: nats[index]! }) });
    host.board.setConditions({ delay: milliseconds(5 + random.below(60)) });
    const side: Side = {
      name,
      kind,
      host,
      member: undefined,
      life: -1,
      received: [],
      problems,
      sent: new Map(),
      peers: new Set(),
    };
    await during(start(side, uri));
    sides.push(side);
  }
  await world.run(seconds(5));
  const ids = sides.map(side => side.member!.node.nodeId);
  sides.forEach((side, index) => {
    side.peers.add(ids[1 - index]!);
    side.host.disk().keepCopy();
  });

  let counter = 0;
  const speak = (from: number): void => {
    const side = sides[from]!;
    const text = `${side.name} ${counter++}`;
    const { life } = side;
    side.member?.do((node, now) => {
      // Half of them wait for a word after the other side lost its memory; nobody here keeps any.
      const once = counter % 2 === 0;
      const sequence = node.send(now, ids[1 - from]!, SERVICE, encodeText(text), { once });
      side.sent.set(`${life}/${sequence}`, { text, delivered: false, life, peerLife: sides[1 - from]!.life });
    });
  };
  const restartNmn = (): void => {
    nmn = startNmn(nonces, nmn.host.restart(), nmn.life);
  };

  for (let step = 0; step < 40; step++) {
    const one = random.below(2);
    const side = sides[one]!;
    switch (random.below(10)) {
      case 0:
        side.host.board.setConditions({
          loss: random.fraction() * 0.3,
          duplicate: random.fraction() * 0.5,
          reorder: random.fraction() * 0.3,
          jitter: milliseconds(random.below(100)),
          corrupt: random.fraction() * 0.05,
        });
        break;
      case 1:
        side.host.board.setConditions({ down: random.below(2) === 0 });
        break;
      case 2:
        nats[one]!.rebind();
        break;
      case 3:
        if (random.below(3) === 0) {
          side.member = undefined;
          side.host = side.host.restart();
          if (random.below(2) === 0) side.host.disk().restoreOldCopy();
          const restarted = start(side, undefined);
          restarted.catch((error: unknown) =>
            problems.push(`${side.name} did not start again: ${String(error)}`),
          );
        }
        break;
      case 4:
        if (random.below(2) === 0) side.host.disk().keepCopy();
        if (random.below(4) === 0) restartNmn();
        break;
      case 5:
        // The direct path alone; the relay goes on.
        if (random.below(2) === 0) world.network.cut('lamp', 'phone');
        else world.network.heal();
        break;
      default:
        speak(one);
        speak(1 - one);
    }
    await world.run(milliseconds(random.below(3_000)));
  }

  world.network.heal();
  for (const side of sides)
    side.host.board.setConditions({
      down: false,
      loss: 0,
      duplicate: 0,
      reorder: 0,
      corrupt: 0,
      jitter: milliseconds(0),
    });
  await world.run(seconds(45));
  for (const from of [0, 1]) speak(from);
  await world.run(seconds(10));

  for (const [index, side] of sides.entries()) {
    const peer = sides[1 - index]!;
    const heard = new Map(peer.received.flatMap(life => [...life]));
    const said = new Set([...side.sent.values()].map(({ text }) => text));
    for (const text of heard.keys())
      if (!said.has(text)) problems.push(`${peer.name} heard '${text}', which nobody said`);
    for (const { text, delivered, life, peerLife } of side.sent.values()) {
      // What a process had received when it died died with it; the layers above keep what must not.
      if (delivered && !heard.has(text) && peerLife === peer.life)
        problems.push(`'${text}' was acknowledged and never delivered`);
      if (life === side.life && !delivered)
        problems.push(`'${text}' was not delivered after everything had healed`);
    }
    const path = side.member?.node.explain(side.host.now(), ids[1 - index]!).path;
    if (path === undefined) problems.push(`${side.name} has no session after everything had healed`);
  }
  const heard = sides.reduce(
    (sum, { received }) => sum + received.reduce((all, life) => all + life.size, 0),
    0,
  );
  return {
    problems: [...problems, ...nonces.reused],
    virtual: world.now,
    hash: world.recorder.hash,
    counts: { datagrams: world.recorder.datagrams, letters: heard, keys: nonces.keys },
  };
}

async function start(side: Side, uri: string | undefined): Promise<void> {
  const { host, kind, name } = side;
  side.life++;
  const { life } = side;
  const heard = new Map<string, string>();
  side.received.push(heard);
  const member = await MemberRuntime.open({
    host,
    store: host.openStore(),
    join: uri,
    kind,
    name,
    resolve,
    allowDocumentationAddresses: true,
    // Keys as young as may be: about ten of them in a life.
    transport: { rekeyAfter: 10_000 },
  });
  if (life !== side.life) return;
  side.member = member;
  member.on((event: ClusterEvent) => {
    if (event.kind === 'message') {
      const text = new TextDecoder().decode(event.bytes);
      if (heard.has(text)) side.problems.push(`${name} heard '${text}' twice in one life`);
      heard.set(text, `${event.incarnation}/${event.sequence}`);
    }
    if (event.kind === 'inboxChanged')
      for (const sequence of event.undecided)
        member.do((node, now) => node.release(now, event.peer, sequence));
    // Sequences count for each peer by itself: those towards the NMN and the owner are none of ours.
    if (event.kind === 'delivered' && side.peers.has(event.peer)) {
      const message = side.sent.get(`${life}/${event.sequence}`);
      if (message) message.delivered = true;
    }
  });
}
