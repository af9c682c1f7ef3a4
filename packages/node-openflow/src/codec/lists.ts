/**
 * Lists of structures that each begin with a 16-bit type and a 16-bit length: actions, instructions, bands, properties.
 *
 * They differ in what a wrong length or an unknown type is answered with, and in whether the length counts the padding:
 * that is one line per kind below.
 */
import { OFPBAC, OFPBIC, OFPBRC, OFPET, OFPMMFC, OFPTFFC } from '../of13/errors.js';
import type { Action, Instruction } from '../types/action.js';
import type { MeterBand, QueueProperty, TableFeatureProperty } from '../types/structures.js';
import { EncodeError, WireError } from '../wire/error.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';
import type { Codec, Context, Protocol, Table } from './protocol.js';

export interface Unknown {
  readonly type: 'unknown';
  readonly code: number;
  readonly data: Uint8Array;
}

export interface Kind<Value extends { readonly type: string }> {
  readonly name: string;
  readonly table: (protocol: Protocol) => Table<Codec<Value>>;
  readonly errorType: number;
  readonly lengthError: number;
  /** Error type of an unknown code, where it is not `errorType`. */
  readonly unknownType?: number;
  readonly unknownError: number;
  /** Length and alignment: 'counted' lengths include the padding and are multiples of 8, 'behind' ones do not. */
  readonly padding: 'counted' | 'behind';
  /** Reads and writes what is between header and data in an unknown structure. */
  readonly decodeUnknown: (code: number, r: WireReader) => Value;
  readonly encodeUnknown: (w: WireWriter, value: Value) => void;
  /** Writes a value that the version knows as an experimenter's; false: it is none. */
  readonly extension?: (w: WireWriter, value: Value, ctx: Context) => boolean;
}

export const bareUnknown = {
  decodeUnknown: (code: number, r: WireReader): Unknown => ({ type: 'unknown', code, data: r.rest() }),
  encodeUnknown: (w: WireWriter, value: { readonly type: string }): void => w.bytes((value as Unknown).data),
};

/** OpenFlow 1.3.5 §7.2.5 */
const actionKind: Kind<Action> = {
  name: 'action',
  table: (protocol) => protocol.actions,
  errorType: OFPET.BAD_ACTION,
  lengthError: OFPBAC.BAD_LEN,
  unknownError: OFPBAC.BAD_TYPE,
  padding: 'counted',
  ...bareUnknown,
  extension(w, value, ctx) {
    const known = ctx.protocol.extensions.actions.byType.get(value.type);
    if (known === undefined) return false;
    w.u16(known.codec.code);
    w.u16(0);
    w.u32(known.experimenter);
    w.u16(known.expType);
    known.codec.encode(w, value, ctx);
    return true;
  },
};

/** §7.2.4 */
const instructionKind: Kind<Instruction> = {
  name: 'instruction',
  table: (protocol) => protocol.instructions,
  errorType: OFPET.BAD_INSTRUCTION,
  lengthError: OFPBIC.BAD_LEN,
  unknownError: OFPBIC.UNKNOWN_INST,
  padding: 'counted',
  ...bareUnknown,
};

/** §7.3.4.4.1; meters have no error code of their own for a wrong length. */
const bandKind: Kind<MeterBand> = {
  name: 'band',
  table: (protocol) => protocol.bands,
  errorType: OFPET.BAD_REQUEST,
  lengthError: OFPBRC.BAD_LEN,
  unknownType: OFPET.METER_MOD_FAILED,
  unknownError: OFPMMFC.BAD_BAND,
  padding: 'counted',
  decodeUnknown: (code, r) => ({ type: 'unknown', code, rate: r.u32(), burstSize: r.u32(), data: r.rest() }),
  encodeUnknown: (w, value) => {
    w.u32(value.rate);
    w.u32(value.burstSize);
    w.bytes((value as MeterBand & Unknown).data);
  },
};

/** §7.2.2; only ever sent by a switch. */
const queuePropertyKind: Kind<QueueProperty> = {
  name: 'queue property',
  table: (protocol) => protocol.queueProperties,
  errorType: OFPET.BAD_REQUEST,
  lengthError: OFPBRC.BAD_LEN,
  unknownError: OFPBRC.BAD_TYPE,
  padding: 'counted',
  ...bareUnknown,
};

