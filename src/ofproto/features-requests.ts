/** Requests for table features that come in several messages, since 254 tables do not fit into one (OpenFlow 1.3.5 §7.3.5). */
import { type MultipartRequest, neutralPair, of13, type TableFeatures } from 'node-openflow';
import type { ControllerView } from './controller-view.js';
import { MULTIPART_WAIT_TICKS, TABLE_FEATURES_MAX } from './limits.js';
import { badRequest, type OfError, sendError } from './of-error.js';

interface Begun {
  /** The last message that came. */
  readonly request: MultipartRequest;
  readonly entries: readonly TableFeatures[];
  ticks: number;
}

export class FeaturesRequests {
  readonly #begun = new Map<ControllerView, Begun>();

  /** All entries of a request with its last message, 'more' before. One with another xid begins anew. */
  gather(
    view: ControllerView,
    request: MultipartRequest,
    entries: readonly TableFeatures[],
    more: boolean,
  ): readonly TableFeatures[] | 'more' | OfError {
    const before = this.#begun.get(view);
    const all = [...(before?.request.xid === request.xid ? before.entries : []), ...entries];
    this.#begun.delete(view);
    if (all.length > TABLE_FEATURES_MAX) return badRequest(of13.OFPBRC.MULTIPART_BUFFER_OVERFLOW);
    if (!more) return all;
    this.#begun.set(view, { request, entries: all, ticks: 0 });
    return 'more';
  }

  /** Forgets what nothing more came of, and says so (OpenFlow 1.4.1 §7.3.5). */
  tick(): void {
    for (const [view, begun] of this.#begun) {
      if (++begun.ticks < MULTIPART_WAIT_TICKS && !view.gone) continue;
      this.#begun.delete(view);
      if (!view.gone) sendError(view, begun.request, neutralPair('OFPBRC_MULTIPART_REQUEST_TIMEOUT'));
    }
  }
}
