import { createInterface } from 'node:readline';

import { acquireStoreLock } from '../../../src/nodejs/store-lock.js';

// At each line it is told: asks for the lock, says whether it holds it, and keeps it. Greets whoever connects.
process.stdout.write('ready\n');
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'end') process.exit(0);
  const lock = await acquireStoreLock(process.argv[2]!);
  if (lock.held) lock.serve(socket => socket.end(`hello from ${process.pid}`));
  process.stdout.write(lock.held ? 'held\n' : 'foreign\n');
}
