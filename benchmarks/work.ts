import type { Client } from './contestant.js';
import { Deferred } from './deferred.js';
import { numberOf, requestOf, Wish } from './request.js';
import { quantile } from './statistics.js';

/** Commands under way at once where the rate is measured. */
const IN_FLIGHT = 64;
/** Values on their way to all receivers at once: a publisher does not wait for the slowest before it goes on. */
const VALUES_IN_FLIGHT = 16;
/** No answer for so long ends the measurement: nothing here takes long, and datagrams may be lost. */
const PATIENCE = 5_000;

/** How much work a measurement does. */
export interface Scale {
  /** Commands one after the other. */
  readonly commands: number;
  /** Milliseconds with 64 commands in flight. */
  readonly rateTime: number;
  readonly setUps: number;
  /** Who hears a value that is published. */
  readonly receivers: number;
  /** Milliseconds of publishing. */
  readonly fanOutTime: number;
  /** Bytes over one stream. */
  readonly bulkBytes: number;
}

/** The kinds of work between two processes, each of which takes its turn with all contestants. */
export const WORKS = ['commands', 'rate', 'setUps', 'fanOut', 'bulk'] as const;

/** A kind of work between two processes that live through all rounds. */
export type Work = (typeof WORKS)[number];

/** What was measured, each under the name of its row. What a contestant cannot do is missing. */
export interface Figures {
  /** Milliseconds from a request to its answer. */
  readonly commandP50?: number;
  readonly commandP99?: number;
  /** Bytes for a request, its answer and whatever acknowledges them. */
  readonly commandBytes?: number;
  /** Commands per second. */
  readonly rate?: number;
  readonly rateBytes?: number;
  /** Milliseconds. */
  readonly setUp?: number;
  /** Values per second that reached a receiver. */
  readonly fanOut?: number;
  /** Bytes per second over one stream. */
  readonly bulk?: number;
  /** Resident bytes of each process for each of many sessions. */
  readonly serverMemory?: number;
  readonly clientMemory?: number;
  /** Bytes that a packet has besides its frames. */
  readonly packetBytes?: number;
  /** Bytes that a frame has besides what the application gave. */
  readonly frameBytes?: number;
  /** Bytes that core and crypto provider allocate for each packet of that kind of work. */
  readonly commandAllocated?: number;
  readonly rateAllocated?: number;
  readonly bulkAllocated?: number;
  /** Bytes that the heap has grown by for each packet between the first tenth and the end. */
  readonly heapGrowth?: number;
}

/** Name of a figure. */
export type FigureName = keyof Figures;

/** Does one kind of work. */
export async function measure(client: Client, work: Work, scale: Scale): Promise<Figures> {
  switch (work) {
    case 'commands':
      return oneByOne(client, scale.commands);
    case 'rate':
      return inFlight(client, scale.rateTime);
    case 'setUps':
      return setUps(client, scale.setUps);
    case 'fanOut':
      return fanOut(client, scale);
    case 'bulk':
      return bulk(client, scale.bulkBytes);
  }
}

async function oneByOne(client: Client, commands: number): Promise<Figures> {
  const times = new Float64Array(commands);
  const bytesBefore = client.wireBytes;
  await guarded(client, (finish, fail, progress) => {
    let done = 0;
    let sentAt = 0;
    const next = (): void => {
      sentAt = performance.now();
      client.request(requestOf(done));
    };
    client.onAnswer = answer => {
      const now = performance.now();
      if (numberOf(answer) !== done) {
        fail(new Error(`answer ${numberOf(answer)} came for request ${done}`));
        return;
      }
      progress();
      times[done++] = now - sentAt;
      if (done === commands) finish();
      else next();
    };
    next();
  });
  return {
    commandP50: quantile(times, 0.5),
    commandP99: quantile(times, 0.99),
    ...named('commandBytes', bytesSince(client, bytesBefore, commands)),
  };
}

