/**
 * Ports that may send IP and yet get nowhere, since ARP, neighbour discovery or DHCP are cut off.
 *
 * The question is whether any such packet of the port may leave the tables; a port that may send nothing is meant so.
 */
import type { Bucket, Match } from 'node-openflow';
import type { Diagnostics } from '../diagnostic.js';
import { ones } from '../number-ranges.js';
import { reservedPorts } from '../ports.js';
import type { Origin, Program, ProgramFlow } from '../program.js';
import { type Cube, covers, overlaps } from './cube.js';
import { actionsOf, groupsOf, type LintFlow, type LintTables, resubmits } from './flows.js';
import { tell } from './tell.js';

const exact = (values: Readonly<Record<string, readonly [value: bigint, bits: number]>>): Cube =>
  new Map(Object.entries(values).map(([field, [value, bits]]) => [field, { value, mask: ones(bits) }]));

const traffic = {
  ipv4: exact({ eth_type: [0x0800n, 16] }),
  ipv6: exact({ eth_type: [0x86ddn, 16] }),
  arp: exact({ eth_type: [0x0806n, 16] }),
  nd: exact({ eth_type: [0x86ddn, 16], ip_proto: [58n, 8], icmpv6_type: [135n, 8] }),
  dhcp: exact({ eth_type: [0x0800n, 16], ip_proto: [17n, 8], udp_dst: [67n, 16], eth_dst: [ones(48), 48] }),
} as const;

/** Ports that are looked at one by one. */
const PORTS_MAX = 64;

/** Something of it may leave; or where it ends, and the flow that ends it if there is one. */
type Fate = 'leaves' | { readonly table: number; readonly flow: ProgramFlow | undefined };

interface Ranked {
  /** Place in the table. */
  readonly rank: number;
  readonly flow: LintFlow;
}
/** Flows of a table that name the same port, ethertype and protocol as wholes; undefined: they do not. */
interface Kind {
  readonly port: number | undefined;
  readonly ethertype: number | undefined;
  readonly protocol: number | undefined;
  readonly flows: Ranked[];
}

/** The value of a field of up to 32 bits; undefined: of any, or of several. */
function wholeOf(match: Match, field: string): number | undefined {
  const found = match.find((one) => one.field === field);
  if (found === undefined || !('value' in found) || found.mask !== undefined) return undefined;
  return found.value.reduce((value, byte) => value * 256 + byte, 0);
}

class Fates {
  readonly #tables: LintTables;
  /** By table. */
  readonly #kinds = new Map<number, readonly Kind[]>();
  /** Flows of a table that packets of a port and kind may match. */
  readonly #possible = new Map<string, readonly LintFlow[]>();
  readonly #groups: ReadonlyMap<number, readonly Bucket[]>;

  constructor(program: Program, tables: LintTables) {
    this.#tables = tables;
    this.#groups = groupsOf(program);
  }

  of(port: number, kind: Cube): Fate {
    return this.#walk(0, new Map([...kind, ['in_port', { value: BigInt(port), mask: ones(32) }]]), new Set());
  }

  #walk(table: number, packets: Cube, seen: Set<number>): Fate {
    let stopped: Fate = { table, flow: undefined };
    if (seen.has(table)) return stopped;
    seen.add(table);
    for (const { flow, cube } of this.#possibleFor(table, packets)) {
      if (!overlaps(cube, packets)) continue;
      const fate = this.#through(flow, packets, seen);
      if (fate === 'leaves') return fate;
      if (stopped.flow === undefined) stopped = fate;
      // What comes after gets none of these packets.
      if (covers(cube, packets)) break;
    }
    return stopped;
  }

  #possibleFor(table: number, packets: Cube): readonly LintFlow[] {
    const [port, ethertype, protocol] = ['in_port', 'eth_type', 'ip_proto'].map((field) => {
      const value = packets.get(field)?.value;
      return value === undefined ? undefined : Number(value);
    });
    const key = `${table} ${port} ${ethertype} ${protocol}`;
    const known = this.#possible.get(key);
    if (known !== undefined) return known;
    const fits = (asked: number | undefined, value: number | undefined) =>
      asked === undefined || value === undefined || asked === value;
    const found = this.#kindsOf(table)
      .filter((kind) => fits(kind.port, port) && fits(kind.ethertype, ethertype) && fits(kind.protocol, protocol))
      .flatMap(({ flows }) => flows)
      .sort((a, b) => a.rank - b.rank)
      .map(({ flow }) => flow);
    this.#possible.set(key, found);
    return found;
  }

  #kindsOf(table: number): readonly Kind[] {
    const known = this.#kinds.get(table);
    if (known !== undefined) return known;
    const kinds = new Map<string, Kind>();
    for (const [rank, flow] of (this.#tables.get(table) ?? []).entries()) {
      const { match } = flow.flow.mod;
      const [port, ethertype, protocol] = [
        wholeOf(match, 'in_port'),
        wholeOf(match, 'eth_type'),
        wholeOf(match, 'ip_proto'),
      ];
      const key = `${port} ${ethertype} ${protocol}`;
      const kind = kinds.get(key) ?? { port, ethertype, protocol, flows: [] };
      kinds.set(key, kind);
      kind.flows.push({ rank, flow });
    }
    const made = [...kinds.values()];
    this.#kinds.set(table, made);
    return made;
  }

  #through(flow: ProgramFlow, packets: Cube, seen: Set<number>): Fate {
    const { mod } = flow;
    const actions = actionsOf(mod.instructions);
    if (actions.some(({ type }) => leaving.has(type))) return 'leaves';
    const goto = mod.instructions.flatMap((one) => (one.type === 'goto_table' ? [one.tableId] : []));
    let stopped: Fate = { table: mod.tableId, flow };
    for (const table of [...goto, ...resubmits(actions, this.#groups).map((to) => to ?? mod.tableId)]) {
      const fate = this.#walk(table, packets, seen);
      if (fate === 'leaves') return fate;
      stopped = fate;
    }
    return stopped;
  }
}

