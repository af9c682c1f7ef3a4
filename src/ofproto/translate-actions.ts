/** Actions between OpenFlow and records: checked (OpenFlow 1.3.5 §7.2.4) and written straight into the batch. */
import type { Action, EthertypeAction, OxmKnown, PlainAction, SetFieldAction, TtlAction } from 'node-openflow';
import { of13, of15 } from 'node-openflow';
import {
  ACTIONS_BYTES_MAX,
  type ActionRecord,
  actionCodes,
  decodeActions,
  fieldWidth,
  isNicira,
  RecordWriter,
  writeAction,
  writeBig,
} from '../datapath/records.js';
import { fields, firstRegister, portsMax, ReservedPort } from '../datapath/schema.gen.js';
import type { HeadersKnown } from './headers-known.js';
import { legacyRecords, liftLegacy } from './legacy-actions.js';
import { badAction, type OfError } from './of-error.js';
import { fromEncap } from './translate-encap.js';
import { maskedRecord, readMasked } from './translate-masked.js';
import { fieldIds, numberOf, oxmName, oxmWidth } from './translate-match.js';
import { type ExtendedAction, fromNicira, loadRegister, NO_QUEUE, niciraRecords } from './translate-nicira.js';
import { OF13 } from './versions.js';

const { OFPBAC, OFPG, OFPM, OFPQ } = of13;
const VLAN_TYPES = [0x8100, 0x88a8];
const MPLS_TYPES = [0x8847, 0x8848];
const PBB_TYPE = 0x88e7;
const SMALLEST_ETHERTYPE = 0x600;
const VLAN_PRESENT = 0x1000;

const reservedOutputs: readonly number[] = [
  ReservedPort.inPort,
  ReservedPort.normal,
  ReservedPort.flood,
  ReservedPort.all,
  ReservedPort.controller,
  ReservedPort.local,
];

/** Where the actions stand. */
export interface ActionContext {
  readonly known: HeadersKnown;
  /** Output to TABLE is for packet-outs. */
  readonly packetOut: boolean;
  /** They go into the action set, so that headers are pushed and popped before the rest, wherever they stand (§5.10). */
  readonly set?: boolean;
  /** Of a flow of an egress table: the port is settled, so that its action set sends packets nowhere else (1.5.1 §5.6). */
  readonly egress?: boolean;
}

const ofTags: readonly Action['type'][] = [
  ...(['pop_vlan', 'pop_mpls', 'pop_pbb', 'nx_decap', 'nx_encap', 'push_mpls', 'push_pbb', 'push_vlan'] as const),
];

/** Checks and appends actions; on an error the caller truncates the writer. */
export function writeActions(
  writer: RecordWriter,
  actions: readonly Action[],
  context: ActionContext,
): OfError | undefined {
  const start = writer.length;
  const translated = new Map<Action, readonly ActionRecord[]>();
  for (const action of context.set ? tagsFirst(actions) : actions) {
    const wrong = checkAction(action, context);
    if (wrong !== undefined) return wrong;
    if (isExtension(action)) {
      const records = niciraRecords(action, context.known, (inner) => nestedRecords(inner, context));
      if ('code' in records) return records;
      translated.set(action, records);
    }
  }
  for (const action of actions) {
    if (action.type === 'set_field') {
      const masked = maskedRecord(action.oxm as OxmKnown);
      if (masked !== undefined) writeAction(writer, masked);
      else if (isRegister(action.oxm.field)) writeAction(writer, loadRegister(action.oxm as OxmKnown));
      else writeSetField(writer, action.oxm as OxmKnown);
      continue;
    }
    const records = translated.get(action) ?? legacyRecords(action) ?? [toRecord(action as Plain)];
    for (const record of records) writeAction(writer, record);
  }
  return writer.length - start > ACTIONS_BYTES_MAX ? badAction(OFPBAC.TOO_MANY) : undefined;
}

/** The actions of a clone. What they change is not known of the packet itself. */
function nestedRecords(actions: readonly Action[], context: ActionContext): readonly ActionRecord[] | OfError {
  const writer = new RecordWriter();
  const wrong = writeActions(writer, actions, { ...context, known: context.known.copy(), set: false });
  return wrong ?? decodeActions(writer.view())!;
}

const isExtension = (action: Action): action is ExtendedAction =>
  action.type === 'copy_field' || action.type.startsWith('nx_');
