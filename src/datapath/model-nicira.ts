/** Nicira's actions in the model, as far as they are about one packet: fields, stack. */
import { edit, setField } from './model-edit.js';
import { fieldId } from './model-packet.js';
import type { ModelPacket } from './model-place.js';
import { fieldOnes } from './records-match.js';
import type { SubfieldRecord } from './records-nicira.js';
import { fields } from './schema.gen.js';

/** The packet has the field: what it depends on is there. */
export function hasField(packet: ModelPacket, field: number): boolean {
  return fields[field]!.prerequisites.every(
    ({ field: wanted, values }) => values.length === 0 || values.includes(Number(packet.field(fieldId[wanted]))),
  );
}

function ones(bits: number): bigint {
  return (1n << BigInt(bits)) - 1n;
}

/** Undefined when the packet does not have the field. */
export function readSubfield(packet: ModelPacket, { field, offset, bits }: SubfieldRecord): bigint | undefined {
  if (!hasField(packet, field)) return undefined;
  return (packet.field(field) >> BigInt(offset)) & ones(bits);
}

/** Writes the lowest bits of `value`; a field that the packet does not have is left alone. */
export function writeSubfield(packet: ModelPacket, { field, offset, bits }: SubfieldRecord, value: bigint): void {
  const mask = ones(bits) << BigInt(offset);
  const whole = (packet.field(field) & ~mask) | ((value << BigInt(offset)) & mask);
  setField(packet, field, whole & fieldOnes(field));
}

/** Of a port number with 16 bits the reserved ones are those of OpenFlow 1.0. */
export function portOf(value: bigint): number {
  const port = Number(value & 0xffffffffn);
  return port >= 0xff00 && port <= 0xffff ? (port | 0xffff0000) >>> 0 : port;
}

/** Whether the TTL could be decremented. */
export function decrementTtl(packet: ModelPacket): boolean {
  return edit(packet, { kind: 'dec_nw_ttl' }) === 'ok';
}
