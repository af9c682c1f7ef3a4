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
import type { Match } from '../types/oxm.js';
import type { Bucket, MeterBand, PortDesc, QueueProperty, TableFeatureProperty } from '../types/structures.js';
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
  /** The code to write, where it depends on the value. */
  codeFor?(value: Value): number;
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
  /** What stands before the entries in each of the messages. */
  beginEntries?(w: WireWriter): void;
}

export interface MultipartCodec {
  readonly code: number;
  readonly type: MultipartRequestBody['type'];
  readonly request: BodyCodec<MultipartRequestBody>;
  readonly reply: BodyCodec<MultipartReplyBody>;
}

/** Reads and writes a structure that is found by its place, not by a code. */
export interface Structure<Value> {
  decode(r: WireReader, ctx: Context): Value;
  encode(w: WireWriter, value: Value, ctx: Context): void;
}

/** Numbers of ports, always 32 bits wide in values. */
export interface PortNumbers {
  /** Bytes of padding that a structure has behind a number to fill 8 bytes. */
  readonly padding: number;
  decode(r: WireReader): number;
  encode(w: WireWriter, port: number): void;
}

/** Buckets until the reader's end; what a bucket's absent weight is depends on the group's type. */
export interface Buckets {
  decode(r: WireReader, groupType: number, ctx: Context): readonly Bucket[];
  encode(w: WireWriter, buckets: readonly Bucket[], groupType: number, ctx: Context): void;
}

/** What experimenters' messages, multiparts or actions are known by name. */
export interface Extensions<C> {
  find(experimenter: number, expType: number): C | undefined;
  /** Has any of this experimenter's. */
  knows(experimenter: number): boolean;
  readonly byType: ReadonlyMap<string, Extension<C>>;
}
export interface Extension<C> {
  readonly experimenter: number;
  readonly expType: number;
  readonly codec: C;
}

export function extensionsOf<C extends { readonly type: string }>(list: readonly Extension<C>[]): Extensions<C> {
  const byId = new Map(list.map((entry) => [`${entry.experimenter}/${entry.expType}`, entry.codec]));
  const ids = new Set(list.map(({ experimenter }) => experimenter));
  return {
    knows: (experimenter) => ids.has(experimenter),
    find: (experimenter, expType) => byId.get(`${experimenter}/${expType}`),
    byType: new Map(list.map((entry) => [entry.codec.type, entry])),
  };
}

export interface Table<E> {
  readonly list: readonly E[];
  readonly byCode: ReadonlyMap<number, E>;
  readonly byType: ReadonlyMap<string, E>;
}

/** `writers`: what is only ever written, for values that the version says by another structure's code. */
export function tableOf<E extends { readonly code: number; readonly type: string }>(
  list: readonly E[],
  writers: readonly E[] = [],
): Table<E> {
  return {
    list,
    byCode: new Map(list.map((entry) => [entry.code, entry])),
    byType: new Map([...list, ...writers].map((entry) => [entry.type, entry])),
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
  readonly match: Structure<Match>;
  readonly port: Structure<PortDesc>;
  readonly portNumbers: PortNumbers;
  readonly buckets: Buckets;
  /** Bytes of padding behind type and flags of a multipart message. */
  readonly multipartPadding: number;
  /** May a set_field action have a mask? */
  readonly setFieldMask: boolean;
  readonly extensions: {
    readonly messages: Extensions<MessageCodec>;
    readonly multiparts: Extensions<MultipartCodec>;
    readonly actions: Extensions<Codec<Action>>;
  };
  /** Says actions that mean several things by the flow's match. */
  readonly resolve?: (match: Match, instructions: readonly Instruction[]) => readonly Instruction[];
  /** Puts instructions that the version has no form for into those it has. */
  readonly rewrite?: (instructions: readonly Instruction[]) => readonly Instruction[];
}
