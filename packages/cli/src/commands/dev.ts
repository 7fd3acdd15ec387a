import { relative } from 'node:path';

import { aborted } from '../aborted.js';
import { argument } from '../argument.js';
import type { Command } from '../command.js';
import { defineCommand } from '../command.js';
import type { Context } from '../context.js';
import { runChild } from '../dev/child.js';
import type { Dev } from '../dev/start-dev.js';
import { CliError } from '../errors.js';
import { option } from '../option.js';
import { toolName, withVariable } from '../tool-name.js';

/** `coconet dev` */
export const devCommand: Command = defineCommand({
  name: 'dev',
  group: 'try',
  summary: 'runs an NMN and a network in ./.coconet, and a device or app in it',
  details: [
    'COMMAND gets an invitation as COCONET_JOIN. Tomorrow it is the same network. Other coconet commands in this folder use its client identity by themselves. It listens on this machine alone, and ends with COMMAND, or by Ctrl-C.',
  ],
  arguments: { line: argument.commandLine('COMMAND', 'a program to run in the network, with its arguments') },
  options: { port: option.port('UDP port of the NMN; default: that of last time, else any free one') },
  examples: [
    { line: 'coconet dev -- node lamp.js', says: 'a device in a network of its own' },
    { line: 'coconet call Desk/lamp onOff.turnOn', says: 'in the same folder, in a second terminal' },
  ],
  run: async ({ line, port }, context) => {
    const { out, signal, surroundings } = context;
    const { startDev } = await import('../dev/start-dev.js');
    const starting = startDev({
      folder: surroundings.folder,
      onNotice: text => out.note(text),
      signal,
      ...(port !== undefined && { port }),
    });
    const dev = await out.progress('starting the NMN', starting);
    try {
      announce(context, dev, line.length > 0);
      if (line.length === 0) await aborted(signal);
      else await runCommand(context, dev, line);
    } finally {
      await dev.close();
    }
  },
});

function announce({ out, surroundings }: Context, dev: Dev, hasCommand: boolean): void {
  const { networkId, port, joinUris, clientStore } = dev;
  if (out.json) {
    out.result({ event: 'ready', networkId, port, store: clientStore, joinUris }, '');
    return;
  }
  const tool = toolName(surroundings);
  const place = relative(surroundings.folder, dev.folder);
  const device = withVariable(surroundings, 'COCONET_JOIN', joinUris.device, 'node lamp.js');
  const app = withVariable(surroundings, 'COCONET_JOIN', joinUris.client, 'node app.js');
  out.note(`NMN at 127.0.0.1:${port}, network ${networkId}, everything in ./${place}`);
  out.note(
    `\n${out.noteStyle('dim', `# in another terminal, in this folder: ${hasCommand ? 'another' : 'a'} device, an app, this tool`)}`,
  );
  // Results: what a person copies, and a script reads.
  out.result(undefined, `${device}\n${app}\n${tool} nodes\n`);
}

async function runCommand(
  { signal, surroundings, out }: Context,
  dev: Dev,
  line: readonly string[],
): Promise<void> {
  const end = await runChild(line, {
    folder: surroundings.folder,
    variables: { ...surroundings.variables, COCONET_JOIN: dev.joinUris.command },
    signal,
    // Standard output is ours alone when it is JSON.
    outputToError: out.json,
  });
  if (signal.aborted) return;
  if (end.kind === 'exit' && end.status === 0) return;
  const what = end.kind === 'exit' ? `ended with status ${end.status}` : `was ended by ${end.signal}`;
  throw new CliError('COMMAND_FAILED', `${line[0] ?? ''} ${what}`);
}