async function inFlight(client: Client, time: number): Promise<Figures> {
  const bytesBefore = client.wireBytes;
  const start = performance.now();
  let answers = 0;
  await guarded(client, (finish, fail, progress) => {
    // Each value exactly once: what is under way lies within a window that slides with the oldest.
    const waiting = new Set<number>();
    let sent = 0;
    const next = (): void => {
      waiting.add(sent);
      client.request(requestOf(sent++));
    };
    client.onAnswer = answer => {
      if (!waiting.delete(numberOf(answer))) {
        fail(new Error(`answer ${numberOf(answer)} came twice or for nothing`));
        return;
      }
      progress();
      answers++;
      if (performance.now() - start < time) next();
      else if (waiting.size === 0) finish();
    };
    for (let i = 0; i < IN_FLIGHT; i++) next();
  });
  return {
    rate: (1_000 * answers) / (performance.now() - start),
    ...named('rateBytes', bytesSince(client, bytesBefore, answers)),
  };
}

async function setUps(client: Client, count: number): Promise<Figures> {
  if (!client.setUp) return {};
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[i] = await inTime(client.setUp(requestOf(i)), 'set-up');
  await client.takeDown?.();
  return { setUp: quantile(times, 0.5) };
}

async function fanOut(client: Client, { receivers, fanOutTime }: Scale): Promise<Figures> {
  if (!client.enlist) return {};
  await inTime(client.enlist(receivers), 'enlisting', 6 * PATIENCE);
  const start = performance.now();
  let deliveries = 0;
  await guarded(client, (finish, fail, progress) => {
    // Who has each value that is under way.
    const under = new Map<number, Set<number>>();
    let sent = 0;
    const next = (): void => {
      under.set(sent, new Set());
      client.publish?.(requestOf(sent++, Wish.publish));
    };
    client.onValue = (receiver, value) => {
      const number = numberOf(value);
      const who = under.get(number);
      if (!who || who.has(receiver)) {
        fail(new Error(`value ${number} came to receiver ${receiver} twice or for nothing`));
        return;
      }
      who.add(receiver);
      progress();
      deliveries++;
      if (who.size < receivers) return;
      under.delete(number);
      if (performance.now() - start < fanOutTime) next();
      else if (under.size === 0) finish();
    };
    for (let i = 0; i < VALUES_IN_FLIGHT; i++) next();
  });
  return { fanOut: (1_000 * deliveries) / (performance.now() - start) };
}

async function bulk(client: Client, bytes: number): Promise<Figures> {
  if (!client.pull) return {};
  const time = await inTime(client.pull(bytes), 'bulk', 12 * PATIENCE);
  return { bulk: (1_000 * bytes) / time };
}

/** Runs work that calls back, and fails when it stands still. */
async function guarded(
  client: Client,
  work: (finish: () => void, fail: (error: Error) => void, progress: () => void) => void,
): Promise<void> {
  const outcome = new Deferred<undefined>();
  let progressed = true;
  const guard = setInterval(() => {
    if (!progressed) outcome.reject(new Error(`no answer within ${PATIENCE} ms`));
    progressed = false;
  }, PATIENCE);
  try {
    work(
      () => {
        outcome.resolve(undefined);
      },
      outcome.reject,
      () => {
        progressed = true;
      },
    );
    await outcome.promise;
  } finally {
    clearInterval(guard);
    client.onAnswer = () => undefined;
    client.onValue = () => undefined;
  }
}

/** The promise, or a failure when it takes longer than anything here takes. */
export async function inTime<T>(work: Promise<T>, what: string, patience: number = PATIENCE): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`${what} took longer than ${patience} ms`));
    }, patience);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}

function bytesSince(client: Client, before: number | undefined, count: number): number | undefined {
  const { wireBytes } = client;
  return before === undefined || wireBytes === undefined ? undefined : (wireBytes - before) / count;
}

const named = (name: FigureName, value: number | undefined): Figures =>
  value === undefined ? {} : { [name]: value };