const leaving = new Set([
  'output',
  'group',
  'enqueue',
  'nx_output_reg',
  'nx_output_reg2',
  'nx_output_trunc',
  'nx_controller',
  'nx_controller2',
  'nx_bundle',
  'nx_learn',
  'nx_conjunction',
  'experimenter',
]);

/** Ports that rules speak of, or that are known; those of hops send what others sent. */
function portsOf(program: Program): number[] {
  const named = new Set(program.flows.map(({ mod }) => wholeOf(mod.match, 'in_port')));
  const hops = new Set(
    program.chains.flatMap((chain) =>
      chain.hops.flatMap(({ instances }) => instances.flatMap(({ into, outOf }) => [into, outOf])),
    ),
  );
  const all = new Set([...named, ...program.ports.ports.map(({ number }) => number)]);
  return [...all].filter((port) => port !== undefined && !hops.has(port)).slice(0, PORTS_MAX) as number[];
}

type Cut = 'cuts-arp' | 'cuts-dhcp' | 'cuts-management';

export function lintCuts(program: Program, tables: LintTables, diagnostics: Diagnostics): void {
  const fates = new Fates(program, tables);
  const cuts = new Map<
    string,
    { readonly code: Cut; readonly end: Exclude<Fate, 'leaves'>; readonly what: string[] }
  >();
  const note = (end: Fate, code: Cut, what: string): void => {
    if (end === 'leaves') return;
    const key = `${code} ${end.table} ${end.flow?.mod.cookie}`;
    const cut = cuts.get(key) ?? { code, end, what: [] };
    cuts.set(key, cut);
    cut.what.push(what);
  };
  for (const port of portsOf(program)) {
    const name = nameOf(program, port);
    const [ipv4, ipv6] = [fates.of(port, traffic.ipv4), fates.of(port, traffic.ipv6)];
    if (port === reservedPorts.LOCAL) {
      if (ipv4 !== 'leaves' && ipv6 !== 'leaves') note(ipv4, 'cuts-management', name);
      continue;
    }
    if (ipv4 === 'leaves') {
      note(fates.of(port, traffic.arp), 'cuts-arp', `ARP of ${name}`);
      note(fates.of(port, traffic.dhcp), 'cuts-dhcp', `DHCP requests of ${name}`);
    }
    if (ipv6 === 'leaves') note(fates.of(port, traffic.nd), 'cuts-arp', `neighbour discovery of ${name}`);
  }
  for (const { code, end, what } of cuts.values()) {
    const origin = end.flow?.origin ?? tableOrigin(program, end.table);
    if (origin === undefined) continue;
    const who = end.flow === undefined ? `no rule of table ${origin.name} lets through` : `${origin.name} stops`;
    const but = code === 'cuts-management' ? '' : ', which may send IP otherwise';
    tell(
      program,
      diagnostics,
      origin,
      code,
      `${who} ${listed(code === 'cuts-management' ? ["the host's own port"] : what)}${but}`,
    );
  }
}

function nameOf(program: Program, port: number): string {
  const known = program.ports.ports.find(({ number }) => number === port);
  if (known?.vm !== undefined) return `${known.vm}/${known.device ?? 0}`;
  return known?.name ?? `port ${port}`;
}

/** Where a table was written down, for what no rule of it is about. */
function tableOrigin(program: Program, id: number): Origin | undefined {
  const table = program.tables.find((one) => one.id === id);
  return table === undefined ? undefined : { at: table.at, owner: '', document: table.document, name: table.name };
}

const listed = (what: readonly string[]): string =>
  what.length > 3 ? `${what.slice(0, 3).join(', ')} and ${what.length - 3} more` : what.join(', ');
