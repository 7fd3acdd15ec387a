export * from './bytes.js';
export * from './deadline-queue.js';
export * from './errors.js';
export * from './instant.js';
export * from './random.js';
export * from './result.js';
export * from './sequence-window.js';
export * from './text.js';
