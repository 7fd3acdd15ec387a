/** Who began a stream: the initiator or the responder of its session's handshake. */
export type StreamOpener = 'initiator' | 'responder';

/*
 * Streams are numbered by who opens them: 0, 1, 2, … in each of four kinds. The two low bits of an id tell the kind
 * (docs/spec/03-session.md, section 11), as in RFC 9000, section 2.1.
 */
const BY_RESPONDER = 1;
const ONE_WAY = 2;

/** The id of the `ordinal`-th stream of its kind, from 0. */
export const streamId = (opener: StreamOpener, oneWay: boolean, ordinal: number): number =>
  4 * ordinal + (oneWay ? ONE_WAY : 0) + (opener === 'responder' ? BY_RESPONDER : 0);

/** Who opened a stream. */
export const streamOpener = (id: number): StreamOpener =>
  id % 2 === BY_RESPONDER ? 'responder' : 'initiator';

/** Whether only its opener sends on it. */
export const isOneWay = (id: number): boolean => id % 4 >= ONE_WAY;

/** How many streams of its kind were opened before it. */
export const streamOrdinal = (id: number): number => Math.floor(id / 4);
