// A program that holds a store until it is ended: started by the tests with the store's path.
import { connect } from '../../src/index.js';

const network = await connect({ store: process.argv[2] ?? '' });
await network.resource('Desk/lamp', { timeout: 20_000 });
console.log(network.shared ? 'shared' : 'holding');
process.stdin.resume();
process.stdin.once('end', () => {
  void network.close();
});
