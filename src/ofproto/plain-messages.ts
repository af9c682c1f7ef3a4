/**
 * Flow_mods and packet-outs of the usual kind from their bytes straight into a record, without an object for any part:
 * those of 1.3 and 1.4 with fields of OpenFlow's own class in ascending order and a few actions. All others, and all that
 * are wrong, are left to decoding, and to those who write the same bytes from messages (flow-mods.ts, packet-outs.ts).
 */
import { of13 } from 'node-openflow';
import { actionCodes, align8, fieldWidth, RecordWriter } from '../datapath/records.js';
import {
  allTables,
  FlowCommand,
  fields,
  Instruction,
  Op,
  portsMax,
  ReservedPort,
  tables,
} from '../datapath/schema.gen.js';
import { FRAME_BYTES_MIN } from './limits.js';
import type { TableSettings } from './table-settings.js';
import { fieldIds } from './translate-match.js';
import { OF13, OF14 } from './versions.js';

const { OFP_NO_BUFFER, OFPFF, OFPG, OFPM, OFPMT, OFPXMC } = of13;
const FLAGS_KNOWN =
  OFPFF.SEND_FLOW_REM | OFPFF.CHECK_OVERLAP | OFPFF.RESET_COUNTS | OFPFF.NO_PKT_COUNTS | OFPFF.NO_BYT_COUNTS;

/** Of a flow_mod (OpenFlow 1.3.5 §7.3.4.1), and so short that no limit of a flow's length is met. */
const [MATCH_AT, BYTES_MIN, BYTES_MAX] = [48, 56, 4096];
const OUT_ACTIONS_MAX = 1024;
const RECORD_HEADER = 48;
const VLAN_PRESENT = 0x1000;

/** ofp_instruction_type: its length, 0 for those with actions, and its place in the order of execution (§5.9). */
const instructions: Readonly<
  Record<number, { readonly code: number; readonly rank: number; readonly length: number }>
> = {
  1: { code: Instruction.gotoTable, rank: 5, length: 8 },
  2: { code: Instruction.writeMetadata, rank: 4, length: 24 },
  3: { code: Instruction.writeActions, rank: 3, length: 0 },
  4: { code: Instruction.applyActions, rank: 1, length: 0 },
  5: { code: Instruction.clearActions, rank: 2, length: 8 },
  6: { code: Instruction.meter, rank: 0, length: 8 },
};
/** ofp_type */
const [OFPT_PACKET_OUT, OFPT_FLOW_MOD] = [13, 14];
/** ofp_action_type (§7.2.4). */
const [OUTPUT, GROUP, DEC_NW_TTL, SET_FIELD] = [0, 22, 24, 25];

/** Values of the fields that others depend on, as far as the match says them. */
const keys = ['eth_type', 'ip_proto', 'icmpv6_type'] as const;
const ETH_TYPE = 0;
const keyOf = (name: string): number => (keys as readonly string[]).indexOf(name);
const IP: readonly number[] = [0x0800, 0x86dd];

interface Need {
  /** Index of `keys`. */
  readonly key: number;
  readonly values: readonly number[];
}

interface PlainField {
  readonly name: string;
  /** In records, as `width`, the bytes of a value there. */
  readonly id: number;
  readonly width: number;
  /** Of a value in OpenFlow. */
  readonly bytes: number;
  /** Which bits of its first byte may be set. */
  readonly firstByte: number;
  readonly maskable: boolean;
  /** Index of `keys`, or -1. */
  readonly key: number;
  readonly needs: Need | undefined;
  /** What a set_field needs of the packet; undefined: it is not of the usual kind. */
  readonly setNeeds: readonly Need[] | undefined;
}

/** Those that are looked at with more care elsewhere, in matches and in set_field. */
const special: readonly string[] = ['vlan_pcp', 'in_phy_port'];
const neverSet: readonly string[] = [...keys, 'metadata', 'vlan_vid'];

function plainField(facts: (typeof of13.oxmFields)[number]): PlainField | undefined {
  const { name, bytes, bits, maskable } = facts;
  const requires = 'requires' in facts ? (facts.requires as { field: string; anyOf?: readonly number[] }) : undefined;
  const id = fieldIds.get(name);
  const excess = bytes * 8 - bits;
  if (id === undefined || special.includes(name) || excess >= 8) return undefined;
  const needs = requires && { key: keyOf(requires.field), values: requires.anyOf ?? [] };
  const { settable, prerequisites } = fields[id]!;
  const mayBeSet = settable && !neverSet.includes(name);
  return {
    ...{ name, id, bytes, maskable, needs },
    width: fieldWidth(id),
    firstByte: 0xff >> excess,
    key: keyOf(name),
    setNeeds: mayBeSet ? prerequisites.map((each) => ({ key: keyOf(each.field), values: each.values })) : undefined,
  };
}

