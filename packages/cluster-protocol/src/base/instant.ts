declare const unit: unique symbol;

/** A point on the monotonic clock of one process, in milliseconds since an arbitrary start. */
export type Instant = number & { readonly [unit]: 'monotonic ms' };

/** A span of time in milliseconds; may be a fraction, never negative unless a function says so. */
export type Duration = number & { readonly [unit]: 'ms' };

/** A point of civil time: milliseconds since 1970-01-01T00:00:00Z. Enters the core only as data. */
export type WallTime = number & { readonly [unit]: 'utc ms' };

/** A span of so many milliseconds. */
export const milliseconds = (value: number): Duration => value as Duration;
/** A span of so many seconds. */
export const seconds = (value: number): Duration => (value * 1_000) as Duration;
/** A span of so many minutes. */
export const minutes = (value: number): Duration => (value * 60_000) as Duration;
/** A span of so many days of 24 hours. */
export const days = (value: number): Duration => (value * 86_400_000) as Duration;

/** The instant that a clock's reading in ms names. */
export const instant = (value: number): Instant => value as Instant;
/** The civil time of so many ms since 1970. */
export const wallTime = (value: number): WallTime => value as WallTime;

/** The instant `delay` after `now`. */
export const after = (now: Instant, delay: Duration): Instant => (now + delay) as Instant;

/** How long ago `then` was; negative when it lies ahead. */
export const elapsed = (then: Instant, now: Instant): Duration => (now - then) as Duration;

/** The earlier of two deadlines, where `undefined` means "nothing is scheduled". */
export const earliest = (a: Instant | undefined, b: Instant | undefined): Instant | undefined =>
  a === undefined ? b : b === undefined ? a : a < b ? a : b;
