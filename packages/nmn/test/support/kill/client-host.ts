import type { Duration, LinkOptions, Machine, RunningMachine } from '@coconet/cluster-protocol/core';

import { ForwardingHost } from '../forwarding-host.js';

/**
 * One life of a process full of clients, inside this one: when it ends, so does everything that was opened through it,
 * without a goodbye, and what waited for an answer waits for ever.
 */
export class ClientHost extends ForwardingHost {
  readonly #running = new Set<RunningMachine>();
  readonly #scheduled = new Set<() => void>();
  #over = false;

  override schedule(delay: Duration, action: () => void): () => void {
    if (this.#over) return () => undefined;
    const cancel = super.schedule(delay, () => {
      this.#scheduled.delete(cancel);
      action();
    });
    this.#scheduled.add(cancel);
    return () => {
      this.#scheduled.delete(cancel);
      cancel();
    };
  }

  override async run<Event>(
    machine: Machine<Event>,
    options: LinkOptions,
    listener: (event: Event) => void,
  ): Promise<RunningMachine> {
    if (this.#over) return new Promise(() => undefined);
    const running = await super.run(machine, options, event => {
      if (!this.#over) listener(event);
    });
    if (this.#isOver()) {
      await running.close();
      return new Promise(() => undefined);
    }
    const kept: RunningMachine = {
      links: running.links,
      turn: () => {
        if (!this.#over) running.turn();
      },
      close: async () => {
        this.#running.delete(kept);
        await running.close();
      },
    };
    this.#running.add(kept);
    return kept;
  }

  /** Looks anew, after a wait in which it may have ended. */
  #isOver(): boolean {
    return this.#over;
  }

  /** Ends it all. */
  async end(): Promise<void> {
    this.#over = true;
    for (const cancel of this.#scheduled) cancel();
    await Promise.all([...this.#running].map(running => running.close()));
  }
}
