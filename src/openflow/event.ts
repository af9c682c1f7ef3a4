/** Something that happened in the switch, on its way to every controller that wants to know. */
import type { AsyncEvent } from '../ofproto/async-events.js';
import { type EventForm, encodeEvent } from '../ofproto/event-forms.js';

export class Event {
  readonly event: AsyncEvent;
  readonly #encoded: { readonly form: EventForm; readonly bytes: Uint8Array | undefined }[] = [];

  constructor(event: AsyncEvent) {
    this.event = event;
  }

  /** In wire form, encoded once for all controllers that want it alike. Undefined where there are no words for it. */
  bytes(form: EventForm): Uint8Array | undefined {
    for (const known of this.#encoded) if (isSame(known.form, form)) return known.bytes;
    const bytes = encodeEvent(this.event, form);
    this.#encoded.push({ form, bytes });
    return bytes;
  }
}

function isSame(a: EventForm, b: EventForm): boolean {
  const sameFormat = a.version === b.version && a.nxm === b.nxm && a.packetInFormat === b.packetInFormat;
  return sameFormat && a.missSendLen === b.missSendLen;
}
