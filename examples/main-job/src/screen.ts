import type { WriteStream } from 'node:tty';

import { frame } from './frame.js';
import type { Picture } from './picture.js';

/** Pictures drawn a second at most: more nobody sees, and each costs a terminal some work. */
const FRAME = 100;

/** A table on a terminal that is drawn again, in place, when something has changed. */
export class Screen {
  readonly #terminal: WriteStream;
  readonly #picture: Picture;
  #timer: NodeJS.Timeout | undefined;

  constructor(terminal: WriteStream, picture: Picture) {
    this.#terminal = terminal;
    this.#picture = picture;
    // The alternate screen, without a cursor: what was there before comes back at the end.
    terminal.write('\u001b[?1049h\u001b[?25l');
    terminal.on('resize', this.draw);
    process.on('exit', this.#restore);
    this.draw();
  }

  /** Draws soon. */
  readonly draw = (): void => {
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#drawNow();
    }, FRAME);
  };

  /** Gives the terminal back. */
  close(): void {
    clearTimeout(this.#timer);
    this.#terminal.off('resize', this.draw);
    process.off('exit', this.#restore);
    this.#restore();
  }

  readonly #restore = (): void => {
    this.#terminal.write('\u001b[?25h\u001b[?1049l');
  };

  #drawNow(): void {
    const { columns, rows } = this.#terminal;
    const lines = frame(this.#picture, columns, rows).map(line => `${line}\u001b[K`);
    this.#terminal.write(`\u001b[H${lines.join('\r\n')}\u001b[J`);
  }
}
