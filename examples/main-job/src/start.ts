import { Job } from './job.js';
import { readOptions, USAGE, type Options } from './options.js';
import { Screen } from './screen.js';
import { showEvent } from './text.js';
import type { DoneEvent, JobEvent } from './events.js';

/** Exit status of a program that Ctrl-C has ended, as shells have it. */
const INTERRUPTED = 130;

/** Whatever holds the end up longer than this, in ms, does not hold it up for ever: children are killed at the exit. */
const GOODBYE = 10_000;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    process.stderr.write(`npm start: ${error instanceof Error ? error.message : String(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  return run(options);
}

async function run({ once, json, folder }: Options): Promise<number> {
  const asked = new AbortController();
  let interrupted = false;
  process.on('SIGINT', () => {
    // Who presses it twice does not want to wait for a goodbye.
    if (interrupted) process.exit(INTERRUPTED);
    interrupted = true;
    asked.abort();
  });
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => asked.abort());
  // Nobody reads what is written any more: `npm start | head`.
  process.stdout.on('error', () => asked.abort());

  const onTerminal = !json && !once && process.stdout.isTTY;
  let screen: Screen | undefined;
  const job = new Job({
    once,
    folder,
    signal: asked.signal,
    onEvent: event => {
      if (screen) screen.draw();
      else write(event, json);
    },
  });
  const hurry = (): void => void setTimeout(() => process.exit(), GOODBYE).unref();
  asked.signal.addEventListener('abort', hurry);
  if (onTerminal) screen = new Screen(process.stdout, job.picture);
  const done = await job.run();
  screen?.close();
  if (done) write(done, json);
  else if (once) write({ event: 'done', ok: false, reason: 'stopped from outside' }, json);
  return statusOf(done, interrupted, once);
}

function statusOf(done: DoneEvent | undefined, interrupted: boolean, once: boolean): number {
  if (done) return done.ok ? 0 : 1;
  if (interrupted) return INTERRUPTED;
  return once ? 1 : 0;
}

function write(event: JobEvent, json: boolean): void {
  const line = json ? JSON.stringify(event) : showEvent(event);
  if (line === undefined) return;
  const failed = event.event === 'done' && !event.ok && !json;
  (failed ? process.stderr : process.stdout).write(`${line}\n`);
}
