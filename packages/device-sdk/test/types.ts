// Compiled with the tests, never run: what the compiler accepts and refuses of the README's lamp and its kind.
import { electricalMeasurement, level, onOff } from '@coconet/capabilities';
import { createDevice } from '../src/index.js';

const device = await createDevice({ name: 'Desk', join: process.env.COCONET_JOIN, store: './data' });
const lamp = device.addResource('lamp', [onOff, level], { name: 'Desk lamp' });

lamp.onOff.handle({
  turnOn: ({ duration }, { sender, signal, progress }) => {
    progress(50, `for ${sender.name}`);
    if (!signal.aborted) lamp.onOff.set({ on: (duration ?? 1) > 0 });
  },
  turnOff: () => lamp.onOff.set({ on: false }),
  refresh: names => {
    for (const name of names) lamp.onOff.get(name);
  },
  write: async ({ startupBehavior }) => {
    await Promise.resolve(startupBehavior);
  },
});

export const on: boolean | null = lamp.onOff.get('on');
export const percent: number | null = lamp.level.values.level;

// @ts-expect-error -- no such capability on this resource
export const wrong: unknown = lamp.electricalMeasurement;
// @ts-expect-error -- no such attribute
lamp.onOff.set({ off: true });
// @ts-expect-error -- wrong type
lamp.level.set({ level: 'high' });
// @ts-expect-error -- no such command
lamp.onOff.handle({ explode: () => undefined });
// @ts-expect-error -- no such parameter
lamp.level.handle({ setLevel: ({ brightness }) => lamp.level.set({ level: Number(brightness) }) });
// @ts-expect-error -- labels for a capability the resource does not have
device.addResource('grid', [electricalMeasurement], { instances: { onOff: ['L1'] } });
