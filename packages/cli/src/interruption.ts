/** Why a command was told to end. */
export type InterruptionCause =
  /** Ctrl-C. */
  | 'SIGINT'
  /** Asked to stop by another program. */
  | 'SIGTERM'
  /** The terminal is gone. */
  | 'SIGHUP'
  /** Nobody reads what we write any more: `coconet watch … | head`. */
  | 'pipe';

/** What a shell reports for a program that a signal has ended: 128 and the signal's number. */
export const STATUS_OF: Readonly<Record<InterruptionCause, number>> = {
  SIGINT: 130,
  SIGTERM: 143,
  SIGHUP: 129,
  pipe: 0,
};

/** Turns signals to this process into one abort signal. A second Ctrl-C does not wait for anything any more. */
export class Interruption {
  readonly #controller = new AbortController();
  readonly #process: NodeJS.Process | undefined;
  #cause: InterruptionCause | undefined;

  /** @param process - whose signals are meant; absent: nobody interrupts. */
  constructor(process: NodeJS.Process | undefined) {
    this.#process = process;
    if (process === undefined) return;
    process.on('SIGINT', this.#onInterrupt);
    process.on('SIGTERM', this.#onTerminate);
    process.on('SIGHUP', this.#onHangUp);
    process.stdout.on('error', this.#onOutputError);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The first cause; `undefined`: nobody interrupted us. */
  get cause(): InterruptionCause | undefined {
    return this.#cause;
  }

  /** Gives the signals back. */
  end(): void {
    this.#process?.off('SIGINT', this.#onInterrupt);
    this.#process?.off('SIGTERM', this.#onTerminate);
    this.#process?.off('SIGHUP', this.#onHangUp);
    this.#process?.stdout.off('error', this.#onOutputError);
  }

  readonly #onInterrupt = (): void => {
    if (this.#cause !== undefined) this.#process?.exit(STATUS_OF.SIGINT);
    this.#interrupt('SIGINT');
  };

  readonly #onTerminate = (): void => this.#interrupt('SIGTERM');

  readonly #onHangUp = (): void => this.#interrupt('SIGHUP');

  readonly #onOutputError = (error: NodeJS.ErrnoException): void => {
    if (error.code === 'EPIPE') this.#interrupt('pipe');
  };

  #interrupt(cause: InterruptionCause): void {
    this.#cause ??= cause;
    this.#controller.abort(new DOMException(`interrupted (${cause})`, 'AbortError'));
  }
}
