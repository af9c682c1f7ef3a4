/**
 * Ports that come and go under a running switch. Who is not there gets numbers that nobody has, so that everything can be
 * compiled; what mentions them is then taken out again, and waits.
 */
import type { Steps } from '../base/slices.js';
import { type KnownPort, PortList, type PortResolver, portLabel } from './ports.js';
import type { Program, ProgramFlow, ProgramGroup } from './program.js';
import type { PortByWords } from './schema/common.js';

/** Numbers above every port of a switch and below the reserved ones of the words of ovs-ofctl, which are 16 bits. */
const FIRST = 0xe9d3;
const COUNT_MAX = 0x1400;
/** Of addresses the last two bytes count. The one is locally administered, the other in 240.0.0.0/4: nobody has them. */
const MAC_PREFIX = [0x02, 0x58, 0x56, 0xd0] as const;
const IP_PREFIX = [0xff, 0xd0] as const;
const OFPGT_INDIRECT = 2;

export class LatePorts implements PortResolver {
  readonly #known: PortList;
  readonly #remembered: ReadonlySet<string>;
  readonly #made = new Map<string, KnownPort>();
  readonly #labels: string[] = [];
  readonly #asked = new Map<string, PortByWords>();
  readonly #names = new Set<string>();

  /** `remembered`: words that were the name of a port once, where they may as well be an action that is misspelt. */
  constructor(known: readonly KnownPort[], remembered: Iterable<string> = []) {
    this.#known = new PortList(known);
    this.#remembered = new Set(remembered);
  }

  find(words: PortByWords, existing = false): KnownPort | undefined {
    const label = portLabel(words);
    const known = this.#known.find(words);
    if (known === undefined && existing && !this.#remembered.has(label)) return undefined;
    this.#asked.set(label, words);
    if (existing) this.#names.add(label);
    return known ?? this.#made.get(label) ?? this.#make(label, words);
  }

  /** With all numbers given out the last is everybody's: they wait all the same. */
  #make(label: string, words: PortByWords): KnownPort {
    const index = Math.min(this.#labels.length, COUNT_MAX - 1);
    this.#labels[index] ??= label;
    const [high, low] = [index >> 8, index & 0xff];
    const mac = words.mac ?? [...MAC_PREFIX, high, low].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
    const made = { ...words, number: FIRST + index, mac, addresses: [[...IP_PREFIX, high, low].join('.')] };
    this.#made.set(label, made);
    return made;
  }

  /** To be remembered for the next time. */
  get portNames(): readonly string[] {
    return [...this.#names];
  }

  /** Whether what was asked for is found differently among these ports. */
  differs(ports: readonly KnownPort[]): boolean {
    const now = new PortList(ports);
    return [...this.#asked.values()].some((words) => facts(this.#known.find(words)) !== facts(now.find(words)));
  }

  /** What is not there, of that which stands in a flow or a group. */
  missing(mod: unknown): readonly string[] {
    if (this.#labels.length === 0) return [];
    const found = new Set<string>();
    for (const index of placeholders(mod)) {
      const label = this.#labels[index];
      if (label !== undefined) found.add(label);
    }
    return [...found];
  }

  get names(): readonly string[] {
    return [...this.#known.names, ...this.#labels];
  }
  get ports(): readonly KnownPort[] {
    return [...this.#known.ports, ...this.#made.values()];
  }
}

const facts = (port: KnownPort | undefined): string =>
  port === undefined ? '' : JSON.stringify([port.number, port.mac, port.addresses]);

/** What a number, or the value of a field, says that can be a port's. Ports of TCP and UDP are other things. */
function* placeholders(value: unknown, key = ''): Generator<number> {
  if (typeof value === 'number') {
    if (/(port|members)$/i.test(key)) yield value - FIRST;
  } else if (typeof value === 'bigint') {
    if (key === 'value') yield Number(value) - FIRST;
  } else if (value instanceof Uint8Array) {
    const index = inBytes(value);
    if (index !== undefined) yield index;
  } else if (Array.isArray(value)) {
    for (const one of value) yield* placeholders(one, key);
  } else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) if (name !== 'mask') yield* placeholders(one, name);
  }
}

const begins = (bytes: Uint8Array, prefix: readonly number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);

/** A MAC address, an IPv4 address, or a number of four or eight bytes as registers, metadata and in_port are. */
function inBytes(bytes: Uint8Array): number | undefined {
  const end = bytes.length;
  if (end < 4) return undefined;
  const last = bytes[end - 2]! * 256 + bytes[end - 1]!;
  if (end === 6) return begins(bytes, MAC_PREFIX) ? last : undefined;
  if (end === 4 && begins(bytes, IP_PREFIX)) return last;
  return bytes.subarray(0, end - 2).every((byte) => byte === 0) ? last - FIRST : undefined;
}

/** A program, and what of it can be in force now. */
export interface Settled {
  readonly program: Program;
  /** By document: ports that are not there, and the flows that wait for them. */
  readonly waiting: ReadonlyMap<string, { readonly ports: readonly string[]; readonly flows: number }>;
}

/** Takes out the flows, and the buckets of groups, that name ports which are not there. */
export function* settle(program: Program, ports: LatePorts): Steps<Settled> {
  const waiting = new Map<string, { readonly ports: Set<string>; flows: number }>();
  const wait = (document: string, missing: readonly string[], flows: number): void => {
    const entry = waiting.get(document) ?? { ports: new Set<string>(), flows: 0 };
    waiting.set(document, entry);
    for (const label of missing) entry.ports.add(label);
    entry.flows += flows;
  };
  const flows: ProgramFlow[] = [];
  for (const flow of program.flows) {
    const missing = ports.missing(flow.mod);
    if (missing.length > 0) wait(flow.origin.document, missing, 1);
    else flows.push(flow);
    yield;
  }
  const groups = program.groups.map((group: ProgramGroup): ProgramGroup => {
    const { mod, origin } = group;
    const missing = ports.missing(mod.buckets);
    if (missing.length === 0) return group;
    wait(origin.document, missing, 0);
    const buckets = mod.buckets.flatMap((bucket) => {
      if (ports.missing(bucket).length === 0) return [bucket];
      // An indirect group has one bucket, no more and no less (OpenFlow 1.3.5 §5.6.1).
      return mod.groupType === OFPGT_INDIRECT ? [{ ...bucket, actions: [] }] : [];
    });
    return { origin, mod: { ...mod, buckets } };
  });
  const checks = program.checks.filter(
    ({ ingressPort, egressPort }) => ports.missing({ ingressPort, egressPort }).length === 0,
  );
  const told = [...waiting].map(
    ([name, { ports: labels, flows: count }]) => [name, { ports: [...labels], flows: count }] as const,
  );
  return { program: { ...program, flows, groups, checks }, waiting: new Map(told) };
}
