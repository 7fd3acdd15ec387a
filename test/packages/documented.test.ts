import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

import test, { type ExecutionContext } from 'ava';

import { type Fence, fencesOf } from './documents.js';
import { Folder, pinned, Surroundings } from './installation.js';
import type { Terminal } from './terminal.js';
import { type Block, isBlock, type Program, type Walk } from './walk.js';
import { FIRST_LINE, WALKS } from './walks.js';

let surroundings: Surroundings;
let first: Folder;
/** What has been made, to be removed in the opposite order. */
const made: { remove(): Promise<void> }[] = [];

test.before(async t => {
  t.timeout(300_000);
  made.push((surroundings = await Surroundings.make()));
  made.push((first = await Folder.make(surroundings)));
  await first.run(FIRST_LINE);
});

test.after.always(async () => {
  for (const each of made.reverse()) await each.remove();
});

for (const walk of WALKS)
  test.serial(walk.title, async t => {
    t.timeout(300_000);
    const folder = await folderFor(t, walk);
    for (const program of walk.programs) await folder.write(program.file, textOf(program));

    await follow(t, walk, folder, { ...(await standIns()), ...(await invitationsFor(t, walk)) });
  });

async function folderFor(t: ExecutionContext, { folder }: Walk): Promise<Folder> {
  if (folder === 'first') return first;
  const own = await (folder === 'copy' ? first.copy() : Folder.make(surroundings));
  t.teardown(() => own.remove());
  return own;
}

/** For a walk that begins with nothing: a network in another folder, with an invitation for each side. */
async function invitationsFor(t: ExecutionContext, { folder }: Walk): Promise<Record<string, string>> {
  if (folder !== 'empty') return {};
  const other = await first.copy();
  t.teardown(() => other.remove());
  const dev = other.type('npx coconet dev --json');
  await dev.shows(/^\{"event":"ready".*\}$/m);
  const line = dev.text.split('\n').find(each => each.startsWith('{')) ?? '';
  const { joinUris } = JSON.parse(line) as { joinUris: { device: string; client: string } };
  return { DEVICE: joinUris.device, CLIENT: joinUris.client };
}

function textOf({ parts }: Program): string {
  return parts.map(part => (typeof part === 'string' ? part : blockOf(part).text)).join('');
}

function blockOf(block: Block): Fence {
  const found = fencesOf(block.document).find(fence => isBlock(fence, block));
  if (!found) throw new Error(`${block.document} has no block that begins with: ${block.begins}`);
  return found;
}

/** What `$NAME` in a stand-in of a walk is on this machine. */
async function standIns(): Promise<Record<string, string>> {
  return {
    PORT: String(await freeUdpPort()),
    HTTP_PORT: String(await freeTcpPort()),
    TYPESCRIPT: `${pinned('typescript')} ${pinned('@types/node')}`,
  };
}

async function freeUdpPort(): Promise<number> {
  const socket = createSocket('udp4').bind(0);
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
}

async function freeTcpPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  return typeof address === 'object' && address !== null ? address.port : 0;
}

async function follow(
  t: ExecutionContext,
  walk: Walk,
  folder: Folder,
  variables: Readonly<Record<string, string>>,
): Promise<void> {
  const terminals = new Map<string, Terminal>();
  const terminal = (name: string): Terminal => {
    const found = terminals.get(name);
    if (!found) throw new Error(`nothing was started in the terminal ${name}`);
    return found;
  };
  t.teardown(() => Promise.all([...terminals.values()].map(each => each.close())));
  for (const step of walk.steps) {
    switch (step.kind) {
      case 'run': {
        const said = await folder.run(typed(walk, step.line, variables), variables);
        if (step.shows) t.regex(said, step.shows, step.line);
        break;
      }
      case 'start': {
        const started = folder.type(typed(walk, step.line, variables), variables);
        terminals.set(step.terminal, started);
        if (step.shows) await started.shows(step.shows);
        break;
      }
      case 'see':
        await terminal(step.terminal).shows(step.shows);
        break;
      case 'interrupt':
        t.is(await terminal(step.terminal).interrupt(), 130, terminal(step.terminal).text);
        break;
    }
  }
  t.pass();
}

/** The line with what this machine has in place of some of its words. */
function typed(walk: Walk, line: string, variables: Readonly<Record<string, string>>): string {
  let text = line;
  for (const [words, standIn] of Object.entries(walk.stands)) {
    const value = standIn.replace(/\$([A-Z_]+)/g, (_match, name: string) => variables[name] ?? '');
    text = text.replace(words, value);
  }
  return text;
}
