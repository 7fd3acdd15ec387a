/** Time that passes only when a test says so. */
export class VirtualTime {
  now = 0;
  readonly #pending: { at: number; action: () => void }[] = [];

  readonly schedule = (delay: number, action: () => void): (() => void) => {
    const entry = { at: this.now + delay, action };
    this.#pending.push(entry);
    return () => {
      const index = this.#pending.indexOf(entry);
      if (index >= 0) this.#pending.splice(index, 1);
    };
  };

  get waiting(): number {
    return this.#pending.length;
  }

  /** Lets so many ms pass, with everything that falls due and what that leads to. */
  async pass(duration: number): Promise<void> {
    const end = this.now + duration;
    await settled();
    for (;;) {
      const next = this.#pending.reduce<{ at: number; action: () => void } | undefined>(
        (first, entry) => (entry.at <= end && (first === undefined || entry.at < first.at) ? entry : first),
        undefined,
      );
      if (next === undefined) break;
      this.#pending.splice(this.#pending.indexOf(next), 1);
      this.now = Math.max(this.now, next.at);
      next.action();
      await settled();
    }
    this.now = end;
  }
}

/** Lets all promises that are ready go on, and those that they make ready. */
export const settled = (): Promise<void> =>
  new Promise(resolve => {
    setImmediate(resolve);
  });