/** By number of the OXM field. */
const plainFields: readonly (PlainField | undefined)[] = (() => {
  const list: (PlainField | undefined)[] = [];
  for (const facts of of13.oxmFields) list[facts.oxmField] = plainField(facts);
  return list;
})();

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!;
const u32 = (bytes: Uint8Array, at: number): number => ((u16(bytes, at) << 16) | u16(bytes, at + 2)) >>> 0;

/** Ports that packets come in by, and that they can leave by. */
const isIngress = (port: number): boolean =>
  port === ReservedPort.local || port === ReservedPort.controller || (port > 0 && port <= ReservedPort.max);
const isOutput = (port: number, toTable: boolean): boolean =>
  (port > 0 && port < portsMax) ||
  (port >= ReservedPort.inPort && port <= ReservedPort.local && (toTable || port !== ReservedPort.table));

/** Of a packet-out (§7.3.7): where its actions begin. */
const [OUT_ACTIONS_AT, OUT_RECORD_HEADER] = [24, 16];

/** Between two calls nothing is held. */
const NOTHING: Uint8Array = new Uint8Array(0);
const NOWHERE = new RecordWriter(0);

class PlainMessages {
  #bytes = NOTHING;
  #writer = NOWHERE;
  /** Where the next byte of the record goes: the writer has room reserved. */
  #to = 0;
  /** By `keys`; -1: nothing is known. */
  readonly #known = [-1, -1, -1];

