import {
  type CryptoProvider,
  type Duration,
  type Host,
  type Instant,
  type LinkOptions,
  type Machine,
  milliseconds,
  type RandomSource,
  type RunningMachine,
  type WallTime,
} from '@coconet/cluster-protocol/core';

/** The longest that anything waits. */
const SOON = 5;

/** A host on which nobody waits long before trying again, so that tests need not either. */
export class HurriedHost implements Host {
  readonly #base: Host;

  constructor(base: Host) {
    this.#base = base;
  }

  get random(): RandomSource {
    return this.#base.random;
  }

  get crypto(): CryptoProvider {
    return this.#base.crypto;
  }

  now(): Instant {
    return this.#base.now();
  }

  wallTime(): WallTime {
    return this.#base.wallTime();
  }

  schedule(delay: Duration, action: () => void): () => void {
    return this.#base.schedule(milliseconds(Math.min(delay, SOON)), action);
  }

  run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine> {
    return this.#base.run(machine, options, listener);
  }
}
