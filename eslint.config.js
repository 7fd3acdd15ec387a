import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import { createTypeScriptImportResolver } from 'eslint-import-resolver-typescript';
import { flatConfigs as importX } from 'eslint-plugin-import-x';
import jsdoc from 'eslint-plugin-jsdoc';
import node from 'eslint-plugin-n';
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

const root = import.meta.dirname;

/** The layers of the cluster protocol, bottom first: a layer imports itself and what stands before it, nothing else. */
export const LAYERS = [
  'base',
  'wire',
  'crypto',
  'session',
  'path',
  'network',
  'interface',
  'sodium',
  'streams',
];

/** The drivers stand side by side on top of the layers and do not know each other. */
export const DRIVERS = ['nodejs', 'browser'];

/** Which package may import the entries of which. A package that is not named imports none. */
export const PACKAGES = {
  'cluster-protocol': [],
  capabilities: [],
  'device-sdk': ['cluster-protocol', 'capabilities'],
  'client-sdk': ['cluster-protocol', 'capabilities'],
  nmn: ['cluster-protocol'],
  cli: ['cluster-protocol', 'capabilities', 'device-sdk', 'client-sdk', 'nmn'],
};

const layer = name => join(root, 'packages/cluster-protocol/src', name);

/** The source files that a package offers to others, relative to its folder. */
function entriesOf(name) {
  const manifest = JSON.parse(readFileSync(join(root, 'packages', name, 'package.json'), 'utf8'));
  return Object.values(manifest.exports).flatMap(target => target['coconet-source'] ?? []);
}

const layerZones = [
  ...LAYERS.map((name, index) => ({
    target: layer(name),
    from: [...LAYERS.slice(index + 1), ...DRIVERS, 'testing', 'index.ts', 'core.ts'].map(layer),
    message: `${name} lies below and may not know what is built on it.`,
  })),
  ...DRIVERS.map(name => ({
    target: layer(name),
    from: [...DRIVERS.filter(other => other !== name), 'testing', 'index.ts', 'core.ts'].map(layer),
    message: `${name} is a driver: it knows the layers below, no other driver and no test equipment.`,
  })),
  {
    target: layer('testing'),
    from: [...DRIVERS, 'index.ts', 'core.ts'].map(layer),
    message: 'testing drives the core under virtual time and knows no driver.',
  },
];

const packageZones = Object.entries(PACKAGES).flatMap(([name, allowed]) =>
  Object.keys(PACKAGES)
    .filter(other => other !== name)
    .map(other => ({
      target: join(root, 'packages', name, 'src'),
      from: join(root, 'packages', other),
      except: allowed.includes(other) ? entriesOf(other) : [],
      message: allowed.includes(other)
        ? `${name} imports the entries of ${other} only.`
        : `${name} may not import ${other}.`,
    })),
);

const exampleZones = Object.keys(PACKAGES).map(name => ({
  target: join(root, 'examples'),
  from: join(root, 'packages', name),
  except: entriesOf(name),
  message: `An example imports the entries of ${name} only, as its reader will.`,
}));

const clockAndChance = {
  'no-restricted-properties': [
    'error',
    { object: 'Date', property: 'now', message: 'Time is passed in: Instant or WallTime.' },
    { object: 'Math', property: 'random', message: 'Chance is passed in: RandomSource.' },
    { object: 'performance', property: 'now', message: 'Time is passed in: Instant.' },
  ],
  'no-restricted-syntax': [
    'error',
    {
      selector: 'NewExpression[callee.name="Date"][arguments.length=0]',
      message: 'Time is passed in: WallTime.',
    },
  ],
};

export default defineConfig(
  globalIgnores(['**/dist/', 'build/', 'coverage/', 'docs/api/', 'tools/natlab/', '**/.coconet/']),
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },

  {
    files: ['**/*.ts', '**/*.js'],
    extends: [importX.typescript],
    plugins: { n: node },
    settings: {
      node: { version: '>=20.19.0' },
      'import-x/resolver-next': [
        createTypeScriptImportResolver({
          conditionNames: ['coconet-source', 'types', 'import', 'node', 'default'],
        }),
      ],
    },
    rules: {
      'import-x/no-restricted-paths': [
        'error',
        { basePath: root, zones: [...layerZones, ...packageZones, ...exampleZones] },
      ],
      'import-x/no-cycle': ['error', { ignoreExternal: true }],
      'import-x/no-self-import': 'error',
      'import-x/no-duplicates': 'error',
      'n/no-deprecated-api': 'error',
      'n/no-unsupported-features/es-builtins': 'error',
      // import.meta.dirname is in every Node since 20.11; only its label "experimental" went away later.
      'n/no-unsupported-features/node-builtins': ['error', { ignores: ['import.meta.dirname'] }],
      'n/prefer-node-protocol': 'error',
      eqeqeq: 'error',
      'no-throw-literal': 'error',
      'prefer-const': 'error',
    },
  },

  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: {
      parserOptions: { project: join(root, 'tsconfig.eslint.json'), tsconfigRootDir: root },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      // Numbers in messages are the point of many messages; objects and undefined stay forbidden.
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      // `() => socket.close()` is the house's way to write a callback whose result nobody reads.
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      // A loop that ends by a return inside is written `for (;;)` or `while (true)`.
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // Lengths are checked once at the edge; an index that was checked there is asserted with `!`, which costs nothing.
      '@typescript-eslint/no-non-null-assertion': 'off',
      // An interface may promise a promise where one of its implementations needs no await.
      '@typescript-eslint/require-await': 'off',
      // `_name` marks a parameter that the interface gives and this implementation has no use for.
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
    },
  },

  {
    files: ['packages/*/src/**/*.ts', 'examples/*/src/**/*.ts'],
    plugins: { jsdoc },
    rules: {
      'max-lines': ['error', 600],
      'import-x/no-extraneous-dependencies': [
        'error',
        { devDependencies: false, optionalDependencies: true },
      ],
      'jsdoc/require-jsdoc': [
        'error',
        {
          publicOnly: { esm: true, cjs: false, window: false },
          require: { ClassDeclaration: true, FunctionDeclaration: true },
          contexts: [
            'TSInterfaceDeclaration',
            'TSTypeAliasDeclaration',
            'ExportNamedDeclaration > VariableDeclaration',
            'ExportDefaultDeclaration',
          ],
          enableFixer: false,
        },
      ],
      'jsdoc/check-tag-names': ['error', { definedTags: ['remarks', 'typeParam'] }],
      'jsdoc/check-param-names': 'error',
      'jsdoc/no-types': 'error',
    },
  },

  {
    files: ['packages/{cluster-protocol,capabilities,device-sdk,client-sdk,nmn}/src/**/*.ts'],
    // The rim: drivers and whatever else talks to the machine.
    ignores: ['packages/*/src/{nodejs,browser,storage,admin}/**', 'packages/nmn/src/main.ts'],
    rules: clockAndChance,
  },

  {
    files: [
      'packages/*/test/**/*.ts',
      'packages/*/benchmarks/**/*.ts',
      'examples/*/test/**/*.ts',
      'test/**/*.ts',
    ],
    rules: {
      // A test hands wrong things in on purpose, and a fake takes the methods of what it stands for apart.
      '@typescript-eslint/unbound-method': 'off',
      // An empty function is the shortest listener.
      '@typescript-eslint/no-empty-function': 'off',
    },
  },
);
