/** What every ring of tests shares: TypeScript as it stands, packages resolved to each other's source, real processes. */
export const common = {
  extensions: { ts: 'module' },
  nodeArguments: ['--import=tsx', '--conditions=coconet-source'],
  workerThreads: false,
};

/** Ring one: npm packages only, no root, no network. */
export default {
  ...common,
  files: [
    'packages/*/test/**/*.test.ts',
    'examples/*/test/**/*.test.ts',
    'test/**/*.test.ts',
    // The other rings have a configuration of their own.
    '!test/{packages,system,nat}/**',
  ],
  timeout: '60s',
};
