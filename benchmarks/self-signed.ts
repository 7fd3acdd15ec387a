import { generateKeyPairSync, sign } from 'node:crypto';

/** A key and its certificate, PEM. */
export interface Identity {
  readonly key: string;
  readonly cert: string;
}

/** DER tags that a certificate needs (ITU-T X.690). */
const Tag = {
  integer: 0x02,
  bitString: 0x03,
  utf8: 0x0c,
  time: 0x17,
  sequence: 0x30,
  set: 0x31,
  version: 0xa0,
} as const;
/** 1.2.840.10045.4.3.2, ecdsa-with-SHA256 (RFC 5758, section 3.2). */
const ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');
/** 2.5.4.3, commonName. */
const COMMON_NAME = Buffer.from('0603550403', 'hex');
/** From 1970 to 2049, the most that a UTCTime says for certain: the clock of the machine is none of our business. */
const VALIDITY = ['700101000000Z', '491231235959Z'] as const;

/**
 * A fresh P-256 key with a certificate that it signed itself (RFC 5280): what TLS asks for, made here because Node makes
 * none and a key in the repository would expire or be taken for a secret.
 */
export function selfSigned(name: string): Identity {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const algorithm = der(Tag.sequence, ECDSA_WITH_SHA256);
  const subject = der(
    Tag.sequence,
    der(Tag.set, der(Tag.sequence, COMMON_NAME, der(Tag.utf8, Buffer.from(name)))),
  );
  const toBeSigned = der(
    Tag.sequence,
    der(Tag.version, der(Tag.integer, Buffer.of(2))),
    der(Tag.integer, Buffer.of(1)),
    algorithm,
    subject,
    der(Tag.sequence, ...VALIDITY.map(time => der(Tag.time, Buffer.from(time)))),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const certificate = der(
    Tag.sequence,
    toBeSigned,
    algorithm,
    der(Tag.bitString, Buffer.concat([Buffer.of(0), signature])),
  );
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: `-----BEGIN CERTIFICATE-----\n${certificate.toString('base64')}\n-----END CERTIFICATE-----\n`,
  };
}

function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}
