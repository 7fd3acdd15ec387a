import type { SessionEvent } from './session-event.js';

/** Events until they are polled. A packet makes few of them, and all are polled after every packet. */
export class EventQueue {
  readonly #events: SessionEvent[] = [];
  #first = 0;

  push(event: SessionEvent): void {
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
