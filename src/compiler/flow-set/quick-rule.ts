/**
 * Rules as most of them are: one value for each of the usual fields. Their flows are made at once, many times faster than by
 * way of ovs-ofctl's words, and are the same. Of what is rarer, or wrong, nothing is made: that way is gone then, which also
 * says what is wrong.
 */
import type { Instruction, Match, OxmKnown } from 'node-openflow';
import type { At } from '../at.js';
import type { Builder } from '../builder.js';
import type { Scope } from '../scope.js';
import { actionsText, wantedBy } from './actions.js';
import { type Context, ETH, PROTO } from './contexts.js';
import { contextsOf } from './match.js';
import { termsOf } from './terms.js';

export interface QuickFlow {
  readonly match: Match;
  readonly instructions: readonly Instruction[];
}

type Bytes = Pick<OxmKnown, 'value' | 'mask'>;
/** Undefined: rarer than is read here. */
type Reader = (text: string) => Bytes | undefined;

const NUMBER = /^(?:0|[1-9]\d{0,9}|0x[\da-f]{1,8})$/i;

const number =
  (bytes: number): Reader =>
  (text) => {
    const value = NUMBER.test(text) ? Number(text) : Number.NaN;
    return value < 256 ** bytes ? { value: bigEndian(value, bytes) } : undefined;
  };

function bigEndian(value: number, bytes: number): Uint8Array {
  const written = new Uint8Array(bytes);
  for (let i = bytes - 1, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) written[i] = rest % 256;
  return written;
}

const MAC = /^[\da-f]{2}(?::[\da-f]{2}){5}$/i;
const mac: Reader = (text) =>
  MAC.test(text) ? { value: Uint8Array.from(text.split(':'), (part) => Number.parseInt(part, 16)) } : undefined;

const IPV4 = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/([1-9]|[12]\d|3[012]))?$/;

function ipv4(text: string): Bytes | undefined {
  const found = IPV4.exec(text);
  if (found === null) return undefined;
  const value = new Uint8Array(4);
  for (let i = 0; i < 4; i++) {
    const part = Number(found[i + 1]);
    if (part > 255) return undefined;
    value[i] = part;
  }
  const length = Number(found[5] ?? 32);
  if (length === 32) return { value };
  const mask = bigEndian(2 ** 32 - 2 ** (32 - length), 4);
  return { value: value.map((byte, i) => byte & mask[i]!), mask };
}

const TAG_PRESENT = 0x1000;
const VLAN_MAX = 4095;
const vlan: Reader = (text) => {
  const id = /^\d{1,4}$/.test(text) ? Number(text) : Number.NaN;
  return id <= VLAN_MAX ? { value: bigEndian(TAG_PRESENT | id, 2) } : undefined;
};

/** Where in a match a field stands: as Open vSwitch has them, which is how the parser of its words writes them. */
const rank = {
  in_port: 0,
  eth_src: 1,
  eth_dst: 2,
  eth_type: 3,
  vlan: 4,
  src: 5,
  dst: 6,
  ip_proto: 7,
  from: 8,
  to: 9,
  reg: 10,
};

interface QuickField {
  readonly rank: number;
  readonly read: Reader;
  /** Undefined: packets of this kind do not have it. */
  readonly field: (context: Context) => OxmKnown['field'] | undefined;
}

const transports: ReadonlyMap<number | undefined, string> = new Map([
  [PROTO.tcp, 'tcp'],
  [PROTO.udp, 'udp'],
  [PROTO.sctp, 'sctp'],
]);

const always = (name: string, at: number, read: Reader): QuickField => ({
  rank: at,
  read,
  field: () => name as OxmKnown['field'],
});
const address = (side: 'src' | 'dst'): QuickField => ({
  rank: rank[side],
  read: ipv4,
  field: ({ eth }) => (eth === ETH.ipv4 ? `ipv4_${side}` : undefined),
});
const port = (side: 'src' | 'dst', only?: number): QuickField => ({
  rank: side === 'src' ? rank.from : rank.to,
  read: number(2),
  field: ({ proto }) => {
    const name = only === undefined || only === proto ? transports.get(proto) : undefined;
    return name === undefined ? undefined : (`${name}_${side}` as OxmKnown['field']);
  },
});

