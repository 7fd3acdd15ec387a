export { SodiumProvider } from './sodium-provider.js';
