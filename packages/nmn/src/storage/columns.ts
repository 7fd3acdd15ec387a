/** Bytes for a column, without copying them. */
export const toBlob = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** Bytes out of a column, as a plain array that does not share the driver's memory. */
export const fromBlob = (blob: Buffer): Uint8Array => new Uint8Array(blob);
