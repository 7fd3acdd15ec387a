import { ClusterError } from '../base/index.js';

/** A stream ended before its end. `STREAM_RESET`: the peer gave its half up; `STREAM_STOPPED`: it reads ours no more. */
export class StreamError extends ClusterError {
  /** The peer's code: 0 cancelled, 1 nobody there takes this service, 256 and more the application's. */
  readonly streamCode: number;

  constructor(code: 'STREAM_RESET' | 'STREAM_STOPPED', message: string, streamCode: number) {
    super(code, message);
    this.name = 'StreamError';
    this.streamCode = streamCode;
  }
}
