import type {
  CryptoProvider,
  Duration,
  Host,
  Instant,
  LinkOptions,
  Machine,
  RandomSource,
  RunningMachine,
  WallTime,
} from '@coconet/cluster-protocol/core';

/** A host that leaves everything to another one; who extends it does one thing otherwise. */
export class ForwardingHost implements Host {
  protected readonly base: Host;

  constructor(base: Host) {
    this.base = base;
  }

  get random(): RandomSource {
    return this.base.random;
  }

  get crypto(): CryptoProvider {
    return this.base.crypto;
  }

  now(): Instant {
    return this.base.now();
  }

  wallTime(): WallTime {
    return this.base.wallTime();
  }

  schedule(delay: Duration, action: () => void): () => void {
    return this.base.schedule(delay, action);
  }

  run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine> {
    return this.base.run(machine, options, listener);
  }
}
