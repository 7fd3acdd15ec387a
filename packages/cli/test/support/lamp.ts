/** A device for the tests: a lamp that does what it is told, and says each thing on a line of its own. */
import { diagnostics, level, onOff } from '@coconet/capabilities';
import { createDevice } from '@coconet/device-sdk';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

const device = await createDevice({
  name: process.env.LAMP_NAME ?? 'Desk',
  join: process.env.COCONET_JOIN,
  store: process.env.LAMP_STORE ?? './data',
  onNotice: say,
});
const lamp = device.addResource('lamp', [onOff, level], { name: 'Desk lamp' });
lamp.onOff.set({ on: false });
lamp.level.set({ level: 0, startupLevel: 50 });
lamp.onOff.handle({
  turnOn: () => lamp.onOff.set({ on: true }),
  turnOff: () => lamp.onOff.set({ on: false }),
});
lamp.level.handle({ setLevel: parameters => lamp.level.set({ level: parameters.level }) });
if (process.env.LAMP_MORE !== undefined) {
  const fan = device.addResource('fan', [onOff]);
  fan.onOff.set({ on: false });
  const board = device.addResource('board', [diagnostics]);
  board.diagnostics.set({ memoryFree: 1_234_567_890n, faults: [] });
}

device.on('nmn', ({ state }) => say(`nmn ${state}`));
device.on('expelled', text => {
  say(`expelled ${text}`);
  void device.close();
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void device.close());
say(`ready ${device.name} ${device.nodeId}`);
