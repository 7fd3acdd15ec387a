/** One time series of the machine. */
export interface Channel {
  readonly id: string;
  readonly name: string;
  readonly unit: string;
  readonly type: string;
  /** Samples a second. */
  readonly rate: number;
}

/** Wanted samples, as `telemetry.subscribe` asks for them. */
export interface Wish {
  readonly channels: readonly string[];
  readonly maxRate?: number | undefined;
  readonly batch?: number | undefined;
  readonly until?: Date | undefined;
}

/** Wanted past, as `telemetry.history` asks for it. */
export interface HistoryWish {
  readonly channelId: string;
  readonly from: Date;
  readonly to: Date;
  readonly maxPoints?: number | undefined;
  readonly aggregate?: 'none' | 'mean' | 'min' | 'max' | 'sum' | 'unknown' | undefined;
}

/** Samples of one channel at equal distances; a gap is `null`. */
export interface Batch {
  readonly channelId: string;
  /** ms UTC of the first value. */
  readonly start: number;
  /** ms */
  readonly interval: number;
  readonly values: readonly (number | null)[];
}

/** A point of the past. */
export interface Point {
  /** ms UTC */
  readonly time: number;
  readonly value: number | null;
}

/** One hour at one sample in two seconds. */
const KEPT_SAMPLES = 1_800;

/** Running subscriptions; the oldest goes when one more comes. */
const MAX_SUBSCRIPTIONS = 16;

/** Most values in one batch, so that it always fits in a message. */
const MAX_BATCH = 500;

/** Most points in one answer about the past: some 40 bytes each leave half of a message free. */
const MAX_POINTS = 800;

interface Subscription {
  readonly id: string;
  readonly wish: Wish;
  readonly pending: Map<string, Point[]>;
}

/**
 * Keeps the last hour of some time series, and cuts what subscribers wanted into batches. It has no clock and no timer:
 * it acts when a sample comes.
 */
export class TelemetryRecorder {
  readonly channels: readonly Channel[];
  readonly #kept = new Map<string, Point[]>();
  readonly #subscriptions = new Map<string, Subscription>();
  readonly #interval: number;
  #lastId = 0;

  /** `interval`: ms between two samples. */
  constructor(channels: readonly Omit<Channel, 'rate'>[], interval: number) {
    this.channels = channels.map(channel => ({ ...channel, rate: 1_000 / interval }));
    this.#interval = interval;
    for (const { id } of channels) this.#kept.set(id, []);
  }

  /** Samples of all channels that are kept. */
  get buffered(): number {
    return [...this.#kept.values()].reduce((total, points) => total + points.length, 0);
  }

  /** Takes one sample of each channel, `time` in ms UTC; returns the batches that are complete now. */
  record(time: number, values: Readonly<Record<string, number | null>>): readonly Batch[] {
    for (const [id, points] of this.#kept) {
      points.push({ time, value: values[id] ?? null });
      if (points.length > KEPT_SAMPLES) points.shift();
    }
    return [...this.#subscriptions.values()].flatMap(subscription => this.#collect(subscription, time));
  }

  /** Starts a subscription and returns its id. Throws a `RangeError` that names a channel there is not. */
  subscribe(wish: Wish): string {
    for (const id of wish.channels) this.#require(id);
    const id = String(++this.#lastId);
    this.#subscriptions.set(id, { id, wish, pending: new Map() });
    const [oldest] = this.#subscriptions.keys();
    if (this.#subscriptions.size > MAX_SUBSCRIPTIONS && oldest !== undefined)
      this.#subscriptions.delete(oldest);
    return id;
  }

  /** Ends a subscription; whether there was one of that id. */
  unsubscribe(id: string): boolean {
    return this.#subscriptions.delete(id);
  }

  /** What is kept of a channel, evenly thinned or summed up to `maxPoints`. Throws a `RangeError` as `subscribe`. */
  history({ channelId, from, to, maxPoints, aggregate = 'none' }: HistoryWish): readonly Point[] {
    const points = this.#require(channelId).filter(
      ({ time }) => time >= from.getTime() && time <= to.getTime(),
    );
    const most = Math.max(1, Math.min(maxPoints ?? MAX_POINTS, MAX_POINTS));
    const perPoint = Math.max(1, Math.ceil(points.length / most));
    const parts = Array.from({ length: Math.ceil(points.length / perPoint) }, (_, index) =>
      points.slice(index * perPoint, (index + 1) * perPoint),
    );
    return parts.map(part => ({ time: part[0]?.time ?? 0, value: summary(part, aggregate) }));
  }

  #require(id: string): readonly Point[] {
    const points = this.#kept.get(id);
    if (points) return points;
    const known = this.channels.map(channel => channel.id).join(', ');
    throw new RangeError(`there is no channel '${id}'; there are ${known}`);
  }

  #collect(subscription: Subscription, time: number): readonly Batch[] {
    const { wish, pending } = subscription;
    if (wish.until && time > wish.until.getTime()) {
      this.#subscriptions.delete(subscription.id);
      return [];
    }
    const slowest = wish.maxRate === undefined || wish.maxRate <= 0 ? 0 : 1_000 / wish.maxRate;
    const every = Math.max(1, Math.round(slowest / this.#interval));
    const wanted = Math.max(1, Math.min(MAX_BATCH * every, Math.round((wish.batch ?? 0) / this.#interval)));
    return [...new Set(wish.channels)].flatMap(channelId => {
      const points = [...(pending.get(channelId) ?? []), ...(this.#kept.get(channelId) ?? []).slice(-1)];
      const complete = points.length >= Math.max(wanted, every);
      pending.set(channelId, complete ? [] : points);
      if (!complete) return [];
      const taken = points.filter((_, index) => index % every === 0);
      return [
        {
          channelId,
          start: taken[0]?.time ?? time,
          interval: this.#interval * every,
          values: taken.map(({ value }) => value),
        },
      ];
    });
  }
}

function summary(part: readonly Point[], aggregate: NonNullable<HistoryWish['aggregate']>): number | null {
  const known = part.map(({ value }) => value).filter(value => value !== null);
  const sum = known.reduce((total, value) => total + value, 0);
  if (known.length === 0) return null;
  switch (aggregate) {
    case 'mean':
      return sum / known.length;
    case 'min':
      return Math.min(...known);
    case 'max':
      return Math.max(...known);
    case 'sum':
      return sum;
    case 'none':
    case 'unknown':
      return known[0] ?? null;
  }
}
