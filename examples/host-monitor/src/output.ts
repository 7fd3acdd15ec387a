import type { BeaconState } from './beacon.js';

/** What the monitor says on standard output: a sentence on a terminal, one JSON object a line elsewhere. */
export type Announcement =
  | { readonly event: 'ready'; readonly name: string; readonly nodeId: number; readonly network: string }
  | ({ readonly event: 'beacon' } & BeaconState)
  /** Everything has been read once: so many attributes of this machine have a value. */
  | { readonly event: 'measured'; readonly attributes: number }
  | { readonly event: 'notice'; readonly text: string }
  | { readonly event: 'failed'; readonly code: string; readonly text: string };

/** Where the monitor shows what happens. */
export interface Output {
  announce(announcement: Announcement): void;
  /** Draws the beacon; called at every blink. */
  draw(picture: BeaconState & { readonly lit: boolean; readonly beep: boolean }): void;
}

const CLEAR_LINE = '\r\u001b[2K';
const BELL = '\u0007';

/** JSON lines. The beacon is announced when it changes, not at every blink. */
export const jsonOutput = (write: (text: string) => void): Output => ({
  announce: announcement => write(`${JSON.stringify(announcement)}\n`),
  draw: () => undefined,
});

/** Sentences, and one line below them that is the beacon. */
export function terminalOutput(write: (text: string) => void): Output {
  let beacon = '';
  return {
    announce: announcement => {
      const sentence = sentenceOf(announcement);
      if (sentence !== undefined) write(`${CLEAR_LINE}${sentence}\n${beacon}`);
    },
    draw: ({ on, identifying, lit, beep }) => {
      const lamp = lit ? '\u001b[1;33m●\u001b[0m' : '\u001b[2m○\u001b[0m';
      beacon = `${lamp} beacon ${identifying ? 'here I am!' : on ? 'on' : 'off'}`;
      write(`${CLEAR_LINE}${beacon}${identifying && lit && beep ? BELL : ''}`);
    },
  };
}

function sentenceOf(announcement: Announcement): string | undefined {
  switch (announcement.event) {
    case 'ready':
      return `${announcement.name} is node ${announcement.nodeId} of the network ${announcement.network}. Ctrl-C stops it.`;
    case 'notice':
    case 'failed':
      return printable(announcement.text);
    case 'beacon':
    case 'measured':
      return undefined;
  }
}

// What others sent, or a file name, does not get to steer the terminal.
const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');
