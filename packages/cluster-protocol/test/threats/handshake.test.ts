import { testAll } from './test-all.js';
import { handshakeThreats } from './handshake-threats.js';

testAll(handshakeThreats);
