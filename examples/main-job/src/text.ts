import type { JobEvent, ShownPath, ShownValue } from './events.js';

/** A value as a person reads it: `1.3 GiB`, `2 h 5 min`, `12.5 %`. */
export function showValue({ value, unit }: Pick<ShownValue, 'value' | 'unit'>): string {
  if (value === null || value === undefined) return '–';
  const number =
    typeof value === 'number' || (typeof value === 'string' && unit !== undefined) ? Number(value) : NaN;
  if (unit === 'B' && Number.isFinite(number)) return showBytes(number);
  if (unit === 's' && Number.isFinite(number)) return showSeconds(number);
  if (Array.isArray(value) && value.every(item => typeof item === 'string'))
    return printable(value.join(', ') || 'none');
  if (Array.isArray(value)) return value.length === 0 ? 'none' : `${value.length} entries`;
  const text = typeof value === 'string' ? value : JSON.stringify(value);
  return printable(unit === undefined ? text : `${text} ${unit}`);
}

/** A path in a few words: `direct (host), 0.4 ms`. */
export const showPath = ({ path, scope, rttMs }: ShownPath): string =>
  path === null
    ? 'no session yet'
    : `${path}${scope === null ? '' : ` (${scope})`}${rttMs === null ? '' : `, ${showMs(rttMs)}`}`;

/** Milliseconds with as many digits as mean something. */
export const showMs = (ms: number): string => `${ms < 10 ? ms.toFixed(2) : ms.toFixed(0)} ms`;

/** An event in one line for people; `undefined`: there is nothing to say of it. */
export function showEvent(event: JobEvent): string | undefined {
  switch (event.event) {
    case 'nmn':
      return `NMN       port ${event.port}, network ${event.network}`;
    case 'device':
      return `device    ${printable(event.name)} (node ${event.nodeId}) has joined`;
    case 'client':
      return `app       node ${event.nodeId} has joined`;
    case 'presence':
      return `presence  the device is ${event.online ? 'there' : 'away'}`;
    case 'values':
      return showValues(event.values);
    case 'path':
      return `path      ${showPath(event)}: ${printable(event.why)}`;
    case 'command':
      return event.failure === undefined
        ? `command   ${event.line} answered in ${showMs(event.rttMs)}`
        : `command   ${event.line} failed: ${printable(event.failure)}`;
    case 'beacon':
      return `beacon    ${event.identifying ? 'here I am!' : event.on ? 'on' : 'off'}`;
    case 'measured':
      return `measured  ${event.attributes} attributes of this machine have a value`;
    case 'notice':
      return `notice    ${printable(event.text)}`;
    case 'restart':
      return `restart   ${event.process} ended (${printable(event.why)}) and is started again`;
    case 'process':
      return undefined;
    case 'try':
      return `try       ${event.line}   # ${event.says}`;
    case 'done':
      return event.ok
        ? `done      ${event.attributes} attributes over a ${event.path} path, command answered in ${showMs(event.commandRttMs)}`
        : `failed    ${printable(event.reason)}`;
  }
}

function showValues(values: readonly ShownValue[]): string | undefined {
  const known = values.filter(({ value }) => value !== null);
  return known.length === 0 ? undefined : `values    ${known.map(showReading).join(', ')}`;
}

/** `diagnostics.cpuLoad 12.5 %` */
const showReading = (value: ShownValue): string =>
  `${printable(value.capability)}.${printable(value.attribute)} ${showValue(value)}`;

/** Without control characters: what a device sent, or a file is called, does not steer the terminal. */
export const printable = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB'] as const;

function showBytes(bytes: number): string {
  const power = Math.min(UNITS.length - 1, bytes < 1 ? 0 : Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1_024 ** power;
  return `${power === 0 || amount >= 100 ? amount.toFixed(0) : amount.toFixed(1)} ${UNITS[power] ?? ''}`;
}

function showSeconds(seconds: number): string {
  const minutes = Math.floor(seconds / 60);
  const hours = Math.floor(minutes / 60);
  if (minutes < 1) return `${seconds.toFixed(0)} s`;
  if (hours < 1) return `${minutes} min ${(seconds % 60).toFixed(0)} s`;
  return hours < 48 ? `${hours} h ${minutes % 60} min` : `${Math.floor(hours / 24)} days ${hours % 24} h`;
}
