import { connect } from '@coconet/client-sdk';
import { onOff } from '@coconet/capabilities';

const network = await connect({ join: process.env.COCONET_JOIN, store: './phone' });
const lamp = await network.resource('Desk/lamp', [onOff]);
await lamp.onOff.turnOn({}, { timeout: 2_000 });
for await (const { on, fresh } of lamp.onOff.watch()) console.log(on, fresh);
