import { type Duration, instant, type Instant, milliseconds } from '../../src/base/index.js';
import {
  type Candidate,
  type CandidateList,
  decodeCandidates,
  type LocalLink,
  type PathAction,
  PathAgent,
} from '../../src/path/index.js';
import type { Path } from '../../src/session/index.js';
import { SeededRandom } from '../../src/testing/seeded-random.js';
import { parseSocketAddress, type SocketAddress } from '../../src/wire/index.js';

export const address = (text: string): SocketAddress => {
  const found = parseSocketAddress(text);
  if (found === undefined) throw new Error(`${text} is no address`);
  return found;
};

export const NMN = address('203.0.113.1:4433');

/** One machine at 192.168.1.10 behind a NAT at 198.51.100.10, with loopback, docker and IPv6. */
export const HOME: readonly LocalLink[] = [
  {
    link: 0,
    family: 4,
    port: 5000,
    addresses: [
      { host: '127.0.0.1', prefixLength: 8, interfaceName: 'lo', internal: true },
      { host: '172.17.0.1', prefixLength: 16, interfaceName: 'docker0', internal: false },
      { host: '192.168.1.10', prefixLength: 24, interfaceName: 'eth0', internal: false },
    ],
  },
  {
    link: 1,
    family: 6,
    port: 5000,
    addresses: [
      { host: '::1', prefixLength: 128, interfaceName: 'lo', internal: true },
      { host: '2001:db8:1::10', prefixLength: 64, interfaceName: 'eth0', internal: false },
      { host: 'fe80::1%eth0', prefixLength: 64, interfaceName: 'eth0', internal: false },
    ],
  },
];

const ids = new Map<string, number>();

/** The path with these three, the same id for the same path. */
export function pathOf(remote: string, options: { link?: number; channel?: number } = {}): Path {
  const found = address(remote);
  const link = options.link ?? (found.family === 4 ? 0 : 1);
  const key = `${link}|${found.key}|${options.channel ?? ''}`;
  const id = ids.get(key) ?? ids.size + 1;
  ids.set(key, id);
  return { id, link, remote: found, channel: options.channel };
}

/** The relay path that most tests begin on. */
export const RELAY = pathOf('203.0.113.1:4433', { channel: 7 });

export const hosts = (...texts: string[]): Candidate[] =>
  texts.map(text => ({ kind: 'host', address: address(text) }));

export interface Sent {
  readonly at: number;
  readonly action: PathAction;
}

/** An agent under virtual time, and everything it wanted done so far. */
export class Bench {
  readonly agent: PathAgent;
  readonly sent: Sent[] = [];
  now: Instant = instant(0);
  /** Round trip of addresses that answer probes. */
  readonly answering: Map<string, number> = new Map();
  #generation = 0;
  #answers: { at: Instant; path: Path; rtt: Duration }[] = [];

  constructor(options: { forbidden?: SocketAddress[]; links?: readonly LocalLink[] } = {}) {
    const forbidden = options.forbidden ?? [NMN];
    this.agent = new PathAgent({
      random: new SeededRandom(1),
      rules: { allowDocumentation: true, forbidden: () => forbidden },
    });
    this.do(() => this.agent.setLocal(this.now, options.links ?? HOME));
  }

  /** A session over the relay, as the one who called. */
  open(path: Path = RELAY, role: 'initiator' | 'responder' = 'initiator'): void {
    this.do(() => {
      if (path.channel !== undefined) this.agent.relayAvailable(this.now, path);
      this.agent.sessionOpened(this.now, { path, role });
    });
  }

  observed(...texts: string[]): void {
    this.do(() => this.agent.peerObserved(this.now, texts.map(address)));
  }

  named(candidates: readonly Candidate[]): void {
    const list: CandidateList = { generation: this.#generation++, candidates };
    this.do(() => this.agent.peerCandidates(this.now, list));
  }

  validated(path: Path, rtt: number): void {
    this.do(() => this.agent.pathValidated(this.now, path, milliseconds(rtt)));
  }

  suspect(path: Path): void {
    this.do(() => this.agent.pathSuspect(this.now, path));
  }

  fail(path: Path): void {
    this.do(() => this.agent.pathFailed(this.now, path));
  }

  /** Lets time pass; timers and answers come when they are due. */
  pass(duration: number): void {
    const end = this.now + duration;
    for (;;) {
      const timer = this.agent.pollTimeout() ?? Infinity;
      const answer = Math.min(...this.#answers.map(({ at }) => at));
      const next = Math.max(this.now, Math.min(timer, answer));
      if (next > end) break;
      this.now = instant(next);
      const due = this.#answers.filter(({ at }) => at <= this.now);
      this.#answers = this.#answers.filter(({ at }) => at > this.now);
      for (const { path, rtt } of due) this.validated(path, rtt);
      this.do(() => this.agent.handleTimeout(this.now));
    }
    this.now = instant(end);
  }

  /** Runs `step`, then does what the agent wants. */
  do(step: () => void): void {
    step();
    for (let action = this.agent.pollAction(); action !== undefined; action = this.agent.pollAction()) {
      this.sent.push({ at: this.now, action });
      if (action.kind === 'probe') this.#answer(pathOf(action.remote.key, { link: action.link }));
    }
  }

  /** When probes were sent, to which address if one is given. */
  probes(to?: string): { at: number; to: string }[] {
    return this.sent.flatMap(({ at, action }) =>
      action.kind === 'probe' && (to === undefined || action.remote.key === to)
        ? [{ at, to: action.remote.key }]
        : [],
    );
  }

  of<Kind extends PathAction['kind']>(kind: Kind): (Extract<PathAction, { kind: Kind }> & { at: number })[] {
    return this.sent.flatMap(({ at, action }) =>
      action.kind === kind ? [{ at, ...(action as Extract<PathAction, { kind: Kind }>) }] : [],
    );
  }

  /** The addresses told to the peer last. */
  get told(): string[] {
    const bytes = this.of('sendCandidates').at(-1)?.bytes;
    const list = bytes && decodeCandidates(bytes);
    return list?.ok ? list.value.candidates.map(candidate => candidate.address.key) : [];
  }

  #answer(path: Path): void {
    const rtt = this.answering.get(path.remote.key);
    if (rtt !== undefined) this.#answers.push({ at: instant(this.now + rtt), path, rtt: milliseconds(rtt) });
  }
}
