import { common } from '../../ava.config.js';

/** Ring two: programs of the operating system, listed in docs/contributing/system-tests.md. */
export default {
  ...common,
  files: ['test/system/**/*.test.ts'],
  timeout: '2m',
  serial: true,
  concurrency: 1,
};
