/** Bundles of one controller: changes that are gathered and then carried out together (OpenFlow 1.4.1 §7.3.9). */
import {
  type BundleAddMessage,
  type BundleControl,
  decodeMessage,
  type ErrorName,
  type ErrorPair,
  type Message,
  type MessageOf,
  neutralPair,
  of14,
  of15,
} from 'node-openflow';
import type { Change, Refused } from '../ofproto/commit.js';
import { BUNDLE_BYTES_MAX, BUNDLES_MAX } from './limits.js';

const { OFPBCT } = of14;
/** All are carried out in order and atomically, whether asked for or not. */
const FLAGS_KNOWN = of14.OFPBF.ATOMIC | of14.OFPBF.ORDERED;

interface Bundle {
  readonly flags: number;
  readonly changes: Change[];
  /** Of the changes on the wire. */
  bytes: number;
  closed: boolean;
}

/** Why a request was refused, and the request: one in a bundle, or the bundle message itself. */
export interface BundleError {
  readonly request: Message;
  readonly error: ErrorPair;
}

const isChange = (message: Message): message is Change =>
  ['flow_mod', 'group_mod', 'meter_mod', 'port_mod'].includes(message.type);

/** Carries all out or none, and returns the one that was refused. */
type Commit = (changes: readonly Change[]) => Refused | undefined;

export class Bundles {
  readonly #commit: Commit;
  readonly #open = new Map<number, Bundle>();

  constructor(commit: Commit) {
    this.#commit = commit;
  }

  /** Adds a message to a bundle, which is opened if it is not there; returns why not. */
  add(request: BundleAddMessage): BundleError | undefined {
    const refuse = (name: ErrorName): BundleError => ({ request, error: neutralPair(name) });
    const { bundleId, flags, version, xid } = request;
    const bundle = this.#open.get(bundleId) ?? this.#create(bundleId, flags);
    if (typeof bundle === 'string') return refuse(bundle);
    if (bundle.closed) return refuse('OFPBFC_BUNDLE_CLOSED');
    if (bundle.flags !== flags) return refuse('OFPBFC_BAD_FLAGS');
    // A copy: what was received is overwritten.
    const decoded = decodeMessage(request.message.slice(), { version, unknown: 'refuse' });
    if (!decoded.ok) return { request, error: decoded.error };
    const { message } = decoded;
    if (message.xid !== xid) return refuse('OFPBFC_MSG_BAD_XID');
    if (!isChange(message)) return refuse('OFPBFC_MSG_UNSUP');
    if (this.#bytes + request.message.length > BUNDLE_BYTES_MAX) return refuse('OFPBFC_MSG_TOO_MANY');
    bundle.bytes += request.message.length;
    bundle.changes.push(message);
    return undefined;
  }

  /** Opens, closes, commits or discards; returns the reply's type, or what went wrong, the last being the bundle's. */
  control(request: BundleControl): number | readonly BundleError[] {
    const refuse = (name: ErrorName): readonly BundleError[] => [{ request, error: neutralPair(name) }];
    const { bundleId, controlType, flags } = request;
    const bundle = this.#open.get(bundleId);
    switch (controlType) {
      case OFPBCT.OPEN_REQUEST: {
        if (bundle !== undefined) return refuse('OFPBFC_BUNDLE_EXIST');
        const made = this.#create(bundleId, flags);
        return typeof made === 'string' ? refuse(made) : OFPBCT.OPEN_REPLY;
      }
      case OFPBCT.CLOSE_REQUEST:
        if (bundle === undefined) return refuse('OFPBFC_BAD_ID');
        if (bundle.closed) return refuse('OFPBFC_BUNDLE_CLOSED');
        if (bundle.flags !== flags) return refuse('OFPBFC_BAD_FLAGS');
        bundle.closed = true;
        return OFPBCT.CLOSE_REPLY;
      case OFPBCT.COMMIT_REQUEST: {
        if (bundle === undefined) return refuse('OFPBFC_BAD_ID');
        if (bundle.flags !== flags) return refuse('OFPBFC_BAD_FLAGS');
        // It is gone, however it ends (§7.3.9.2).
        this.#open.delete(bundleId);
        const refused = this.#commit(bundle.changes);
        if (refused === undefined) return OFPBCT.COMMIT_REPLY;
        return [{ request: refused.change, error: refused.error }, ...refuse('OFPBFC_MSG_FAILED')];
      }
      case OFPBCT.DISCARD_REQUEST:
        if (bundle === undefined) return refuse('OFPBFC_BAD_ID');
        this.#open.delete(bundleId);
        return OFPBCT.DISCARD_REPLY;
      default:
        return refuse('OFPBFC_BAD_TYPE');
    }
  }

  get #bytes(): number {
    let sum = 0;
    for (const { bytes } of this.#open.values()) sum += bytes;
    return sum;
  }

  #create(id: number, flags: number): Bundle | ErrorName {
    if ((flags & of15.OFPBF.TIME) !== 0) return 'OFPBFC_SCHED_NOT_SUPPORTED';
    if ((flags & ~FLAGS_KNOWN) !== 0) return 'OFPBFC_BAD_FLAGS';
    if (this.#open.size >= BUNDLES_MAX) return 'OFPBFC_OUT_OF_BUNDLES';
    const bundle: Bundle = { flags, changes: [], bytes: 0, closed: false };
    this.#open.set(id, bundle);
    return bundle;
  }
}

export type BundleRequest = MessageOf<'bundle_control' | 'bundle_add_message'>;
