/**
 * The command-line tool, and what it starts, for programs.
 *
 * @module
 */
export { main } from './main.js';
export type { Terminal } from './main.js';
export { startDev } from './dev/start-dev.js';
export type { Dev, DevOptions } from './dev/start-dev.js';
