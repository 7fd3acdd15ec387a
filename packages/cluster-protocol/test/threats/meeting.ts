import { milliseconds, randomBytes } from '../../src/base/index.js';
import type { CryptoProvider } from '../../src/crypto/provider.js';
import { type SimulatedHost, SimulatedWorld } from '../../src/testing/index.js';
import { EndpointMachine } from '../session/endpoint-machine.js';
import { crypto } from './household.js';

/** Two endpoints, `left` with the lower key, in a world of their own; each admits everybody. */
export class Meeting {
  readonly world: SimulatedWorld;
  readonly left: EndpointMachine;
  readonly right: EndpointMachine;
  readonly a: SimulatedHost;
  readonly b: SimulatedHost;
  readonly #turns: readonly (() => void)[];

  constructor(seed: number, provider: CryptoProvider = crypto) {
    this.world = new SimulatedWorld({ seed, crypto });
    [this.a, this.b] = [this.world.host({ name: 'a' }), this.world.host({ name: 'b' })];
    const keys = [this.a, this.b]
      .map(host => crypto.dhKeyPair(randomBytes(host.random, 32)))
      .sort((x, y) => Buffer.compare(x.publicKey, y.publicKey));
    this.left = new EndpointMachine(provider, this.a, keys[0]!);
    this.right = new EndpointMachine(provider, this.b, keys[1]!);
    const runs = [this.a.attach(this.left, { port: 1_000 }), this.b.attach(this.right, { port: 1_000 })];
    this.#turns = runs.map(run => () => run.turn());
  }

  /** Lets what both sides have to say go out. */
  turn(): void {
    for (const turn of this.#turns) turn();
  }

  /** Left begins a handshake with right. */
  dial(): void {
    this.left.dial(this.a.now(), this.b.address(1_000), this.right.keys.publicKey);
    this.turn();
  }

  /** Left begins a handshake with right, and time passes until it is through. */
  connect(): void {
    this.dial();
    this.world.runNow(milliseconds(200));
  }

  /** Whether a message from left reaches right within `limit` milliseconds, in the newest session. */
  talks(limit: number): boolean {
    const handle = this.left.endpoint.sessionWith(this.right.keys.publicKey);
    const session = handle === undefined ? undefined : this.left.endpoint.open(handle);
    if (!session) return false;
    const before = messages(this.right);
    const sequence = ++this.#sequence;
    session.sendMessage(this.a.now(), {
      sequence,
      floor: sequence,
      service: 9,
      bytes: new Uint8Array(20),
    });
    this.turn();
    this.world.runNow(milliseconds(limit));
    return messages(this.right) === before + 1;
  }

  #sequence = 0;
}

const messages = (machine: EndpointMachine): number =>
  machine.events.filter(event => event.kind === 'session' && event.event.kind === 'message').length;
