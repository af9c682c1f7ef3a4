/** Requests for table features that come in several messages, since 254 tables do not fit into one (OpenFlow 1.3.5 §7.3.5). */
import type { MultipartRequest, TableFeatures } from 'node-openflow';
import { of13 } from 'node-openflow';
import type { ControllerView } from './controller-view.js';
import { TABLE_FEATURES_MAX } from './limits.js';
import { badRequest, type OfError } from './of-error.js';

interface Begun {
  readonly xid: number;
  readonly entries: TableFeatures[];
}

export class FeaturesRequests {
  readonly #begun = new WeakMap<ControllerView, Begun>();

  /** All entries of a request with its last message, 'more' before. One with another xid begins anew. */
  gather(
    view: ControllerView,
    { xid }: MultipartRequest,
    entries: readonly TableFeatures[],
    more: boolean,
  ): readonly TableFeatures[] | 'more' | OfError {
    const before = this.#begun.get(view);
    const all = [...(before?.xid === xid ? before.entries : []), ...entries];
    this.#begun.delete(view);
    if (all.length > TABLE_FEATURES_MAX) return badRequest(of13.OFPBRC.MULTIPART_BUFFER_OVERFLOW);
    if (!more) return all;
    this.#begun.set(view, { xid, entries: all });
    return 'more';
  }
}
