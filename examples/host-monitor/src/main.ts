import { hostname } from 'node:os';

import { startHostMonitor, type HostMonitor } from './device.js';
import { readOptions, USAGE, type Options } from './options.js';
import { jsonOutput, terminalOutput, type Output } from './output.js';

/** Exit status of a program that Ctrl-C has ended, as shells have it. */
const INTERRUPTED = 130;

/** A goodbye takes milliseconds; whatever holds it up longer, e.g. a disk that is gone, does not hold up the end. */
const GOODBYE = 3_000;

process.exitCode = await main();

async function main(): Promise<number> {
  let options: Options;
  try {
    options = readOptions(process.argv.slice(2), process.env, hostname());
  } catch (error) {
    process.stderr.write(`host-monitor: ${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  if (options.help) {
    process.stdout.write(USAGE);
    return 0;
  }
  const write = (text: string): void => void process.stdout.write(text);
  const output = options.json || !process.stdout.isTTY ? jsonOutput(write) : terminalOutput(write);
  return run(options, output);
}

async function run({ name, join, store }: Options, output: Output): Promise<number> {
  const asked = new AbortController();
  const stopped = new Promise<number>(resolve => {
    const stop = (status: number): void => {
      asked.abort();
      resolve(status);
    };
    process.once('SIGINT', () => stop(INTERRUPTED));
    process.once('SIGTERM', () => stop(0));
    process.once('SIGHUP', () => stop(0));
    // Who started this program as a part of its own is gone, or closes it: nobody else would.
    if (process.send !== undefined && !process.connected) stop(0);
    process.once('disconnect', () => stop(0));
    // Whoever read what this says is gone.
    process.stdout.on('error', () => stop(0));
  });
  let monitor: HostMonitor | undefined;
  try {
    monitor = await startHostMonitor({ name, join, store, output, signal: asked.signal });
    const { device } = monitor;
    output.announce({ event: 'ready', name: device.name, nodeId: device.nodeId, network: device.network.id });
    const expelled = new Promise<number>(resolve => {
      device.on('expelled', text => {
        output.announce({ event: 'failed', code: 'REVOKED', text });
        resolve(1);
      });
    });
    return await Promise.race([stopped, expelled]);
  } catch (error) {
    if (asked.signal.aborted) return await stopped;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'UNEXPECTED';
    output.announce({ event: 'failed', code, text: messageOf(error) });
    process.stderr.write(`host-monitor: ${code}: ${messageOf(error)}\n`);
    return 1;
  } finally {
    const hurry = setTimeout(() => process.exit(), GOODBYE);
    await monitor?.close();
    clearTimeout(hurry);
    if (process.connected) process.disconnect();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
