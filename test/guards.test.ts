import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

import test from 'ava';
import { ESLint } from 'eslint';
import ts from 'typescript';

import { DRIVERS, LAYERS, PACKAGES } from '../eslint.config.js';

const root = join(import.meta.dirname, '..');
const protocol = join(root, 'packages/cluster-protocol');

const LAYOUT_RULES = ['import-x/no-restricted-paths', 'no-restricted-properties', 'no-restricted-syntax'];

/** The repository's own lint configuration, without the rules that need types: probes are files that do not exist. */
const lint = new ESLint({
  cwd: root,
  overrideConfig: { files: ['**/*.ts'], languageOptions: { parserOptions: { project: null } } },
  ruleFilter: ({ ruleId }) => LAYOUT_RULES.includes(ruleId),
});

/** The rules that refuse `code` if it stood in `folder`, a path from the root of the repository. */
async function refusalsOf(folder: string, code: string): Promise<(string | null)[]> {
  if (!existsSync(join(root, folder)))
    throw new Error(`${folder} does not exist: relative imports from it lead nowhere`);
  const [result] = await lint.lintText(code, { filePath: join(root, folder, 'guard-probe.ts') });
  return (result?.messages ?? []).map(({ ruleId, message }) => ruleId ?? message);
}

/** A source file of the layer; undefined as long as the layer has none (the browser's driver comes later). */
function fileOf(layer: string): string | undefined {
  const folder = join(protocol, 'src', layer);
  return existsSync(folder) ? readdirSync(folder).find(name => name.endsWith('.ts')) : undefined;
}

const isBuilt = (layer: string): boolean => fileOf(layer) !== undefined;

const importOf = (layer: string): string =>
  `import * as probe from '../${layer}/${fileOf(layer)?.replace(/ts$/, 'js') ?? ''}';\nexport { probe };\n`;