const isRegister = (field: string): boolean => (fieldIds.get(field) ?? 0) >= firstRegister;

function tagsFirst(actions: readonly Action[]): readonly Action[] {
  // indexOf is -1 for all others.
  const rank = ({ type }: Action) => ofTags.indexOf(type) >>> 0;
  return [...actions].sort((a, b) => rank(a) - rank(b));
}

/** Those that are one record, and that checkAction lets pass. */
type Plain = Extract<
  Action,
  {
    readonly type:
      | 'output'
      | 'group'
      | 'set_queue'
      | 'meter'
      | TtlAction['type']
      | EthertypeAction['type']
      | PlainAction['type'];
  }
>;

function toRecord(plain: Plain): ActionRecord {
  switch (plain.type) {
    case 'output':
      return { kind: 'output', port: plain.port, maxLen: plain.maxLen };
    case 'group':
      return { kind: 'group', group: plain.groupId };
    case 'set_queue':
      return { kind: 'set_queue', queue: plain.queueId };
    case 'meter':
      return { kind: 'meter', meter: plain.meterId };
    case 'set_mpls_ttl':
    case 'set_nw_ttl':
      return { kind: plain.type, ttl: plain.ttl };
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
    case 'push_pbb':
      return { kind: plain.type, ethertype: plain.ethertype };
    default:
      return { kind: plain.type };
  }
}

function writeSetField(writer: RecordWriter, { field, value }: OxmKnown): void {
  const id = fieldIds.get(field)!;
  const width = fieldWidth(id);
  const at = writer.reserve(8);
  writer.setU8(at, actionCodes.set_field);
  writer.setU8(at + 4, id);
  writer.setU8(at + 5, width);
  writer.bytes(value, value.length - width, width);
  writer.pad8();
  writer.setU16(at + 2, writer.length - at);
}

function checkAction(action: Action, context: ActionContext): OfError | undefined {
  const { known } = context;
  switch (action.type) {
    case 'output':
      return checkOutput(action.port, context);
    case 'group':
      return action.groupId > OFPG.MAX || (context.egress && context.set) ? badAction(OFPBAC.BAD_OUT_GROUP) : undefined;
    case 'set_queue':
      return action.queueId === OFPQ.ALL ? badAction(OFPBAC.BAD_QUEUE) : undefined;
    case 'set_field':
      return checkSetField(action, known);
    case 'enqueue':
      return action.queueId === OFPQ.ALL ? badAction(OFPBAC.BAD_QUEUE) : checkOutput(action.port, context);
    case 'set_vlan_vid':
    case 'set_vlan_pcp':
      known.pushVlan();
      return undefined;
    case 'set_tp_src':
    case 'set_tp_dst':
      return undefined;
    case 'push_vlan':
    case 'pop_vlan':
    case 'push_mpls':
    case 'pop_mpls':
    case 'push_pbb':
    case 'pop_pbb':
      return checkTag(action, known);
    case 'set_mpls_ttl':
    case 'dec_mpls_ttl':
      return known.isMpls ? undefined : badAction(OFPBAC.MATCH_INCONSISTENT);
    case 'set_nw_ttl':
    case 'dec_nw_ttl':
      return known.isIp ? undefined : badAction(OFPBAC.MATCH_INCONSISTENT);
    case 'copy_ttl_in':
    case 'copy_ttl_out':
      return known.isMpls || known.isIp ? undefined : badAction(OFPBAC.MATCH_INCONSISTENT);
    case 'meter':
      return action.meterId > 0 && action.meterId <= OFPM.MAX ? undefined : badAction(of15.OFPBAC.BAD_METER);
    case 'nx_controller2':
      // On its way out of a port a packet has no list of actions to come back to.
      return action.pause === true && context.egress === true ? badAction(OFPBAC.BAD_ARGUMENT) : undefined;
    case 'unknown':
      return badAction(OFPBAC.BAD_TYPE);
    case 'experimenter':
      return badAction(OFPBAC.BAD_EXPERIMENTER);
    default:
      return undefined;
  }
}

/** §5.12: an attached port or not, the number has to be one a port can have. */
function checkOutput(port: number, { packetOut, set, egress }: ActionContext): OfError | undefined {
  if (egress && set) return badAction(OFPBAC.BAD_OUT_PORT);
  const number = port > 0 && port < portsMax;
  const legal = number || reservedOutputs.includes(port) || (packetOut && port === ReservedPort.table);
  return legal ? undefined : badAction(OFPBAC.BAD_OUT_PORT);
}