  /** Whether it was such a packet-out: then a record was appended. `isIngress`: of the port that it names. */
  appendPacketOut(writer: RecordWriter, bytes: Uint8Array, isIngress: (port: number) => boolean): boolean {
    const known = (bytes[0] === OF13 || bytes[0] === OF14) && bytes[1] === OFPT_PACKET_OUT;
    if (!known || bytes.length < OUT_ACTIONS_AT || u32(bytes, 8) !== OFP_NO_BUFFER) return false;
    const [inPort, actionsEnd] = [u32(bytes, 12), OUT_ACTIONS_AT + u16(bytes, 16)];
    const frameLength = bytes.length - actionsEnd;
    if (frameLength < FRAME_BYTES_MIN || actionsEnd > OUT_ACTIONS_MAX || !isIngress(inPort)) return false;
    [this.#bytes, this.#writer] = [bytes, writer];
    this.#known.fill(-1);
    const start = writer.reserve(OUT_RECORD_HEADER + 2 * actionsEnd + align8(frameLength));
    this.#to = start + OUT_RECORD_HEADER;
    const done = this.#actions(OUT_ACTIONS_AT, actionsEnd, true);
    [this.#bytes, this.#writer] = [NOTHING, NOWHERE];
    if (!done) {
      writer.truncate(start);
      return false;
    }
    writer.setU32(start, inPort === ReservedPort.any ? ReservedPort.controller : inPort);
    writer.setU32(start + 4, this.#to - start - OUT_RECORD_HEADER);
    writer.setU32(start + 8, frameLength);
    writer.setBytes(this.#to, bytes, actionsEnd, frameLength);
    writer.truncate(this.#to + align8(frameLength));
    return true;
  }

  /** Whether it was such a flow_mod: then a record was appended. */
  appendFlowMod(
    writer: RecordWriter,
    bytes: Uint8Array,
    tableSettings: Pick<TableSettings, 'has' | 'firstEgress'>,
  ): boolean {
    const { length } = bytes;
    const known = (bytes[0] === OF13 || bytes[0] === OF14) && bytes[1] === OFPT_FLOW_MOD;
    if (!known || length < BYTES_MIN || length > BYTES_MAX || tableSettings.firstEgress !== 0) return false;
    [this.#bytes, this.#writer] = [bytes, writer];
    // A group action takes twice its bytes; nothing takes more.
    const start = writer.reserve(2 * align8(length));
    const done = this.#header(start, tableSettings) && this.#match(start) && this.#instructions(start, tableSettings);
    [this.#bytes, this.#writer] = [NOTHING, NOWHERE];
    writer.truncate(done ? this.#to : start);
    return done;
  }

  #header(at: number, tableSettings: Pick<TableSettings, 'has'>): boolean {
    const [bytes, writer] = [this.#bytes, this.#writer];
    const [table, command, flags] = [bytes[24]!, bytes[25]!, u16(bytes, 44)];
    const deletes = command === FlowCommand.delete || command === FlowCommand.deleteStrict;
    if (command > FlowCommand.deleteStrict || (flags & ~FLAGS_KNOWN) !== 0) return false;
    if (!deletes && u32(bytes, 32) !== OFP_NO_BUFFER) return false;
    if (!tableSettings.has(table) && !(deletes && table === allTables)) return false;
    writer.setU8(at, Op.flowMod);
    writer.setU8(at + 1, command);
    writer.setU8(at + 2, table);
    for (let i = 0; i < 8; i++) writer.setU8(at + 8 + i, bytes[15 - i]!);
    if (command !== FlowCommand.add) for (let i = 0; i < 8; i++) writer.setU8(at + 16 + i, bytes[23 - i]!);
    writer.setU16(at + 24, u16(bytes, 30));
    writer.setU16(at + 26, flags);
    writer.setU16(at + 28, u16(bytes, 26));
    writer.setU16(at + 30, u16(bytes, 28));
    writer.setU32(at + 32, u32(bytes, 36));
    writer.setU32(at + 36, u32(bytes, 40));
    if (bytes[0] === OF14) writer.setU16(at + 42, u16(bytes, 46));
    return true;
  }

  #match(start: number): boolean {
    const bytes = this.#bytes;
    const length = u16(bytes, MATCH_AT + 2);
    const end = MATCH_AT + length;
    if (u16(bytes, MATCH_AT) !== OFPMT.OXM || length < 4 || MATCH_AT + align8(length) > bytes.length) return false;
    this.#known.fill(-1);
    this.#to = start + RECORD_HEADER;
    let last = -1;
    for (let at = MATCH_AT + 4; at < end; ) {
      if (at + 4 > end || u16(bytes, at) !== OFPXMC.OPENFLOW_BASIC) return false;
      const field = plainFields[bytes[at + 2]! >> 1];
      if (field === undefined || field.id <= last) return false;
      const masked = (bytes[at + 2]! & 1) !== 0;
      const size = masked ? 2 * field.bytes : field.bytes;
      if (bytes[at + 3] !== size || at + 4 + size > end || !this.#field(field, at + 4, masked)) return false;
      last = field.id;
      at += 4 + size;
    }
    this.#writer.setU16(start + 40, this.#to - start - RECORD_HEADER);
    this.#to = start + align8(this.#to - start);
    return true;
  }

  #field(field: PlainField, at: number, masked: boolean): boolean {
    const [bytes, writer] = [this.#bytes, this.#writer];
    const { id, width, firstByte, needs, key } = field;
    if ((bytes[at]! & ~firstByte) !== 0 || (needs !== undefined && !this.#has(needs))) return false;
    if (id === IN_PORT && !isIngress(u32(bytes, at))) return false;
    // Of a VLAN, none and "there is one" are values of their own.
    if (id === VLAN_VID && (masked || (u16(bytes, at) & VLAN_PRESENT) === 0)) return false;
    if (masked && (!field.maskable || !this.#isMask(field, at))) return false;
    if (key >= 0) this.#known[key] = field.bytes === 1 ? bytes[at]! : u16(bytes, at);
    const to = this.#to;
    writer.setU8(to, id);
    writer.setU8(to + 1, width);
    writer.setU8(to + 2, masked ? 1 : 0);
    const wider = field.bytes - width;
    writer.setBytes(to + 4, bytes, at + wider, width);
    if (masked) writer.setBytes(to + 4 + width, bytes, at + field.bytes + wider, width);
    this.#to = to + 4 + (masked ? 2 * width : width);
    return true;
  }

  /** Some bits, not all, and all of the value's. */
  #isMask({ bytes: width, firstByte }: PlainField, at: number): boolean {
    const bytes = this.#bytes;
    let [some, all] = [0, 0xff];
    for (let i = 0; i < width; i++) {
      const [value, mask] = [bytes[at + i]!, bytes[at + width + i]!];
      if ((value & ~mask) !== 0) return false;
      some |= mask;
      all &= i === 0 ? mask | (~firstByte & 0xff) : mask;
    }
    return some !== 0 && all !== 0xff && (bytes[at + width]! & ~firstByte) === 0;
  }

  #has({ key, values }: Need): boolean {
    return values.includes(this.#known[key]!);
  }

  #instructions(start: number, tableSettings: Pick<TableSettings, 'has'>): boolean {
    const [bytes, writer] = [this.#bytes, this.#writer];
    const begun = this.#to;
    const first = MATCH_AT + align8(u16(bytes, MATCH_AT + 2));
    const deletes = bytes[25]! >= FlowCommand.delete;
    let rank = -1;
    for (let at = first; at < bytes.length; ) {
      if (at + 8 > bytes.length || deletes) return false;
      const kind = instructions[u16(bytes, at)];
      const length = u16(bytes, at + 2);
      if (kind === undefined || kind.rank <= rank || length < 8 || length % 8 !== 0) return false;
      if (at + length > bytes.length) return false;
      if (kind.length !== 0 && length !== kind.length) return false;
      rank = kind.rank;
      const to = this.#to;
      this.#to += 8;
      writer.setU8(to, kind.code);
      if (kind.code === Instruction.gotoTable) {
        const table = bytes[at + 4]!;
        if (table <= bytes[24]! || table >= tables || !tableSettings.has(table)) return false;
        writer.setU8(to + 4, table);
      } else if (kind.code === Instruction.meter) {
        const meter = u32(bytes, at + 4);
        if (meter === 0 || meter > OFPM.MAX) return false;
        writer.setU32(to + 4, meter);
      } else if (kind.code === Instruction.writeMetadata) {
        writer.setBytes(to + 8, bytes, at + 8, 16);
        this.#to += 16;
      } else if (kind.length === 0 && !this.#actions(at + 8, at + length)) {
        return false;
      }
      writer.setU16(to + 2, this.#to - to);
      at += length;
    }
    writer.setU32(start + 44, this.#to - begun);
    writer.setU32(start + 4, this.#to - start);
    return true;
  }

  /** `toTable`: output to TABLE is for packet-outs. */
  #actions(from: number, end: number, toTable = false): boolean {
    const [bytes, writer] = [this.#bytes, this.#writer];
    for (let at = from; at < end; ) {
      const length = at + 8 > end ? 0 : u16(bytes, at + 2);
      if (length < 8 || length % 8 !== 0 || at + length > end) return false;
      const to = this.#to;
      switch (u16(bytes, at)) {
        case OUTPUT:
          if (length !== 16 || !isOutput(u32(bytes, at + 4), toTable)) return false;
          writer.setU8(to, actionCodes.output);
          writer.setU32(to + 4, u32(bytes, at + 4));
          writer.setU16(to + 8, u16(bytes, at + 8));
          this.#to = to + 16;
          break;
        case GROUP:
          if (length !== 8 || u32(bytes, at + 4) > OFPG.MAX) return false;
          writer.setU8(to, actionCodes.group);
          writer.setU32(to + 4, u32(bytes, at + 4));
          this.#to = to + 16;
          break;
        case DEC_NW_TTL:
          if (length !== 8 || !IP.includes(this.#known[ETH_TYPE]!)) return false;
          writer.setU8(to, actionCodes.dec_nw_ttl);
          this.#to = to + 8;
          break;
        case SET_FIELD:
          if (!this.#setField(at + 4, length)) return false;
          break;
        default:
          return false;
      }
      writer.setU16(to + 2, this.#to - to);
      at += length;
    }
    return true;
  }

  #setField(at: number, length: number): boolean {
    const [bytes, writer, to] = [this.#bytes, this.#writer, this.#to];
    const field = (bytes[at + 2]! & 1) === 0 ? plainFields[bytes[at + 2]! >> 1] : undefined;
    if (u16(bytes, at) !== OFPXMC.OPENFLOW_BASIC || field?.setNeeds === undefined) return false;
    if (bytes[at + 3] !== field.bytes || length !== align8(8 + field.bytes)) return false;
    if ((bytes[at + 4]! & ~field.firstByte) !== 0 || !field.setNeeds.every((need) => this.#has(need))) return false;
    writer.setU8(to, actionCodes.set_field);
    writer.setU8(to + 4, field.id);
    writer.setU8(to + 5, field.width);
    writer.setBytes(to + 8, bytes, at + 4 + field.bytes - field.width, field.width);
    this.#to = to + 8 + align8(field.width);
    return true;
  }
}

const IN_PORT = fieldIds.get('in_port')!;
const VLAN_VID = fieldIds.get('vlan_vid')!;
const translator = new PlainMessages();

const scratch = new RecordWriter();
/** Whether the bytes are such a flow_mod, in a switch with all tables. */
export function isPlainFlowMod(bytes: Uint8Array): boolean {
  scratch.reset();
  return translator.appendFlowMod(scratch, bytes, { has: (table) => table < tables, firstEgress: 0 });
}

/** Appends the record of a flow_mod that came as these bytes. False: it is not of the usual kind, and nothing was written. */
export function appendPlainFlowMod(
  writer: RecordWriter,
  bytes: Uint8Array,
  tableSettings: Pick<TableSettings, 'has' | 'firstEgress'>,
): boolean {
  return translator.appendFlowMod(writer, bytes, tableSettings);
}

/** As above of a packet-out. `isIngress`: whether packets may be said to have come in by the port. */
export function appendPlainPacketOut(
  writer: RecordWriter,
  bytes: Uint8Array,
  isIngress: (port: number) => boolean,
): boolean {
  return translator.appendPacketOut(writer, bytes, isIngress);
}
