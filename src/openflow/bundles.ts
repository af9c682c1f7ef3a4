/** Bundles of one connection: changes that are gathered and then carried out together (OpenFlow 1.5.1 §7.3.9). */
import {
  type BundleAddMessage,
  type BundleControl,
  decodeMessage,
  type ErrorName,
  type Message,
  type MessageOf,
  neutralPair,
  of14,
  of15,
} from 'node-openflow';
import type { Clock, Timer } from '../base/clock.js';
import type { Change } from '../ofproto/commit.js';
import type { ControllerView } from '../ofproto/controller-view.js';
import { type OfError, sendError } from '../ofproto/of-error.js';
import { PlainRun } from '../ofproto/plain-run.js';
import { OF13, OF14, OF15 } from '../ofproto/versions.js';
import { BundleSchedule } from './bundle-schedule.js';
import { ALL_BUNDLES_BYTES_MAX, BUNDLE_BYTES_MAX, BUNDLE_IDLE_MS, BUNDLES_MAX } from './limits.js';
import type { Switch } from './switch.js';

const { OFPBCT } = of14;
/** All are carried out in order and atomically, whether asked for or not. */
const FLAGS_14 = of14.OFPBF.ATOMIC | of14.OFPBF.ORDERED;
const { TIME } = of15.OFPBF;

interface Bundle {
  readonly id: number;
  /** Without TIME, which is about the commit alone. */
  readonly flags: number;
  /** What opened it, for the error when it is left lying. */
  readonly opened: BundleRequest;
  readonly changes: Change[];
  /** That the changes take, about. */
  bytes: number;
  state: 'open' | 'closed' | 'scheduled';
  /** When it was last heard of, in the clock's ms. */
  usedMs: number;
  /** Until it is forgotten, or carried out. */
  timer: Timer | undefined;
}

export type BundleRequest = MessageOf<'bundle_control' | 'bundle_add_message'>;

export interface BundlesOptions {
  readonly switch: Pick<Switch, 'commit'>;
  /** Whose they are; answers go there. */
  readonly view: ControllerView;
  /** Whether it may change the switch: asked again when the time of a bundle has come. */
  readonly mayChange: () => boolean;
  /** Our own bug, with nobody on the stack to tell. */
  readonly failed: (error: unknown) => void;
  readonly clock: Clock;
  /** Milliseconds since 1970; default: the system's. */
  readonly wallMs?: (() => number) | undefined;
}

type ChangeMessage = Exclude<Change, PlainRun>;
const changeTypes: readonly Message['type'][] = ['flow_mod', 'group_mod', 'meter_mod', 'port_mod', 'packet_out'];
const isChange = (message: Message): message is ChangeMessage => changeTypes.includes(message.type);

/** Of a bundle_add_message, before the message in it. */
const ADD_HEADER = 8;
const viewOf = ({ buffer, byteOffset, byteLength }: Uint8Array) => new DataView(buffer, byteOffset, byteLength);

/** Where the body of a bundle_add_message begins: a message since 1.4, in 1.3 one of ONF's (extension 230). */
function bodyAt(view: DataView): number | undefined {
  const [version, type] = [view.getUint8(0), view.getUint8(1)];
  if (version >= OF14) return type === OFPT_BUNDLE_ADD_MESSAGE ? 8 : undefined;
  const isOnf = version === OF13 && type === OFPT_EXPERIMENTER && view.byteLength >= 16 && view.getUint32(8) === ONF;
  return isOnf && view.getUint32(12) === ONF_BUNDLE_ADD_MESSAGE ? 16 : undefined;
}
const [ONF, ONF_BUNDLE_ADD_MESSAGE] = [0x4f4e4600, 2301];
const [OFPT_EXPERIMENTER, OFPT_BUNDLE_ADD_MESSAGE] = [4, 34];

/** A message, which is decoded, takes so many times the bytes that it has on the wire. */
const DECODED_SIZE = 16;

export class Bundles {
  readonly #options: BundlesOptions;
  readonly schedule: BundleSchedule;
  readonly #bundles = new Map<number, Bundle>();
  /** That the bundles take, and those of all connections. */
  #bytes = 0;
  #closed = false;
  static #ofAll = 0;

  constructor(options: BundlesOptions) {
    this.#options = options;
    this.schedule = new BundleSchedule(options.wallMs);
  }

