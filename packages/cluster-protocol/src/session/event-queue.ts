import type { SessionEvent } from './session-event.js';
import type { SessionTrace } from './session-trace.js';

/** Events until they are polled. A packet makes few of them, and all are polled after every packet. */
export class EventQueue {
  /** Hears of all of them, and of much more; `undefined`: nobody listens. */
  readonly trace: SessionTrace | undefined;
  readonly #events: SessionEvent[] = [];
  #first = 0;

  constructor(trace?: SessionTrace) {
    this.trace = trace;
  }

  push(event: SessionEvent): void {
    this.trace?.event(event);
    this.#events.push(event);
  }

  shift(): SessionEvent | undefined {
    const event = this.#events[this.#first];
    if (event === undefined || ++this.#first === this.#events.length) {
      this.#events.length = 0;
      this.#first = 0;
    }
    return event;
  }
}