/** §7.3.5.5.2 */
const tableFeatureKind: Kind<TableFeatureProperty> = {
  name: 'table feature property',
  table: (protocol) => protocol.tableFeatureProperties,
  errorType: OFPET.TABLE_FEATURES_FAILED,
  lengthError: OFPTFFC.BAD_LEN,
  unknownError: OFPTFFC.BAD_TYPE,
  padding: 'behind',
  ...bareUnknown,
};

/** Reads structures until the reader's end. */
export function decodeList<Value extends { readonly type: string }>(
  r: WireReader,
  ctx: Context,
  kind: Kind<Value>,
): Value[] {
  const table = kind.table(ctx.protocol);
  const values: Value[] = [];
  while (r.remaining > 0) {
    const item = r.sized(2, kind.errorType, kind.lengthError);
    const length = item.remaining;
    const code = item.u16();
    item.skip(2);
    if (kind.padding === 'behind') r.sub(-length & 7, kind.errorType, kind.lengthError);
    else if ((length & 7) !== 0) throw item.lengthError(`${kind.name} of ${length} bytes`);
    const codec = table.byCode.get(code);
    if (codec !== undefined) {
      values.push(codec.decode(item, ctx));
      item.expectEnd();
    } else if (ctx.keepUnknown) {
      values.push(kind.decodeUnknown(code, item));
    } else {
      throw new WireError(kind.unknownType ?? kind.errorType, kind.unknownError, `unknown ${kind.name} ${code}`);
    }
  }
  return values;
}

export function encodeList<Value extends { readonly type: string }>(
  w: WireWriter,
  values: readonly Value[],
  ctx: Context,
  kind: Kind<Value>,
): void {
  const table = kind.table(ctx.protocol);
  for (const value of values) {
    const start = w.mark();
    const codec = table.byType.get(value.type);
    if (codec !== undefined) {
      w.u16(codec.codeFor?.(value) ?? codec.code);
      w.u16(0);
      codec.encode(w, value, ctx);
    } else if (kind.extension?.(w, value, ctx) === true) {
      // Written as an experimenter's.
    } else if (value.type === 'unknown') {
      w.u16((value as Value & Unknown).code);
      w.u16(0);
      kind.encodeUnknown(w, value);
    } else {
      throw new EncodeError(`there is no ${kind.name} ${value.type} in version ${ctx.protocol.version}`);
    }
    w.patchLength(start, 2);
    if (kind.padding === 'behind') w.padTo8(start);
    else if (((w.mark() - start) & 7) !== 0) throw new EncodeError(`${kind.name} is no multiple of 8 bytes long`);
  }
}

export function decodeActions(r: WireReader, ctx: Context): readonly Action[] {
  return decodeList(r, ctx, actionKind);
}
export function encodeActions(w: WireWriter, actions: readonly Action[], ctx: Context): void {
  encodeList(w, actions, ctx, actionKind);
}
export function decodeInstructions(r: WireReader, ctx: Context): readonly Instruction[] {
  return decodeList(r, ctx, instructionKind);
}
export function encodeInstructions(w: WireWriter, instructions: readonly Instruction[], ctx: Context): void {
  encodeList(w, ctx.protocol.rewrite?.(instructions) ?? instructions, ctx, instructionKind);
}
export function decodeBands(r: WireReader, ctx: Context): readonly MeterBand[] {
  return decodeList(r, ctx, bandKind);
}
export function encodeBands(w: WireWriter, bands: readonly MeterBand[], ctx: Context): void {
  encodeList(w, bands, ctx, bandKind);
}
export function decodeQueueProperties(r: WireReader, ctx: Context): readonly QueueProperty[] {
  return decodeList(r, ctx, queuePropertyKind);
}
export function encodeQueueProperties(w: WireWriter, properties: readonly QueueProperty[], ctx: Context): void {
  encodeList(w, properties, ctx, queuePropertyKind);
}
export function decodeTableFeatureProperties(r: WireReader, ctx: Context): readonly TableFeatureProperty[] {
  return decodeList(r, ctx, tableFeatureKind);
}
export function encodeTableFeatureProperties(
  w: WireWriter,
  properties: readonly TableFeatureProperty[],
  ctx: Context,
): void {
  encodeList(w, properties, ctx, tableFeatureKind);
}
