import { common } from '../../ava.config.js';

/** Installs the tarballs of `npm run pack` with npm: needs the registry, or npm's cache of it. */
export default {
  ...common,
  files: ['test/packages/**/*.test.ts'],
  timeout: '5m',
  serial: true,
  concurrency: 1,
};
