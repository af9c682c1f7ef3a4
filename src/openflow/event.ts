/** Something that happened in the switch, on its way to every controller that wants to know. */
import type { AsyncEvent } from '../ofproto/async-events.js';
import { type EventForm, encodeEvent } from '../ofproto/event-forms.js';

export class Event {
  readonly event: AsyncEvent;
  readonly #encoded = new Map<string, Uint8Array | undefined>();

  constructor(event: AsyncEvent) {
    this.event = event;
  }

  /** In wire form, encoded once for all controllers that want it alike. Undefined where there are no words for it. */
  bytes(form: EventForm): Uint8Array | undefined {
    const { version, nxm, packetInFormat, missSendLen } = form;
    const key = [version, nxm, packetInFormat, missSendLen].join();
    if (!this.#encoded.has(key)) this.#encoded.set(key, encodeEvent(this.event, form));
    return this.#encoded.get(key);
  }
}
