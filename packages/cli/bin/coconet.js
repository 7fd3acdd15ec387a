#!/usr/bin/env node
import { existsSync } from 'node:fs';

// In the repository the sources stand beside this folder; a published package has only what was built from them.
const inRepository = existsSync(new URL('../src/main.ts', import.meta.url));
if (inRepository) await import('./source.js');
const { main } = await import(inRepository ? '../src/main.ts' : '../dist/main.js');

process.exitCode = await main(process.argv.slice(2));
