/** A device with a lamp; counts how often it was switched. Says `ready`, and ends with its standard input. */
import { MemoryStore } from '@coconet/cluster-protocol';
import { onOff } from '@coconet/capabilities';
import { createDevice } from '@coconet/device-sdk';

const device = await createDevice({
  name: 'Desk',
  join: process.argv[2],
  store: new MemoryStore(),
  allowDocumentationAddresses: true,
});
let switched = 0;
const lamp = device.addResource('lamp', [onOff]);
lamp.onOff.handle({
  toggle: () => {
    lamp.onOff.set({ on: ++switched % 2 === 1 });
  },
});
console.log('ready');

process.stdin.resume().once('end', () => {
  console.log(`switched ${switched}`);
  void device.close();
});
