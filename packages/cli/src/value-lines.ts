import { textOf, typeOf } from './reading.js';

/** From this many of the small unit on, people want the larger one. */
const MANY_BYTES = 10_000;
const MANY_SECONDS = 120;
const MANY_MILLISECONDS = 10_000;

const LARGER_BYTES = ['kB', 'MB', 'GB', 'TB', 'PB', 'EB'] as const;

const SPANS = [
  { unit: 'd', seconds: 86_400 },
  { unit: 'h', seconds: 3_600 },
  { unit: 'min', seconds: 60 },
  { unit: 's', seconds: 1 },
] as const;

/** A value as people read it, a line for each item of a list. `value` is JSON already. */
export function valueLines(capability: string, attribute: string, value: unknown): readonly string[] {
  if (value === null || value === undefined) return ['-'];
  const type = typeOf(capability, attribute);
  if (Array.isArray(value) || typeof value === 'object') return listLines(value);
  const unit = type !== undefined && 'unit' in type ? type.unit : undefined;
  return [inLargerUnit(value, unit) ?? textOf(capability, attribute, value)];
}

/** The same in one line. */
export const valueLine = (capability: string, attribute: string, value: unknown): string =>
  valueLines(capability, attribute, value).join('; ');

/** How long something lasts or lasted: `3 h 37 min`. */
export function spanText(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  const first = SPANS.findIndex(span => whole >= span.seconds);
  const parts = SPANS.slice(first, first + 2).map((span, index) => {
    const left = index === 0 ? whole : whole % (SPANS[first]?.seconds ?? 1);
    return { unit: span.unit, count: Math.floor(left / span.seconds) };
  });
  const text = parts
    .filter(({ count }) => count > 0)
    .map(({ count, unit }) => `${count} ${unit}`)
    .join(' ');
  return first === -1 || text === '' ? '0 s' : text;
}

/** A number with a unit that suits its size; `undefined`: the one that it has does. */
function inLargerUnit(value: unknown, unit: string | undefined): string | undefined {
  const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number') return undefined;
  if ((unit === 'B' || unit === 'B/s') && number >= MANY_BYTES) return bytesText(number, unit.slice(1));
  if (unit === 's' && number >= MANY_SECONDS) return spanText(number);
  if (unit === 'ms' && number >= MANY_MILLISECONDS) return spanText(number / 1_000);
  return undefined;
}

function bytesText(bytes: number, per: string): string {
  const step = Math.min(Math.floor(Math.log10(bytes) / 3), LARGER_BYTES.length);
  const number = bytes / 1_000 ** step;
  return `${number.toFixed(number < 10 ? 2 : number < 100 ? 1 : 0)} ${LARGER_BYTES[step - 1] ?? ''}${per}`;
}

function listLines(value: object): readonly string[] {
  if (!Array.isArray(value)) return [recordLine(value)];
  if (value.length === 0) return ['none'];
  const items: readonly unknown[] = value;
  return items.every(item => typeof item !== 'object' || item === null)
    ? [items.map(plain).join(', ')]
    : items.map(item => (typeof item === 'object' && item !== null ? recordLine(item) : plain(item)));
}

const recordLine = (record: object): string =>
  Array.isArray(record)
    ? JSON.stringify(record)
    : Object.entries(record)
        .map(([name, value]) => `${name}=${quoted(value)}`)
        .join(' ');

const plain = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** What holds a space reads as one thing in quotes. */
const quoted = (value: unknown): string =>
  typeof value === 'string' && /^\S+$/.test(value) ? value : JSON.stringify(value);
