/** Runs one NMN: `node main.js CONFIG`, where CONFIG is a JSON file of the settings in `config.ts`. */
import { readFile } from 'node:fs/promises';

import { NmnError } from './errors.js';
import { errorText } from './log.js';
import { startNmn } from './nmn.js';
import type { NmnConfigInput } from './config.js';

async function readConfig(path: string | undefined): Promise<NmnConfigInput> {
  if (path === undefined)
    throw new NmnError('CONFIG_INVALID', 'name a configuration file: node main.js nmn.json');
  try {
    // Checked field by field when the NMN starts.
    return JSON.parse(await readFile(path, 'utf8')) as NmnConfigInput;
  } catch (cause) {
    throw new NmnError('CONFIG_INVALID', `${path} cannot be read as JSON: ${errorText(cause)}`, { cause });
  }
}

try {
  const config = await readConfig(process.argv[2]);
  // Listened for before the start: whoever reads "started" may send a signal before the next line here runs.
  const asked = new Promise<void>(resolve => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => resolve());
  });
  const nmn = await startNmn({ config, log: line => process.stdout.write(`${line}\n`) });
  await Promise.race([asked, nmn.closed]);
  await nmn.close();
} catch (error) {
  process.stderr.write(`${errorText(error)}\n`);
  process.exitCode = 1;
}
