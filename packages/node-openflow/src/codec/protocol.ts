/**
 * A protocol version as tables of codecs.
 *
 * Each table maps a number on the wire to a name and a pair of functions. The walkers in this folder (`actions.ts`,
 * `match.ts`, …) know how lists of structures are laid out and look everything else up here, so a further version or a
 * vendor's extension is a further table, not a further branch.
 */
import type { OxmFacts } from '../of13/oxm-fields.js';
import type { Action, Instruction } from '../types/action.js';
import type { Head, Message } from '../types/message.js';
import type { MultipartReplyBody, MultipartRequestBody } from '../types/multipart.js';
import type { MeterBand, QueueProperty, TableFeatureProperty } from '../types/structures.js';
import type { WireReader } from '../wire/reader.js';
import type { WireWriter } from '../wire/writer.js';

export interface Context {
  readonly protocol: Protocol;
  /** Represent what no table knows (a controller) instead of refusing it (a switch). */
  readonly keepUnknown: boolean;
  /** How many actions that hold actions are around what is read. */
  readonly depth?: number;
}

interface Entry<Value extends { readonly type: string }> {
  readonly code: number;
  readonly type: Value['type'];
}

/**
 * Reads and writes what follows a structure's type and length; the walker does those two.
 *
 * Methods rather than function properties, so that a codec of one kind can stand in a table of all kinds: the walker
 * picks by `code` or `type` and thereby passes the right kind.
 */
export interface Codec<Value extends { readonly type: string }> extends Entry<Value> {
  decode(r: WireReader, ctx: Context): Value;
  encode(w: WireWriter, value: Value, ctx: Context): void;
}

/** As `Codec`, for messages: the header has been read and comes along. */
export interface MessageCodec<M extends Message = Message> extends Entry<M> {
  decode(r: WireReader, head: Head, ctx: Context): M;
  encode(w: WireWriter, message: M, ctx: Context): void;
}

export interface BodyCodec<Body> {
  decode(r: WireReader, ctx: Context): Body;
  encode(w: WireWriter, body: Body, ctx: Context): void;
  /** Present when the body is a list that may be spread over several messages. */
  encodeEntry?(w: WireWriter, entry: unknown, ctx: Context): void;
}

export interface MultipartCodec {
  readonly code: number;
  readonly type: MultipartRequestBody['type'];
  readonly request: BodyCodec<MultipartRequestBody>;
  readonly reply: BodyCodec<MultipartReplyBody>;
}

export interface Table<E> {
  readonly list: readonly E[];
  readonly byCode: ReadonlyMap<number, E>;
  readonly byType: ReadonlyMap<string, E>;
}

export function tableOf<E extends { readonly code: number; readonly type: string }>(list: readonly E[]): Table<E> {
  return {
    list,
    byCode: new Map(list.map((entry) => [entry.code, entry])),
    byType: new Map(list.map((entry) => [entry.type, entry])),
  };
}

export interface OxmTable {
  readonly list: readonly OxmFacts[];
  readonly byName: ReadonlyMap<string, OxmFacts>;
  /** Key: class (or, of class 0xffff, the experimenter) · 128 + field; the two kinds in separate maps. */
  readonly byNumber: ReadonlyMap<number, OxmFacts>;
  readonly byExperimenter: ReadonlyMap<number, OxmFacts>;
}

export function oxmTableOf(list: readonly OxmFacts[]): OxmTable {
  const vendors = list.filter((facts) => facts.experimenter !== undefined);
  return {
    list,
    byName: new Map(list.map((facts) => [facts.name, facts])),
    byNumber: new Map(
      list
        .filter((facts) => facts.experimenter === undefined)
        .map((facts) => [facts.oxmClass * 128 + facts.oxmField, facts]),
    ),
    byExperimenter: new Map(vendors.map((facts) => [facts.experimenter! * 128 + facts.oxmField, facts])),
  };
}

export interface Protocol {
  /** The version byte of the header. */
  readonly version: number;
  readonly messages: Table<MessageCodec>;
  readonly multiparts: Table<MultipartCodec>;
  readonly actions: Table<Codec<Action>>;
  readonly instructions: Table<Codec<Instruction>>;
  readonly bands: Table<Codec<MeterBand>>;
  readonly queueProperties: Table<Codec<QueueProperty>>;
  readonly tableFeatureProperties: Table<Codec<TableFeatureProperty>>;
  readonly oxm: OxmTable;
}