function checkTag(action: EthertypeAction | PlainAction, known: HeadersKnown): OfError | undefined {
  switch (action.type) {
    case 'push_vlan':
      if (!VLAN_TYPES.includes(action.ethertype)) return badAction(OFPBAC.BAD_ARGUMENT);
      known.pushVlan();
      return undefined;
    case 'push_mpls':
      if (!MPLS_TYPES.includes(action.ethertype)) return badAction(OFPBAC.BAD_ARGUMENT);
      known.setEthertype(action.ethertype);
      return undefined;
    case 'push_pbb':
      if (action.ethertype !== PBB_TYPE) return badAction(OFPBAC.BAD_ARGUMENT);
      known.pushPbb();
      return undefined;
    case 'pop_pbb':
      if (!known.isPbb) return badAction(OFPBAC.MATCH_INCONSISTENT);
      known.popPbb();
      return undefined;
    case 'pop_mpls':
      if (action.ethertype < SMALLEST_ETHERTYPE) return badAction(OFPBAC.BAD_ARGUMENT);
      if (!known.isMpls) return badAction(OFPBAC.MATCH_INCONSISTENT);
      known.setEthertype(action.ethertype);
      return undefined;
    default:
      if (!known.hasVlan) return badAction(OFPBAC.MATCH_INCONSISTENT);
      known.popVlan();
      return undefined;
  }
}

/** Set-field (§7.2.4.8): not of metadata or ports, which are no headers. */
function checkSetField({ oxm }: SetFieldAction, known: HeadersKnown): OfError | undefined {
  const id = fieldIds.get(oxm.field);
  if (id !== undefined && id >= firstRegister) return undefined;
  if (id === undefined || oxm.field === 'metadata' || !fields[id]!.settable) return badAction(OFPBAC.BAD_SET_TYPE);
  const { field, value, mask } = oxm as OxmKnown;
  const present = numberOf(value) & (mask === undefined ? VLAN_PRESENT : numberOf(mask)) & VLAN_PRESENT;
  if (field === 'vlan_vid' && present === 0) return badAction(OFPBAC.BAD_SET_ARGUMENT);
  if (field === 'eth_type' && numberOf(value) < SMALLEST_ETHERTYPE) return badAction(OFPBAC.BAD_SET_ARGUMENT);
  if (!known.allows(field)) return badAction(OFPBAC.MATCH_INCONSISTENT);
  if (value.length <= 2) known.set(field, numberOf(value));
  return undefined;
}

/** Action records as a version of OpenFlow says them. The datapath wrote them, so they are right. */
export function readActions(record: Uint8Array, version = OF13): Action[] {
  return readActionRecords(decodeActions(record) ?? [], version);
}

export function readActionRecords(records: readonly ActionRecord[], version = OF13): Action[] {
  const lift = (record: ActionRecord) => fromRecord(record, version);
  return records.some(({ kind }) => kind === 'push_vlan') ? liftLegacy(records, lift) : records.map(lift);
}

function fromRecord(action: ActionRecord, version: number): Action {
  switch (action.kind) {
    case 'output':
      return { type: 'output', port: action.port, maxLen: action.maxLen };
    case 'group':
      return { type: 'group', groupId: action.group };
    case 'set_queue':
      return action.queue === NO_QUEUE ? { type: 'nx_pop_queue' } : { type: 'set_queue', queueId: action.queue };
    case 'set_mpls_ttl':
    case 'set_nw_ttl':
      return { type: action.kind, ttl: action.ttl };
    case 'push_vlan':
    case 'push_mpls':
    case 'pop_mpls':
    case 'push_pbb':
      return { type: action.kind, ethertype: action.ethertype };
    case 'set_field': {
      const field = oxmName(action.field);
      const value = new Uint8Array(oxmWidth(action.field));
      writeBig(value, 0, value.length, action.value);
      return { type: 'set_field', oxm: { field, value } };
    }
    case 'set_masked':
      return readMasked(action, version);
    case 'meter':
      return { type: 'meter', meterId: action.meter };
    case 'encap':
    case 'decap':
    case 'dec_nsh_ttl':
      return fromEncap(action);
    default:
      if (isNicira(action)) return fromNicira(action, (nested) => readActionRecords(nested, version), version);
      return { type: action.kind };
  }
}
