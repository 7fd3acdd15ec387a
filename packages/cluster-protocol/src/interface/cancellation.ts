/**
 * Whether somebody who waits has been called off. Unlike a promise it remembers one listener and not all it ever had,
 * so that a program may try again for months.
 */
export class Cancellation {
  #cancelled = false;
  #listener: () => void = () => undefined;

  /** Is called off when `aborted` resolves; without it, never. */
  constructor(aborted?: Promise<unknown>) {
    void aborted?.then(() => {
      this.#cancelled = true;
      this.#listener();
    });
  }

  get cancelled(): boolean {
    return this.#cancelled;
  }

  /** Calls `listener` when it happens, instead of the one before; without a listener, nobody. */
  listen(listener: () => void = () => undefined): void {
    this.#listener = listener;
  }
}
