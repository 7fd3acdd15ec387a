import { join } from 'node:path';

import { Program, ROOT, temporaryFolder, type TestContext } from './program.js';

/** A network for one test: `coconet dev` in a process and a folder of its own. */
export interface DevNetwork {
  readonly program: Program;
  readonly folder: string;
  /** Store of the network's owner. */
  readonly store: string;
  readonly joinUris: { readonly command: string; readonly device: string; readonly client: string };
}

/** The tool, as `npx coconet` finds it. */
export const COCONET: string = join(ROOT, 'packages/cli/bin/coconet.js');

/** Starts it; `folder`: that of an earlier one, which is started again. */
export async function startDevNetwork(t: TestContext, folder?: string): Promise<DevNetwork> {
  const place = folder ?? (await temporaryFolder(t));
  const port = folder === undefined ? ['--port', '0'] : [];
  const program = new Program(t, ['node', COCONET, 'dev', '--json', ...port], { folder: place });
  const { store, joinUris } = await program.event({ event: 'ready' });
  if (typeof store !== 'string' || typeof joinUris !== 'object' || joinUris === null)
    throw new Error(`not what coconet dev promises: ${program.lines.join('\n')}`);
  const { command, device, client } = { command: '', device: '', client: '', ...joinUris };
  return { program, folder: place, store, joinUris: { command, device, client } };
}
