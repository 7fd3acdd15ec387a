import { type Client, REQUEST_LENGTH } from './contestant.js';
import { Deferred } from './deferred.js';
import { quantile } from './statistics.js';

/** Commands under way at once where the rate is measured. */
const IN_FLIGHT = 64;
/** No answer for so long ends the measurement: nothing here takes long, and datagrams may be lost. */
const PATIENCE = 5_000;

/** How much work a measurement does. */
export interface Scale {
  /** Commands one after the other. */
  readonly commands: number;
  /** Milliseconds with 64 commands in flight. */
  readonly rateTime: number;
  readonly setUps: number;
}

/** The kinds of work, each of which takes its turn with all contestants. */
export const WORKS = ['commands', 'rate', 'setUps'] as const;

/** A kind of work. */
export type Work = (typeof WORKS)[number];

/** What a client measured, each under the name of its row. What it cannot do is missing. */
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
    commandBytes: (client.wireBytes - bytesBefore) / commands,
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
    rateBytes: (client.wireBytes - bytesBefore) / answers,
  };
}

async function setUps(client: Client, count: number): Promise<Figures> {
  if (!client.setUp) return {};
  const times = new Float64Array(count);
  for (let i = 0; i < count; i++) times[i] = await client.setUp(requestOf(i));
  await client.takeDown?.();
  return { setUp: quantile(times, 0.5) };
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
  }
}

function requestOf(number: number): Uint8Array {
  const request = new Uint8Array(REQUEST_LENGTH);
  request[0] = number >>> 24;
  request[1] = number >>> 16;
  request[2] = number >>> 8;
  request[3] = number;
  return request;
}

const numberOf = (bytes: Uint8Array): number =>
  ((bytes[0]! << 24) | (bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!) >>> 0;
