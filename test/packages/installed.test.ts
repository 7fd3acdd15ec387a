import { join } from 'node:path';

import test, { type ExecutionContext } from 'ava';

import { publishedPackages } from '../../scripts/packages.js';
import { Folder, pinned, Surroundings } from './installation.js';

const SDKS = ['capabilities', 'device-sdk', 'client-sdk'];
const INSTALL_SDKS = `npm i --ignore-scripts ${SDKS.map(name => `@coconet/${name}`).join(' ')}`;

let surroundings: Surroundings;
let remove = (): Promise<void> => Promise.resolve();

test.before(async () => {
  surroundings = await Surroundings.make();
  remove = () => surroundings.remove();
});

test.after.always(() => remove());

/** Every entry of the packages, as a user's import names it. */
function entriesOf(folders: readonly string[]): string[] {
  return publishedPackages()
    .filter(({ folder }) => folders.includes(folder))
    .flatMap(({ manifest }) => Object.keys(manifest.exports ?? {}).map(entry => join(manifest.name, entry)));
}

async function sdkFolder(t: ExecutionContext): Promise<Folder> {
  const folder = await Folder.make(surroundings);
  t.teardown(() => folder.remove());
  await folder.run(INSTALL_SDKS);
  await folder.run('npm pkg set type=module');
  return folder;
}

test('the SDKs install without scripts and load in JavaScript', async t => {
  const folder = await sdkFolder(t);
  const entries = entriesOf([...SDKS, 'cluster-protocol']);
  const imports = entries.map(entry => `await import('${entry}');\n`).join('');
  await folder.write('load.js', `${imports}console.log('loaded');\n`);

  const said = await folder.run('node load.js');

  t.is(said, 'loaded\n');
});

test('the SDKs have types for a TypeScript program with default settings', async t => {
  const folder = await sdkFolder(t);
  await folder.run(`npm i -D ${pinned('typescript')} ${pinned('@types/node')}`);
  await folder.run('npx tsc --init');
  const lines = entriesOf([...SDKS, 'cluster-protocol']).map(
    (entry, i) =>
      `import * as entry${i} from '${entry}';\nexport const names${i}: string[] = Object.keys(entry${i});\n`,
  );
  await folder.write('load.ts', lines.join(''));

  const said = await folder.run('npx tsc --noEmit');

  t.is(said, '');
});
