import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';

import { parseLine } from './arguments.js';
import { COMMANDS } from './commands/index.js';
import type { Context, Surroundings } from './context.js';
import { dispatch, type Request } from './dispatch.js';
import { UsageError } from './errors.js';
import { failureOf } from './failure.js';
import { commandHelp } from './help.js';
import { Interruption, STATUS_OF } from './interruption.js';
import { Output, type Sink } from './output.js';
import { chooseStore } from './places.js';
import { printable, printableJson } from './printable.js';

/** Where a run of the tool reads and writes, besides the network. */
export interface Terminal {
  readonly stdout: Sink;
  readonly stderr: Sink;
  readonly surroundings: Surroundings;
  /** The process whose signals interrupt the run; absent: nothing does. */
  readonly process?: NodeJS.Process;
}

/**
 * Runs the tool with the words after its name; resolves to the exit status: 0 done, 1 failed, 2 used wrongly, 130 after
 * Ctrl-C. Never rejects.
 */
export async function main(argv: readonly string[], terminal: Terminal = thisProcess()): Promise<number> {
  const { stdout, stderr, surroundings } = terminal;
  const { NO_COLOR: noColour, TERM: term, COCONET_DEBUG: debug } = surroundings.variables;
  const plain = (noColour !== undefined && noColour !== '') || term === 'dumb';
  // Before the line is understood; errors of a line that asks for JSON are JSON, however wrong it is.
  const wantsJson = argv.slice(0, argv.includes('--') ? argv.indexOf('--') : undefined).includes('--json');
  const out = new Output(stdout, stderr, { json: wantsJson, plain });
  let request: Request;
  try {
    request = dispatch(argv, COMMANDS);
    if (request.kind === 'run') return await run(request, out, terminal);
    stdout.write(request.kind === 'help' ? request.text : `${version()}\n`);
    return 0;
  } catch (error) {
    const { code, message, next, exit, status } = failureOf(error);
    if (out.json) {
      stderr.write(
        `${printableJson({ error: { code, message, ...(next !== undefined && { next }), ...(status !== undefined && { status }) } })}\n`,
      );
    } else {
      out.note(
        `${out.noteStyle('red', 'error:')} ${printable(message)}${out.noteStyle('dim', ` [${code}]`)}`,
      );
      if (next !== undefined) out.note(`${out.noteStyle('bold', 'next:')} ${printable(next)}`);
    }
    if (debug !== undefined && debug !== '' && error instanceof Error && !(error instanceof UsageError))
      out.note(printableLines(error));
    return exit;
  }
}

async function run(
  { command, words }: Extract<Request, { kind: 'run' }>,
  out: Output,
  { surroundings, process: interrupted }: Terminal,
): Promise<number> {
  const { values, common } = parseLine(command, words);
  if (common.help) {
    out.text(commandHelp(command));
    return 0;
  }
  const interruption = new Interruption(interrupted);
  const store = chooseStore(common.store, surroundings);
  const context: Context = { out, signal: interruption.signal, surroundings, store };
  try {
    await command.run(values, context);
    // Whoever ends a command that goes on until it is ended has ended it well; Ctrl-C has a status of its own.
    return interruption.cause === 'SIGINT' ? STATUS_OF.SIGINT : 0;
  } catch (error) {
    if (interruption.cause !== undefined) return STATUS_OF[interruption.cause];
    throw error;
  } finally {
    interruption.end();
  }
}

function thisProcess(): Terminal {
  // Who reads us may go away at any time, even after the last word: `coconet ls | head -1`.
  process.stdout.on('error', endOnFailure);
  // Nobody is left who could be told.
  process.stderr.on('error', () => undefined);
  return {
    stdout: process.stdout,
    stderr: process.stderr,
    process,
    surroundings: {
      folder: process.cwd(),
      variables: process.env,
      platform: process.platform,
      home: homedir(),
    },
  };
}

/** A reader who goes away has what it wanted; a disk that is full has not. */
function endOnFailure(error: NodeJS.ErrnoException): void {
  if (error.code === 'EPIPE') return;
  process.stderr.write(`error: standard output cannot be written: ${error.message} [OUTPUT_FAILED]\n`);
  process.exit(1);
}

/** The stack and the causes of an error, line by line. */
function printableLines(error: Error): string {
  const lines: string[] = [];
  for (let one: unknown = error; one instanceof Error; one = one.cause)
    lines.push(...(one.stack ?? one.message).split('\n'));
  return lines.map(printable).join('\n');
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  if (typeof manifest !== 'object' || manifest === null || !('version' in manifest)) return 'unknown';
  return String(manifest.version);
}
