import { createDevice } from '@coconet/device-sdk';
import { onOff } from '@coconet/capabilities';

const device = await createDevice({ name: 'Desk', join: process.env.COCONET_JOIN, store: './data' });
const lamp = device.addResource('lamp', [onOff]);
lamp.onOff.handle({
  turnOn: () => lamp.onOff.set({ on: true }),
  turnOff: () => lamp.onOff.set({ on: false }),
});
