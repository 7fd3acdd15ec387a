import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';

import { ClusterError, type TraceEvent, type TraceSink } from '../base/index.js';
import { makeFolder } from './make-folder.js';

/** Names the folder into which every endpoint of a process writes what happens inside it. */
export const QLOG_VARIABLE = 'COCONET_QLOG';

/** What the names of events mean: those of QUIC's schema as its draft 13 has them, and ours (docs/guides/see-inside.md). */
const EVENT_SCHEMAS = ['urn:ietf:params:qlog:events:quic-13', 'urn:coconet:qlog:events:coconet-1'] as const;

/** A record begins with this and ends with a line feed (RFC 7464, section 2.2). */
const RECORD_SEPARATOR = '\u001e';

/** A busy endpoint writes this in minutes: a variable that was forgotten must not fill a disk. */
const MAX_FILE = 256 * 1_024 * 1_024;

/** Characters that wait for the next write, which is at the end of the turn at the latest. */
const BATCH = 64 * 1_024;

/** Files of one name in one millisecond of one process, before somebody is told that something is wrong. */
const MAX_NAMESAKES = 100;

/** Where and when a trace is made. */
export interface QlogOptions {
  /** What the endpoint is called. */
  readonly title: string;
  /** ms on a clock that never goes back. */
  readonly now: () => number;
  /** What the clock of everybody shows at the beginning, ms since 1970. */
  readonly wallTime: number;
  /** Takes the text, record by record. */
  readonly write: (record: string) => void;
}

/** Turns events into the records of a qlog file in JSON-SEQ: one file for one endpoint, its sessions told apart by `group_id`. */
export class QlogTrace implements TraceSink {
  readonly #options: QlogOptions;
  readonly #start: number;
  #latest = 0;

  constructor(options: QlogOptions) {
    this.#options = options;
    this.#start = options.now();
    const { title, wallTime } = options;
    this.#write({
      file_schema: 'urn:ietf:params:qlog:file:sequential',
      serialization_format: 'application/qlog+json-seq',
      title,
      trace: {
        title,
        event_schemas: EVENT_SCHEMAS,
        vantage_point: { name: title, type: 'unknown' },
        common_fields: {
          time_format: 'relative_to_epoch',
          reference_time: {
            clock_type: 'monotonic',
            epoch: 'unknown',
            wall_clock_time: new Date(wallTime).toISOString(),
          },
        },
      },
    });
  }

  record({ name, data, group, path }: TraceEvent): void {
    // A microsecond is as much as anybody sees of a network.
    this.#latest = Math.max(this.#latest, Math.round((this.#options.now() - this.#start) * 1_000) / 1_000);
    this.#write({ time: this.#latest, name, data, group_id: group, tuple: path });
  }

  close(): void {
    // Every record is whole.
  }

  #write(value: object): void {
    this.#options.write(`${RECORD_SEPARATOR}${JSON.stringify(value)}\n`);
  }
}

/**
 * A qlog file of this user alone. It is written at the end of every turn of the event loop, and synchronously, so that a
 * crash takes little with it; whoever traces has time. What cannot be written is let go: a full disk stops no node.
 */
class QlogFile implements TraceSink {
  readonly #file: number;
  readonly #trace: QlogTrace;
  readonly #flushAtExit = (): void => this.#flush();
  #waiting = '';
  #written = 0;
  #isScheduled = false;
  #isOpen = true;

  constructor(file: number, title: string) {
    this.#file = file;
    this.#trace = new QlogTrace({
      title,
      now: () => performance.now(),
      wallTime: Date.now(),
      write: record => {
        this.#add(record);
      },
    });
    process.on('exit', this.#flushAtExit);
  }

  record(event: TraceEvent): void {
    if (this.#isOpen) this.#trace.record(event);
  }

  close(): void {
    if (!this.#isOpen) return;
    this.#flush();
    this.#end();
  }

  #add(record: string): void {
    if (this.#written + this.#waiting.length + record.length > MAX_FILE) {
      this.close();
      return;
    }
    this.#waiting += record;
    if (this.#waiting.length >= BATCH) this.#flush();
    else if (!this.#isScheduled) {
      this.#isScheduled = true;
      setImmediate(() => this.#flush()).unref();
    }
  }

  #flush(): void {
    this.#isScheduled = false;
    if (!this.#isOpen || this.#waiting === '') return;
    const bytes = Buffer.from(this.#waiting);
    this.#waiting = '';
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#file, bytes, at);
      this.#written += bytes.length;
    } catch {
      this.#end();
    }
  }

  #end(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    process.off('exit', this.#flushAtExit);
    closeSync(this.#file);
  }
}

/**
 * Makes traces in a folder, which is made if it is missing. Throws `INVALID_ARGUMENT` when it cannot be; the function it
 * gives throws the same when a file cannot be made.
 */
export async function openQlogFolder(folder: string): Promise<(title: string) => TraceSink> {
  try {
    await makeFolder(folder);
  } catch (error) {
    throw unwritable(folder, error);
  }
  return title => {
    const moment = new Date().toISOString().replaceAll(/[-:]/g, '');
    const name = `${title.replaceAll(/[^\w.-]/g, '_')}-${moment}-${process.pid}`;
    for (let namesakes = 0; ; namesakes++) {
      const path = join(folder, `${name}${namesakes === 0 ? '' : `-${namesakes}`}.sqlog`);
      try {
        // `x`: nothing that exists is followed or overwritten.
        return new QlogFile(openSync(path, 'wx', 0o600), title);
      } catch (error) {
        const isTaken = error instanceof Error && 'code' in error && error.code === 'EEXIST';
        if (!isTaken || namesakes >= MAX_NAMESAKES) throw unwritable(path, error);
      }
    }
  };
}

function unwritable(path: string, error: unknown): ClusterError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
  return new ClusterError(
    'INVALID_ARGUMENT',
    `${QLOG_VARIABLE}: traces cannot be written to ${path} (${code}); name a folder that this user may write to, or leave it out`,
    { cause: error },
  );
}
