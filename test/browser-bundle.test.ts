import { builtinModules } from 'node:module';
import { join } from 'node:path';

import test from 'ava';
import { build, type Plugin } from 'esbuild';

const root = join(import.meta.dirname, '..');

const BUILTIN = new RegExp(`^(?:node:.*|(?:${builtinModules.join('|')})(?:/.*)?)$`);

/** Collects the Node built-ins that a bundle asks for, and by whom, instead of stopping at the first. */
function recordBuiltins(found: string[]): Plugin {
  return {
    name: 'record-builtins',
    setup: ({ onResolve }) => {
      onResolve({ filter: BUILTIN }, ({ path, importer }) => {
        found.push(`${importer.replace(`${root}/`, '')} imports ${path}`);
        return { path, external: true };
      });
    },
  };
}

/** Bundles `code`, written as a program at the root of the repository, as a web application's bundler would. */
async function bundle(code: string): Promise<{ builtins: string[]; output: string }> {
  const builtins: string[] = [];
  const { outputFiles } = await build({
    stdin: { contents: code, resolveDir: root, loader: 'ts' },
    bundle: true,
    write: false,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    conditions: ['coconet-source', 'browser'],
    logLevel: 'silent',
    plugins: [recordBuiltins(builtins)],
  });
  return { builtins, output: outputFiles[0]?.text ?? '' };
}

for (const name of ['capabilities', 'client-sdk']) {
  test(`${name} bundles for the browser without a Node built-in`, async t => {
    const { builtins, output } = await bundle(`export * from '@coconet/${name}';`);

    t.deepEqual(builtins, []);
    t.true(output.length > 0);
  });
}

test('a bundle that asks for a Node built-in is found out', async t => {
  const { builtins } = await bundle(
    "import { createSocket } from 'dgram';\nimport 'node:fs';\nexport { createSocket };",
  );

  t.deepEqual(builtins, ['<stdin> imports dgram', '<stdin> imports node:fs']);
});