const sides = ['src', 'dst'] as const;
const fields: ReadonlyMap<string, QuickField> = new Map([
  ...sides.flatMap((side) =>
    [`eth_${side}`, `dl_${side}`, `${side}_mac`].map(
      (name) => [name, always(`eth_${side}`, rank[`eth_${side}`], mac)] as const,
    ),
  ),
  ...sides.flatMap((side) => [`ip_${side}`, `nw_${side}`, `${side}_ip`].map((name) => [name, address(side)] as const)),
  ...sides.flatMap((side) => [`${side}_port`, `tp_${side}`].map((name) => [name, port(side)] as const)),
  ...sides.flatMap((side) => [...transports].map(([proto, name]) => [`${name}_${side}`, port(side, proto)] as const)),
  ['vlan', always('vlan_vid', rank.vlan, vlan)],
  ...Array.from({ length: 16 }, (_, n) => [`reg${n}`, always(`reg${n}`, rank.reg + n, number(4))] as const),
]);

/** Above them are those with names, of which ovs-ofctl's words have others. */
const PORT_MAX = 0xff00;
/** What is remembered of one document. */
const MEMORY_MAX = 65_536;

interface Read {
  readonly quick: QuickField;
  readonly bytes: Bytes;
}

/** One field of a match: one that was read, by its place among those, or one that the kind of packets brings along. */
type Part = { readonly read: number; readonly field: OxmKnown['field'] } | OxmKnown;

/** What becomes of rules with the same keys: a kind of packets, and its match in order. */
interface Layout {
  readonly context: Context;
  readonly parts: readonly Part[];
}

/** Of the rules of one document. */
export class QuickRules {
  /** By the keys of a match, and what the actions want of it. */
  readonly #layouts = new Map<string, readonly Layout[]>();
  /** As they are written. */
  readonly #inPorts = new Map<unknown, Read>();
  /** What actions want, by themselves. */
  readonly #wanted = new Map<string, string>();
  /** By table, kind of packets and actions. */
  readonly #instructions = new Map<string, readonly Instruction[]>();

  constructor(
    readonly scope: Scope,
    readonly builder: Builder,
  ) {}

  /** Undefined: it is to be lowered the other way. Nothing is said here. */
  flows(match: At, actions: At, table: number): readonly QuickFlow[] | undefined {
    return this.scope.diagnostics.trying(() => this.#flows(match, actions, table));
  }

  #flows(match: At, actions: At, table: number): readonly QuickFlow[] | undefined {
    let shape = '';
    const reads: Read[] = [];
    const written = (match.value ?? {}) as Readonly<Record<string, unknown>>;
    for (const key of Object.keys(written)) {
      const value = written[key];
      if (key === 'protocol') {
        if (typeof value !== 'string' || value.includes('${')) return undefined;
        shape += `protocol=${value} `;
        continue;
      }
      const read = this.#read(match, key, value);
      if (read === undefined) return undefined;
      reads.push(read);
      shape += `${key} `;
    }
    const does = JSON.stringify(actions.value);
    const layouts = this.#layoutsOf(match, actions, shape, does, reads);
    if (layouts === undefined) return undefined;
    const tagged = reads.some(({ quick }) => quick.rank === rank.vlan);
    const flows: QuickFlow[] = [];
    for (const { context, parts } of layouts) {
      const instructions = this.#instructionsFor(actions, does, context, tagged, table);
      if (instructions === undefined) return undefined;
      flows.push({ match: matchOf(reads, parts), instructions });
    }
    return flows;
  }

