import { minutes } from '../../../src/base/index.js';
import { createNodeHost } from '../../../src/nodejs/host.js';
import { ScriptedMachine } from './scripted-machine.js';

const host = await createNodeHost();
const machine = new ScriptedMachine();
const running = await host.run(machine, {}, () => {});
machine.due = (host.now() + minutes(10)) as typeof machine.due;
running.turn();
const callOff = host.schedule(minutes(10), () => {});
await Promise.resolve();
callOff();
await running.close();
process.stdout.write('closed\n');
