import { type Duration, elapsed, milliseconds, randomBytes, seconds } from '../../src/base/index.js';
import type { CryptoProvider, KeyPair } from '../../src/crypto/provider.js';
import type { RunningMachine } from '../../src/interface/machine.js';
import type { SessionConfig } from '../../src/session/index.js';
import {
  type LinkConditions,
  NonceWatch,
  type Recorder,
  type SeededRandom,
  type SimulatedHost,
  type SimulatedNat,
  SimulatedWorld,
} from '../../src/testing/index.js';
import { Ledger } from './ledger.js';
import { Party } from './party.js';
import { StreamLedger } from './stream-traffic.js';

/** How a {@link Duet} is set up. */
export interface DuetOptions {
  readonly seed: number;
  readonly crypto: CryptoProvider;
  readonly recorder?: Recorder;
  /** Of the links of both, both ways. */
  readonly link?: Partial<LinkConditions>;
  readonly config?: Partial<SessionConfig>;
  /** Whether the caller is behind a NAT, which may then forget its mappings. */
  readonly nat?: boolean;
  /** Whether each calls the other; else `a` calls `b`. Nobody can call somebody behind a NAT. */
  readonly mutual?: boolean;
  readonly cautious?: boolean;
  /** How long a call waits for its answer. */
  readonly patience?: Duration;
}

export type Name = 'a' | 'b';

interface Seat {
  readonly keys: KeyPair;
  readonly resetSecret: Uint8Array;
  host: SimulatedHost;
  party: Party;
  running: RunningMachine;
}

const PORT = 5_000;
const NAMES: readonly Name[] = ['a', 'b'];

/** Two parties in a simulated world, and everything that is known of what they told each other. */
export class Duet {
  readonly world: SimulatedWorld;
  readonly ledger: Ledger = new Ledger();
  readonly streams: StreamLedger = new StreamLedger();
  readonly nonces: NonceWatch;
  readonly nat: SimulatedNat | undefined;
  readonly #options: DuetOptions;
  readonly #seats: Record<Name, Seat>;

  constructor(options: DuetOptions) {
    const { seed, crypto, recorder, nat = false } = options;
    this.#options = options;
    this.nonces = new NonceWatch(crypto);
    this.world = new SimulatedWorld({ seed, crypto: this.nonces, ...(recorder && { recorder }) });
    this.nat = nat ? this.world.network.lan({ nat: 'portRestricted' }) : undefined;
    const conditions = options.link ?? {};
    const hosts = {
      a: this.world.host({ name: 'a', conditions, ...(this.nat && { on: this.nat }) }),
      b: this.world.host({ name: 'b', conditions }),
    };
    const keys = (name: Name): KeyPair => crypto.dhKeyPair(randomBytes(hosts[name].random, 32));
    const known = { a: keys('a'), b: keys('b') };
    const seat = (name: Name): Seat => {
      const secret = randomBytes(hosts[name].random, 32);
      return this.#sit(name, hosts[name], known[name], secret, known[other(name)].publicKey, hosts, 0);
    };
    this.#seats = { a: seat('a'), b: seat('b') };
  }

  get random(): SeededRandom {
    return this.world.random;
  }

  get a(): Party {
    return this.#seats.a.party;
  }

  get b(): Party {
    return this.#seats.b.party;
  }

  get parties(): readonly Party[] {
    return [this.a, this.b];
  }

  /** What nobody else may ever see. */
  get secrets(): readonly Uint8Array[] {
    return NAMES.flatMap(name => [this.#seats[name].keys.privateKey, this.#seats[name].resetSecret]);
  }

  host(name: Name): SimulatedHost {
    return this.#seats[name].host;
  }

  /** Whether both have the same session. */
  get connected(): boolean {
    return this.a.session?.isOpen === true && this.b.session?.isOpen === true;
  }

  /** Whether everything that was sent has arrived, and everybody knows. */
  get settled(): boolean {
    return this.connected && this.a.waiting === 0 && this.b.waiting === 0 && this.streams.complete;
  }

  /** Lets the program of one do something, and what comes of it leave. */
  do(name: Name, verb: (party: Party) => void): void {
    verb(this.#seats[name].party);
    this.#seats[name].running.turn();
  }

  run(duration: number): void {
    this.world.runNow(milliseconds(duration));
  }

  /** Lets time pass until a condition holds, at most `limit`; how long it took, `undefined`: it never held. */
  until(condition: () => boolean, limit: Duration = seconds(60)): Duration | undefined {
    const start = this.world.now;
    while (!condition()) {
      if (elapsed(start, this.world.now) >= limit) return undefined;
      this.run(STEP);
    }
    return elapsed(start, this.world.now);
  }

  /** Conditions of all links, both ways. */
  setLink(conditions: Partial<LinkConditions>): void {
    for (const name of NAMES) this.host(name).board.setConditions(conditions);
  }

  /** The power of one fails and comes back after a while; `forgets`: its reset secret is lost, too. */
  restart(name: Name, downtime: number, forgets: boolean): void {
    const seat = this.#seats[name];
    seat.party.die();
    seat.host.crash();
    this.run(downtime);
    const host = seat.host.restart();
    const secret = forgets ? randomBytes(host.random, 32) : seat.resetSecret;
    const { keys } = this.#seats[other(name)];
    const hosts = { a: this.host('a'), b: this.host('b'), [name]: host };
    const life = seat.party.life + 1;
    this.#seats[name] = this.#sit(name, host, seat.keys, secret, keys.publicKey, hosts, life);
  }

  #sit(
    name: Name,
    host: SimulatedHost,
    keys: KeyPair,
    resetSecret: Uint8Array,
    remoteStatic: Uint8Array,
    hosts: Readonly<Record<Name, SimulatedHost>>,
    life: number,
  ): Seat {
    const { config = {}, mutual = false, cautious = false, patience } = this.#options;
    const calls = name === 'a' || (mutual && !this.nat);
    const party = new Party({
      name,
      crypto: this.nonces,
      host,
      keys,
      resetSecret,
      remoteStatic,
      remote: calls ? hosts[other(name)].address(PORT) : undefined,
      life,
      ledger: this.ledger,
      streams: this.streams,
      config,
      cautious,
      ...(patience !== undefined && { patience }),
    });
    const running = host.attach(party, { port: PORT });
    return { keys, resetSecret, host, party, running };
  }
}

/** How exactly {@link Duet.until} looks. */
const STEP = 10;

export const other = (name: Name): Name => (name === 'a' ? 'b' : 'a');