  #read(match: At, key: string, value: unknown): Read | undefined {
    if (key === 'in_port') return this.#inPort(match.key(key));
    const quick = fields.get(key);
    if (quick === undefined || (typeof value !== 'string' && typeof value !== 'number')) return undefined;
    const text = String(value);
    const known = text.includes('${') ? this.scope.values(match.key(key)) : undefined;
    if (known !== undefined && known.length !== 1) return undefined;
    const bytes = quick.read(known?.[0]?.text ?? text);
    return bytes === undefined ? undefined : { quick, bytes };
  }

  #inPort(at: At): Read | undefined {
    const known = this.#inPorts.get(at.value);
    if (known !== undefined) return known;
    const values = this.scope.values(at);
    const found = values.length === 1 ? this.scope.portNumber(values[0]!) : undefined;
    if (found === undefined || found >= PORT_MAX) return undefined;
    const read = { quick: inPort, bytes: { value: bigEndian(found, 4) } };
    return typeof at.value === 'object' ? read : remembered(this.#inPorts, at.value, read);
  }

  #layoutsOf(
    match: At,
    actions: At,
    shape: string,
    does: string,
    reads: readonly Read[],
  ): readonly Layout[] | undefined {
    const key = `${shape}| ${this.#wantedIn(actions, does)}`;
    const known = this.#layouts.get(key);
    if (known !== undefined) return known;
    const contexts = this.scope.diagnostics.trying(() =>
      contextsOf(termsOf(match, this.scope), wantedBy(actions, this.scope), this.scope),
    );
    if (contexts === undefined || contexts.length === 0) return undefined;
    const found = contexts.flatMap((context) => layoutOf(reads, context) ?? []);
    return found.length < contexts.length ? undefined : remembered(this.#layouts, key, found);
  }

  /** Addresses say by themselves of which family they are, and so what kind of packet is wanted. */
  #wantedIn(actions: At, does: string): string {
    const known = this.#wanted.get(does);
    if (known !== undefined) return known;
    const words = wantedBy(actions, this.scope).map(({ key, need }) => `${key} ${need.anyOf[0]?.eth}`);
    return remembered(this.#wanted, does, words.join(' '));
  }

  #instructionsFor(
    actions: At,
    does: string,
    context: Context,
    tagged: boolean,
    table: number,
  ): readonly Instruction[] | undefined {
    const key = `${table} ${context.eth} ${context.proto} ${tagged} ${does}`;
    const known = this.#instructions.get(key);
    if (known !== undefined) return known;
    const found = this.scope.diagnostics.trying(() => {
      const text = actionsText(actions, context, this.scope);
      const kind = { ethertype: context.eth, protocol: context.proto, tagged };
      return text && this.builder.actions(text.text, kind, table, this.scope);
    });
    return found && remembered(this.#instructions, key, found);
  }
}

const inPort = always('in_port', rank.in_port, number(4));

function remembered<Key, Value>(memory: Map<Key, Value>, key: Key, value: Value): Value {
  if (memory.size < MEMORY_MAX) memory.set(key, value);
  return value;
}

/** Undefined where packets of the kind do not have all fields, or where two names are of one field, which is rare. */
function layoutOf(reads: readonly Read[], context: Context): Layout | undefined {
  const { eth, proto } = context;
  const found: { readonly rank: number; readonly part: Part }[] = [];
  for (const [index, { quick }] of reads.entries()) {
    const field = quick.field(context);
    if (field === undefined) return undefined;
    found.push({ rank: quick.rank, part: { read: index, field } });
  }
  if (eth !== undefined) found.push({ rank: rank.eth_type, part: { field: 'eth_type', value: bigEndian(eth, 2) } });
  if (proto !== undefined) {
    if (eth !== ETH.ipv4 && eth !== ETH.ipv6) return undefined;
    found.push({ rank: rank.ip_proto, part: { field: 'ip_proto', value: bigEndian(proto, 1) } });
  }
  found.sort((a, b) => a.rank - b.rank);
  if (found.some((each, i) => each.rank === found[i - 1]?.rank)) return undefined;
  return { context, parts: found.map(({ part }) => part) };
}

const matchOf = (reads: readonly Read[], parts: readonly Part[]): Match =>
  parts.map((part) => {
    if (!('read' in part)) return part;
    const { value, mask } = reads[part.read]!.bytes;
    return mask === undefined ? { field: part.field, value } : { field: part.field, value, mask };
  });
