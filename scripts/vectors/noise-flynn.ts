/**
 * Turns the vector file of github.com/flynn/noise into test-vectors/noise-fundamental.json, keeping what we implement:
 *
 *   npx tsx scripts/vectors/noise-flynn.ts vectors.txt > test-vectors/noise-fundamental.json
 */
import { readFileSync } from 'node:fs';

interface Vector {
  readonly name: string;
  readonly prologue: string;
  readonly messages: (readonly [payload: string, ciphertext: string])[];
}

const [path] = process.argv.slice(2);
if (path === undefined) throw new Error('usage: noise-flynn.ts VECTORS.TXT');

const keys = new Map<string, string>();
const vectors: Vector[] = [];
for (const block of readFileSync(path, 'utf8').split('\n\n')) {
  const fields = new Map(block.split('\n').map(line => line.split('=', 2) as [string, string]));
  const name = fields.get('handshake');
  if (name === undefined || !name.includes('_ChaChaPoly_')) continue;
  for (const key of [
    'init_static',
    'resp_static',
    'gen_init_ephemeral',
    'gen_resp_ephemeral',
    'preshared_key',
  ]) {
    const value = fields.get(key);
    if (value === undefined) continue;
    if ((keys.get(key) ?? value) !== value) throw new Error(`${key} is not the same in all vectors`);
    keys.set(key, value);
  }
  const messages: Vector['messages'] = [];
  for (let i = 0; fields.has(`msg_${i}_ciphertext`); i++)
    messages.push([fields.get(`msg_${i}_payload`) ?? '', fields.get(`msg_${i}_ciphertext`)!]);
  // Half of the file repeats the other half with other payloads; a quarter of it shows everything.
  const hasPayloads = messages[0]![0] !== '';
  const hasPrologue = fields.has('prologue');
  if (hasPayloads !== hasPrologue) continue;
  vectors.push({ name, prologue: fields.get('prologue') ?? '', messages });
}

const file = {
  source:
    'github.com/flynn/noise v1.0.0, vectors.txt; the ChaChaPoly vectors with neither or both of prologue and payloads',
  licence: 'BSD-3-Clause, Copyright (c) 2015 Prime Directive, Inc.',
  format:
    'Private keys and the psk are shared by all vectors. A message is [payload, ciphertext], first those of the handshake in turn, then transport messages: the first from the initiator, and so on in turn.',
  initiatorStatic: keys.get('init_static'),
  responderStatic: keys.get('resp_static'),
  initiatorEphemeral: keys.get('gen_init_ephemeral'),
  responderEphemeral: keys.get('gen_resp_ephemeral'),
  psk: keys.get('preshared_key'),
  vectors,
};
process.stdout.write(`${JSON.stringify(file, null, 1)}\n`);