  /** Carries a request out and answers it. */
  receive(request: BundleRequest): void {
    if (this.#closed) return;
    const isVendors = request.properties?.some(({ type }) => type === 'experimenter') === true;
    if (isVendors) this.#refuse(request, 'OFPBPC_BAD_EXPERIMENTER');
    else if (request.type === 'bundle_add_message') this.#add(request);
    else this.#control(request);
  }

  /** Takes a flow_mod of the usual kind for a bundle that is open, as it came; false: the message is to be decoded. */
  receiveBytes(bytes: Uint8Array): boolean {
    if (this.#closed) return false;
    const view = viewOf(bytes);
    const at = bodyAt(view);
    if (at === undefined || bytes.length < at + ADD_HEADER + 8) return false;
    const bundle = this.#bundles.get(view.getUint32(at));
    if (bundle?.state !== 'open' || view.getUint16(at + 6) !== bundle.flags) return false;
    const inner = bytes.subarray(at + ADD_HEADER);
    // Properties may follow the message.
    const whole = view.getUint16(at + ADD_HEADER + 2) === inner.length && inner[0] === bytes[0];
    if (!whole || view.getUint32(at + ADD_HEADER + 4) !== view.getUint32(4)) return false;
    const last = bundle.changes.at(-1);
    const run = last?.type === 'plain_run' ? last : new PlainRun();
    const before = run.size;
    // It may double when it grows.
    if (!this.#hasRoom(inner.length + before) || !run.append(inner)) return false;
    if (run !== last) bundle.changes.push(run);
    this.#take(bundle, run.size - before);
    this.#touch(bundle);
    return true;
  }

  /** The connection is over: nothing of what is gathered will be done. */
  close(): void {
    this.#closed = true;
    for (const { id } of this.#bundles.values()) this.#remove(id);
  }

  /** A message for a bundle, which is opened if it is not there. */
  #add(request: BundleAddMessage): undefined {
    const { bundleId, flags, version, xid } = request;
    const bundle = this.#bundles.get(bundleId) ?? this.#create(request);
    if (bundle === undefined || !this.#isUsable(bundle, request)) return undefined;
    if (bundle.flags !== (flags & ~this.#timeFlag)) return this.#end(bundle, request, 'OFPBFC_BAD_FLAGS');
    // A copy, so that no more is kept of what was received.
    const decoded = decodeMessage(request.message.slice(), { version, unknown: 'refuse' });
    if (!decoded.ok) return this.#refuse(request, decoded.error);
    const { message } = decoded;
    if (message.xid !== xid) return this.#refuse(request, 'OFPBFC_MSG_BAD_XID');
    if (!isChange(message)) return this.#refuse(request, 'OFPBFC_MSG_UNSUP');
    const size = request.message.length * DECODED_SIZE;
    if (!this.#hasRoom(size)) return this.#refuse(request, 'OFPBFC_MSG_TOO_MANY');
    this.#take(bundle, size);
    bundle.changes.push(message);
    this.#touch(bundle);
    return undefined;
  }

  #control(request: BundleControl): undefined {
    const { bundleId, controlType, flags } = request;
    const bundle = this.#bundles.get(bundleId);
    if (controlType === OFPBCT.OPEN_REQUEST) {
      if (bundle !== undefined) return this.#end(bundle, request, 'OFPBFC_BUNDLE_EXIST');
      return this.#create(request) === undefined ? undefined : this.#reply(request, OFPBCT.OPEN_REPLY);
    }
    const known: readonly number[] = [OFPBCT.CLOSE_REQUEST, OFPBCT.COMMIT_REQUEST, OFPBCT.DISCARD_REQUEST];
    if (!known.includes(controlType)) return this.#refuse(request, 'OFPBFC_BAD_TYPE');
    if (bundle === undefined) return this.#refuse(request, 'OFPBFC_BAD_ID');
    if (controlType === OFPBCT.DISCARD_REQUEST) {
      this.#remove(bundleId);
      return this.#reply(request, OFPBCT.DISCARD_REPLY);
    }
    if (bundle.state === 'scheduled') return this.#refuse(request, 'OFPBFC_BUNDLE_IN_PROGRESS');
    if (bundle.flags !== (flags & ~this.#timeFlag)) return this.#end(bundle, request, 'OFPBFC_BAD_FLAGS');
    if (controlType === OFPBCT.COMMIT_REQUEST) return this.#commit(bundle, request);
    if (bundle.state === 'closed') return this.#end(bundle, request, 'OFPBFC_BUNDLE_CLOSED');
    bundle.state = 'closed';
    this.#touch(bundle);
    return this.#reply(request, OFPBCT.CLOSE_REPLY);
  }

  #commit(bundle: Bundle, request: BundleControl): undefined {
    if ((request.flags & this.#timeFlag) === 0) return this.#carryOut(bundle, request);
    const time = request.properties?.find((property) => property.type === 'time');
    if (time?.type !== 'time') return this.#end(bundle, request, 'OFPBFC_BAD_FLAGS');
    const delay = this.schedule.delayMs(time.scheduledTime);
    if (typeof delay === 'string') return this.#end(bundle, request, delay);
    bundle.state = 'scheduled';
    bundle.timer?.cancel();
    const { clock, failed } = this.#options;
    bundle.timer = clock.after(delay, () => {
      try {
        this.#carryOut(bundle, request);
      } catch (error) {
        failed(error);
      }
    });
    return undefined;
  }

  /** It is gone, however it ends (§7.3.9.2). */
  #carryOut(bundle: Bundle, request: BundleControl): undefined {
    this.#remove(bundle.id);
    if (!this.#options.mayChange()) return this.#refuse(request, 'OFPBFC_EPERM');
    const refused = this.#options.switch.commit(this.#options.view, bundle.changes);
    if (refused === undefined) return this.#reply(request, OFPBCT.COMMIT_REPLY);
    sendError(this.#options.view, refused.message, refused.error);
    return this.#refuse(request, 'OFPBFC_MSG_FAILED');
  }

  /** Whether something may be added; answers why not. */
  #isUsable(bundle: Bundle, request: BundleRequest): boolean {
    if (bundle.state === 'scheduled') this.#refuse(request, 'OFPBFC_BUNDLE_IN_PROGRESS');
    else if (bundle.state === 'closed') this.#end(bundle, request, 'OFPBFC_BUNDLE_CLOSED');
    return bundle.state === 'open';
  }

  /** TIME, where the version has it. */
  get #timeFlag(): number {
    return this.#options.view.version >= OF15 ? TIME : 0;
  }

  #hasRoom(bytes: number): boolean {
    return this.#bytes + bytes <= BUNDLE_BYTES_MAX && Bundles.#ofAll + bytes <= ALL_BUNDLES_BYTES_MAX;
  }

  #take(bundle: Bundle, bytes: number): void {
    bundle.bytes += bytes;
    this.#bytes += bytes;
    Bundles.#ofAll += bytes;
  }

  #create(request: BundleRequest): Bundle | undefined {
    const { bundleId: id, flags } = request;
    const wrong = this.#whyNotCreate(flags);
    if (wrong !== undefined) {
      this.#refuse(request, wrong);
      return undefined;
    }
    // The message inside is not kept twice.
    const opened = request.type === 'bundle_control' ? request : { ...request, message: request.message.slice() };
    const rest = { opened, changes: [], bytes: 0, usedMs: 0, timer: undefined };
    const bundle: Bundle = { id, flags: flags & ~TIME, state: 'open', ...rest };
    this.#bundles.set(id, bundle);
    this.#touch(bundle);
    this.#watch(bundle, BUNDLE_IDLE_MS);
    return bundle;
  }

  #whyNotCreate(flags: number): ErrorName | undefined {
    if ((flags & ~(FLAGS_14 | this.#timeFlag)) !== 0) return 'OFPBFC_BAD_FLAGS';
    return this.#bundles.size >= BUNDLES_MAX ? 'OFPBFC_OUT_OF_BUNDLES' : undefined;
  }

  // ---- those that are left lying

  #touch(bundle: Bundle): void {
    bundle.usedMs = this.#options.clock.nowMs();
  }

  /** Looks again when it would be too old if it is not heard of any more. */
  #watch(bundle: Bundle, afterMs: number): void {
    const { clock } = this.#options;
    bundle.timer = clock.after(afterMs, () => {
      const left = bundle.usedMs + BUNDLE_IDLE_MS - clock.nowMs();
      if (left > 0) this.#watch(bundle, left);
      else this.#end(bundle, bundle.opened, 'OFPBFC_TIMEOUT');
    });
  }

  #remove(id: number): void {
    const bundle = this.#bundles.get(id);
    if (bundle === undefined) return;
    bundle.timer?.cancel();
    this.#take(bundle, -bundle.bytes);
    this.#bundles.delete(id);
  }

  // ---- answers

  /** An error after which the bundle is gone. */
  #end(bundle: Bundle, request: BundleRequest, name: ErrorName): undefined {
    this.#remove(bundle.id);
    this.#refuse(request, name);
  }

  #refuse(request: BundleRequest, error: ErrorName | OfError): undefined {
    sendError(this.#options.view, request, typeof error === 'string' ? neutralPair(error) : error);
  }

  #reply({ xid, bundleId, flags }: BundleControl, controlType: number): undefined {
    this.#options.view.send({ type: 'bundle_control', xid, bundleId, flags, controlType });
  }
}