/** What the compiler says of `code` as one more file of the core project. */
function diagnosticsInCore(code: string): readonly ts.Diagnostic[] {
  const configFile = join(protocol, 'tsconfig.core.json');
  const config = ts.getParsedCommandLineOfConfigFile(
    configFile,
    { noEmit: true },
    {
      ...ts.sys,
      onUnRecoverableConfigFileDiagnostic: diagnostic => {
        throw new Error(ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n'));
      },
    },
  );
  if (!config) throw new Error(`${configFile} cannot be read`);
  const probe = join(protocol, 'src/base/guard-probe.ts');
  const host = ts.createCompilerHost(config.options);
  const original = {
    read: host.readFile.bind(host),
    exists: host.fileExists.bind(host),
    source: host.getSourceFile.bind(host),
  };
  host.readFile = file => (file === probe ? code : original.read(file));
  host.fileExists = file => file === probe || original.exists(file);
  host.getSourceFile = (file, options, ...rest) =>
    file === probe ? ts.createSourceFile(file, code, options) : original.source(file, options, ...rest);
  const program = ts.createProgram({
    rootNames: [...config.fileNames, probe],
    options: config.options,
    host,
  });
  return program.getSemanticDiagnostics(program.getSourceFile(probe));
}

test('the compiler knows no timer, clock, console or Node global in the core', t => {
  const names = [
    'setTimeout',
    'setInterval',
    'setImmediate',
    'queueMicrotask',
    'process',
    'Buffer',
    'console',
    'crypto',
    'performance',
    'AbortSignal',
    'TextEncoder',
    'fetch',
    'require',
    'window',
  ];

  const diagnostics = diagnosticsInCore(
    names.map(name => `export const probe_${name}: unknown = ${name};`).join('\n'),
  );

  const refused = diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
  for (const name of names)
    t.true(
      refused.some(text => text.includes(`'${name}'`)),
      `${name} exists in the core`,
    );
});

test('the compiler finds no Node module in the core', t => {
  const modules = ['node:dgram', 'node:fs', 'node:crypto', 'dgram'];

  const diagnostics = diagnosticsInCore(
    modules.map((name, i) => `export * as m${i} from '${name}';`).join('\n'),
  );

  t.is(diagnostics.length, modules.length);
});

test('the compiler accepts plain code in the core', t => {
  t.deepEqual(diagnosticsInCore('export const sum = (a: number, b: number): number => a + b;'), []);
});

test('every folder of the cluster protocol has its place in the order of layers', t => {
  const folders = readdirSync(join(protocol, 'src'), { withFileTypes: true })
    .filter(entry => entry.isDirectory())
    .map(entry => entry.name);

  t.deepEqual(
    folders.filter(name => ![...LAYERS, ...DRIVERS, 'testing'].includes(name)),
    [],
  );
});

test('every package has its line in the table of allowed imports', t => {
  const packages = readdirSync(join(root, 'packages')).filter(name =>
    existsSync(join(root, 'packages', name, 'package.json')),
  );

  t.deepEqual(packages.sort(), Object.keys(PACKAGES).sort());
});

test('lint refuses every import of a layer from below it', async t => {
  for (const [height, lower] of LAYERS.entries()) {
    if (!isBuilt(lower)) continue;
    for (const upper of [...LAYERS.slice(height + 1), ...DRIVERS].filter(isBuilt)) {
      const refusals = await refusalsOf(`packages/cluster-protocol/src/${lower}`, importOf(upper));
      t.deepEqual(refusals, ['import-x/no-restricted-paths'], `${lower} may import ${upper}`);
    }
  }
});

test('lint accepts every import of a layer from above it', async t => {
  for (const [height, upper] of LAYERS.entries()) {
    if (!isBuilt(upper)) continue;
    for (const lower of LAYERS.slice(0, height).filter(isBuilt)) {
      const refusals = await refusalsOf(`packages/cluster-protocol/src/${upper}`, importOf(lower));
      t.deepEqual(refusals, [], `${upper} may not import ${lower}`);
    }
  }
});

test('lint keeps the drivers apart and the test equipment out of the product', async t => {
  const forbidden = [
    ...DRIVERS.flatMap(driver =>
      DRIVERS.filter(other => other !== driver).map(other => [driver, other] as const),
    ),
    ...DRIVERS.map(driver => ['testing', driver] as const),
    ...[...LAYERS, ...DRIVERS].map(layer => [layer, 'testing'] as const),
  ];

  for (const [from, to] of forbidden.filter(pair => pair.every(isBuilt))) {
    t.deepEqual(
      await refusalsOf(`packages/cluster-protocol/src/${from}`, importOf(to)),
      [LAYOUT_RULES[0]],
      `${from}, ${to}`,
    );
  }
  t.pass();
});

test('lint refuses what one package may not know of another', async t => {
  const capabilities = "import * as probe from '../../capabilities/src/index.js';\nexport { probe };\n";
  const deep = "import * as probe from '../../cluster-protocol/src/base/index.js';\nexport { probe };\n";

  if (existsSync(join(root, 'packages/capabilities/src/index.ts'))) {
    const byName = capabilities.replace('../../capabilities/src/index.js', '@coconet/capabilities');
    t.deepEqual(await refusalsOf('packages/nmn/src', capabilities), [LAYOUT_RULES[0]]);
    t.deepEqual(await refusalsOf('packages/nmn/src', byName), [LAYOUT_RULES[0]]);
    t.deepEqual(await refusalsOf('packages/cluster-protocol/src/base', byName), [LAYOUT_RULES[0]]);
    t.deepEqual(await refusalsOf('packages/device-sdk/src', byName), []);
  }
  for (const folder of ['device-sdk', 'client-sdk', 'nmn', 'cli']) {
    t.deepEqual(await refusalsOf(`packages/${folder}/src`, deep), [LAYOUT_RULES[0]], folder);
  }
  t.deepEqual(await refusalsOf('examples/host-monitor/src', deep.replace('../../', '../../../packages/')), [
    LAYOUT_RULES[0],
  ]);
});

test('lint refuses to read a clock or to throw dice where both are passed in', async t => {
  const code =
    'export const now = Date.now();\nexport const dice = Math.random();\nexport const today = new Date();\n';
  const all = ['no-restricted-properties', 'no-restricted-properties', 'no-restricted-syntax'];

  for (const folder of [
    'cluster-protocol/src/session',
    'capabilities/src',
    'device-sdk/src',
    'client-sdk/src',
    'nmn/src',
  ]) {
    t.deepEqual(await refusalsOf(`packages/${folder}`, code), all, folder);
  }
  t.deepEqual(await refusalsOf('packages/cluster-protocol/src/nodejs', code), []);
});

test('no file of code is too long to be read at one go, and none is named after nothing in particular', t => {
  const files = ['packages', 'examples', 'scripts', 'test', 'benchmarks'].flatMap(folder =>
    readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
      .filter(name => /\.[jt]s$/.test(name) && !/(^|[\\/])(node_modules|dist)[\\/]/.test(name))
      .map(name => join(folder, name)),
  );
  const code = files.map(file => ({ file, text: readFileSync(join(root, file), 'utf8') }));

  const long = code.filter(({ text }) => text.split('\n').length - 1 > 600).map(({ file }) => file);
  const vague = /\b(?:class|interface|type|function|const)\s+\w*(?:Manager|Helper|Utils)s?\b/;
  const unnamed = code.filter(
    ({ file, text }) => vague.test(text) || /(manager|helper|utils)s?\.[jt]s$/i.test(file),
  );

  t.true(files.length > 400);
  t.deepEqual(long, []);
  t.deepEqual(
    unnamed.map(({ file }) => file),
    [],
  );
});
