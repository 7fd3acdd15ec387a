/** Cuts a byte stream into messages whose lengths are known: no frame is needed, and none is counted. */
export class Pieces {
  /** Length of the next messages; 0: chunks as they come. */
  expects = 0;
  onMessage: (message: Uint8Array) => void = () => undefined;
  #rest: Uint8Array = new Uint8Array(0);

  take(chunk: Uint8Array): void {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    let at = 0;
    while (this.expects > 0 && at + this.expects <= bytes.length) {
      const end = at + this.expects;
      this.onMessage(bytes.subarray(at, end));
      at = end;
    }
    this.#rest = bytes.subarray(at);
    if (this.expects > 0 || this.#rest.length === 0) return;
    const rest = this.#rest;
    this.#rest = new Uint8Array(0);
    this.onMessage(rest);
  }
}
