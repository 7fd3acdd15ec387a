import type { ShownValue } from './events.js';
import type { Picture } from './picture.js';
import { printable, showMs, showPath, showValue } from './text.js';

const BOLD = '\u001b[1m';
const DIM = '\u001b[2m';
const YELLOW = '\u001b[33m';
const PLAIN = '\u001b[0m';

/** What no table has room for. */
const LEFT_OUT: ReadonlySet<string> = new Set(['telemetry.channels', 'diagnostics.peers']);

/** The picture as lines of a terminal that is `columns` wide and `rows` high, none longer and not more. */
export function frame(picture: Picture, columns: number, rows: number): readonly string[] {
  const { device, port, online, path, command, beacon, notices, tries } = picture;
  const head: Line[] = [
    { text: 'Coconet: an NMN, this computer as a device, and an app. Ctrl-C stops it.', style: BOLD },
    { text: '' },
    { text: `NMN      ${port === undefined ? 'starting' : `127.0.0.1:${port}`}` },
    {
      text: `device   ${device === undefined ? 'joining' : printable(device.name)}${online ? ', there' : ''}`,
    },
    { text: `path     ${path === undefined ? 'none yet' : showPath(path)}` },
    { text: `         ${path === undefined ? '' : printable(path.why)}`, style: DIM },
    {
      text: `command  ${
        command === undefined
          ? 'none yet'
          : `${command.line} ${command.failure === undefined ? `answered in ${showMs(command.rttMs)}` : `failed: ${printable(command.failure)}`}`
      }`,
    },
    {
      text: `beacon   ${beacon.identifying ? '● here I am!' : beacon.on ? '● on' : '○ off'}`,
      ...(beacon.on || beacon.identifying ? { style: YELLOW } : {}),
    },
    { text: '' },
  ];
  const values = picture.values.filter(isShown).map((value): Line => ({ text: valueLine(value) }));
  const foot: Line[] = [
    ...(tries.length > 0
      ? [{ text: '' }, { text: 'In another terminal, in this folder:', style: BOLD }]
      : []),
    // Never cut: they are there to be copied, and a terminal wraps them.
    ...tries.map(({ line }): Line => ({ text: `  ${line}`, whole: true })),
    ...notices.map((text): Line => ({ text: printable(text), style: YELLOW })),
  ];
  const room = rows - 1 - heightOf(head, columns) - heightOf(foot, columns);
  const shown = values.length <= room ? values : values.slice(0, Math.max(0, room - 1));
  const left = values.length - shown.length;
  const lines = [
    ...head,
    ...shown,
    ...(left > 0 && room > 0 ? [{ text: `… and ${left} more`, style: DIM }] : []),
    ...foot,
  ];
  return lines.map(line => styled(line, columns));
}

/** Rows that the lines take in a terminal of that width. */
export const heightOf = (lines: readonly Line[], columns: number): number =>
  lines.reduce(
    (rows, { text, whole }) => rows + (whole ? Math.max(1, Math.ceil(text.length / columns)) : 1),
    0,
  );

/** A line before it is fitted into the terminal. */
export interface Line {
  readonly text: string;
  readonly style?: string;
  /** Wrapped by the terminal where it is too long, instead of cut. */
  readonly whole?: boolean;
}

const isShown = ({ capability, attribute, value }: ShownValue): boolean =>
  value !== null &&
  capability !== 'onOff' &&
  capability !== 'identify' &&
  !LEFT_OUT.has(`${capability}.${attribute}`);

function valueLine(value: ShownValue): string {
  const resource = value.address.slice(value.address.indexOf('/') + 1);
  return `${printable(resource).padEnd(10)} ${printable(value.attribute).padEnd(18)} ${showValue(value)}`;
}

function styled({ text, style, whole }: Line, columns: number): string {
  const fitted = whole || text.length <= columns ? text : `${text.slice(0, Math.max(0, columns - 1))}…`;
  return style === undefined ? fitted : `${style}${fitted}${PLAIN}`;
}
