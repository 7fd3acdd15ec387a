import type { Fence } from './documents.js';

/** What a reader of the documents does next. */
export type Step =
  /** Types a line and waits until it has done its work; all that it says has to fit. */
  | {
      readonly kind: 'run';
      readonly line: string;
      readonly printed: boolean;
      readonly shows: RegExp | undefined;
    }
  /** Types a line in a terminal that it keeps; goes on when it has said that. */
  | {
      readonly kind: 'start';
      readonly line: string;
      readonly printed: boolean;
      readonly terminal: string;
      readonly shows: RegExp | undefined;
    }
  /** Waits until a terminal says that; what was waited for before does not count. */
  | { readonly kind: 'see'; readonly terminal: string; readonly shows: RegExp }
  /** Presses Ctrl-C in a terminal, and waits until all that ran in it has ended. */
  | { readonly kind: 'interrupt'; readonly terminal: string };

/** A block of a document: the one that begins with this line. */
export interface Block {
  readonly document: string;
  readonly begins: string;
}

/** A file that the reader makes: of a block, or of blocks with what they leave to the reader around them. */
export interface Program {
  readonly file: string;
  readonly parts: readonly (Block | string)[];
}

/** A way through some documents, from an empty folder, with everything that they say one after the other. */
export interface Walk {
  /** A sentence: it is the test's title. */
  readonly title: string;
  /** What the lines are printed in. */
  readonly documents: readonly string[];
  /** Where it begins: the folder of the README's first line, a copy of it, or an empty one with a network beside it. */
  readonly folder: 'first' | 'copy' | 'empty';
  readonly programs: readonly Program[];
  /** What this machine has in place of what the lines say: words, and what is typed for them. */
  readonly stands: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

/** A line of the documents that ends by itself. */
export const run = (line: string, shows?: RegExp): Step => ({ kind: 'run', line, printed: true, shows });

/** A line that is not in the documents. */
export const also = (line: string, shows?: RegExp): Step => ({ kind: 'run', line, printed: false, shows });

/** A line of the documents that goes on. */
export const start = (terminal: string, line: string, shows?: RegExp): Step => ({
  kind: 'start',
  line,
  printed: true,
  terminal,
  shows,
});

/** One that is not in the documents. */
export const alsoStart = (terminal: string, line: string, shows?: RegExp): Step => ({
  kind: 'start',
  line,
  printed: false,
  terminal,
  shows,
});

export const see = (terminal: string, shows: RegExp): Step => ({ kind: 'see', terminal, shows });

/** The status is 130, of the shell as well that waited for the line. */
export const interrupt = (terminal: string): Step => ({ kind: 'interrupt', terminal });

/** Whether a fence is that block. */
export const isBlock = (fence: Fence, block: Block): boolean =>
  fence.document === block.document && fence.text.startsWith(`${block.begins}\n`);
