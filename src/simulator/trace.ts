/** A packet through the reference datapath, table by table: with the rules of files, or those of a switch. */
import {
  errorName,
  type FlowStats,
  type GroupDesc,
  type MeterConfig,
  type Outgoing,
  of13,
  parseMac,
} from 'node-openflow';
import { formatFlow, parseMatch } from 'node-openflow/text';
import { isOurs, ownerOf } from '../compiler/owner.js';
import { type KnownPort, PortList, type PortResolver, wordsOf } from '../compiler/ports.js';
import type { Origin, Program } from '../compiler/program.js';
import type { TracedFlow, TraceStep } from '../datapath/trace-steps.js';
import { type Packet, PacketError, packetOf } from './frame.js';
import { macOf, portName, portsOf } from './load.js';
import { PORT_MAC, Simulator } from './simulator.js';
import type { TraceReport } from './trace-report.js';
import { flowOf, type TraceNames, TraceWords } from './trace-words.js';

const { OFPFC, OFPGC, OFPMC, OFPG, OFPP, OFPPC, OFPPS, OFP_NO_BUFFER } = of13;

/** What decides: a flow, and the rule that it came from, if a file has it. */
export interface TracedRule {
  readonly flow: Pick<FlowStats, 'tableId' | 'priority' | 'match' | 'instructions' | 'cookie'>;
  readonly origin?: Origin | undefined;
}

/** A port of a switch with its OFPPC and OFPPS bits. */
export interface TracedPort extends KnownPort {
  readonly config?: number;
  readonly state?: number;
}

export interface TraceInput {
  readonly rules: readonly TracedRule[];
  readonly groups: readonly Pick<GroupDesc, 'groupId' | 'groupType' | 'buckets'>[];
  readonly meters: readonly MeterConfig[];
  readonly ports: readonly TracedPort[];
  /** For the packet's words. */
  readonly resolver: PortResolver;
  readonly names: TraceNames;
  /** A packet may come in by a port that is not listed. */
  readonly anyPort: boolean;
}

function namesFor(program: Program | undefined, ports: readonly KnownPort[]): TraceNames {
  const tables = new Map(program?.tables.map(({ id, name }) => [id, name]));
  const groups = new Map(program?.groups.map(({ mod, origin }) => [mod.groupId, `${origin.document}/${origin.name}`]));
  const meters = new Map(program?.meters.map(({ mod, origin }) => [mod.meterId, `${origin.document}/${origin.name}`]));
  const owners = new Map([...(program?.owners ?? [])].map(([name, id]) => [id, name]));
  return {
    port: (port) => portName(ports, port),
    table: (table) => tables.get(table),
    group: (group) => groups.get(group),
    meter: (meter) => meters.get(meter),
    owner: (cookie) => (isOurs(cookie) ? (owners.get(ownerOf(cookie)) ?? `number ${ownerOf(cookie)}`) : undefined),
  };
}

/** What a switch would have that has these files. */
export function inputOfProgram(program: Program): TraceInput {
  const known = program.ports.ports;
  const others = [...portsOf(program)].filter((port) => !known.some(({ number }) => number === port));
  return {
    rules: program.flows.map(({ mod, origin }) => ({ flow: mod, origin })),
    groups: program.groups.map(({ mod }) => mod),
    meters: program.meters.map(({ mod }) => mod),
    ports: [...known, ...others.map((number) => ({ number }))],
    resolver: program.ports,
    names: namesFor(program, known),
    anyPort: true,
  };
}

/** What a switch says that it has; `program`: files that know the names of its rules. */
export function inputOfSwitch(
  state: {
    readonly flows: readonly FlowStats[];
    readonly groups: readonly GroupDesc[];
    readonly meters: readonly MeterConfig[];
  },
  ports: readonly TracedPort[],
  resolver: PortResolver,
  program?: Program,
): TraceInput {
  const origins = new Map(program?.flows.map(({ mod, origin }) => [mod.cookie, origin]));
  return {
    rules: state.flows.map((flow) => ({ flow, origin: origins.get(flow.cookie) })),
    groups: state.groups,
    meters: state.meters,
    ports,
    resolver,
    names: namesFor(program, resolver.ports),
    anyPort: false,
  };
}

/** Throws {@link PacketError} for words that are no packet. */
export function tracePacket(input: TraceInput, text: string): TraceReport {
  const { inPort, frame, carried } = packetFor(input, text);
  const simulator = new Simulator();
  try {
    const left = load(simulator, input);
    if (input.anyPort && !simulator.attach(inPort)) throw new PacketError(`there cannot be a port ${inPort}`);
    if (!input.anyPort && !input.ports.some(({ number }) => number === inPort)) {
      throw new PacketError(`the switch has no port ${inPort}`);
    }
    // Its flows are told apart by their cookies.
    const words = new TraceWords(({ cookie }) => input.rules[Number(cookie)]!, input.names);
    simulator.trace(inPort, frame, (step) => words.add(step), carried);
    return { by: 'model', packet: { text, port: inPort, frame: hex(frame) }, ...said(words), left };
  } finally {
    simulator.close();
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function said(words: TraceWords): Pick<TraceReport, 'steps' | 'outcome'> {
  const outcome = words.outcome();
  return { steps: words.lines, outcome };
}

/** A running switch, and the files that know the names of its rules. */
export interface LiveSwitch {
  readonly ports: readonly KnownPort[];
  readonly program: Program | undefined;
  readonly origin: (cookie: bigint) => Origin | undefined;
  readonly trace: (packet: Packet & { readonly inPort: number }) => Promise<readonly TraceStep[]>;
}

/** Rejects with {@link PacketError} for words that are no packet, and as `trace` does. */
export async function traceLivePacket(live: LiveSwitch, text: string): Promise<TraceReport> {
  const { ports, program, origin, trace } = live;
  const packet = livePacket(live, text);
  const ruleOf = (flow: TracedFlow): TracedRule => ({ flow: flowOf(flow), origin: origin(flow.cookie) });
  const words = new TraceWords(ruleOf, namesFor(program, ports));
  for (const step of await trace(packet)) words.add(step);
  return { by: 'switch', packet: { text, port: packet.inPort, frame: hex(packet.frame) }, ...said(words), left: [] };
}

/** Throws {@link PacketError}. */
export const livePacket = ({ ports }: Pick<LiveSwitch, 'ports'>, text: string): Packet & { readonly inPort: number } =>
  packetFor({ resolver: new PortList(ports), ports }, text);

function packetFor(input: Pick<TraceInput, 'resolver' | 'ports'>, text: string): Packet & { readonly inPort: number } {
  const result = parseMatch(text, { port: (name) => input.resolver.find(wordsOf(name), true)?.number });
  if (!result.ok) {
    const { message, column, suggestion } = result.error;
    const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
    throw new PacketError(`${message}${hint} (letter ${column} of the packet)`);
  }
  const made = packetOf(result.value, (port) => macOf(input.ports, port));
  if (made.inPort === undefined) throw new PacketError('a packet comes in by a port: in_port is missing');
  return { ...made, inPort: made.inPort };
}

/** What the switch does not take of it. */
function load(simulator: Simulator, { rules, groups, meters, ports, names }: TraceInput): TraceReport['left'] {
  const left: { what: string; reason: string }[] = [];
  const take = (what: () => string, message: Outgoing): boolean => {
    const refusal = simulator.take(message);
    if (refusal !== undefined) left.push({ what: what(), reason: errorName(refusal.errorType, refusal.errorCode) });
    return refusal === undefined;
  };
  for (const { number, config = 0, state = 0 } of ports) {
    const stopped = (config & OFPPC.PORT_DOWN) !== 0 || (state & OFPPS.LINK_DOWN) !== 0;
    if (!simulator.attach(number, stopped)) {
      left.push({ what: `port ${number}`, reason: 'its number is too large' });
    } else if (config !== 0) {
      const mask = OFPPC.NO_RECV | OFPPC.NO_FWD | OFPPC.NO_PACKET_IN;
      const hwAddr = parseMac(PORT_MAC)!;
      const message = { type: 'port_mod', portNo: number, hwAddr, config: config & mask, mask, advertise: 0 } as const;
      take(() => `port ${number}`, message);
    }
  }
  for (const { meterId, flags, bands } of meters) {
    take(() => `meter ${names.meter(meterId) ?? meterId}`, {
      type: 'meter_mod',
      command: OFPMC.ADD,
      meterId,
      flags,
      bands,
    });
  }
  const groupMod = ({ groupId, groupType, buckets }: (typeof groups)[number]): Outgoing => {
    return { type: 'group_mod', command: OFPGC.ADD, groupId, groupType, buckets };
  };
  // Those that others lead to must be there before them.
  let waiting = groups;
  for (let before = Infinity; waiting.length < before; ) {
    before = waiting.length;
    waiting = waiting.filter((group) => simulator.take(groupMod(group)) !== undefined);
  }
  for (const group of waiting) take(() => `group ${names.group(group.groupId) ?? group.groupId}`, groupMod(group));
  for (const [index, { flow, origin }] of rules.entries()) {
    const what = () => (origin === undefined ? formatFlow(flow, names) : `${origin.document}/${origin.name}`);
    take(what, flowMod(flow, index));
  }
  return left;
}

/** Timeouts and flags do not matter to one packet; the cookie is the rule's place, to know it again. */
const flowMod = ({ tableId, priority, match, instructions }: TracedRule['flow'], index: number): Outgoing => ({
  type: 'flow_mod',
  command: OFPFC.ADD,
  tableId,
  priority,
  match,
  instructions,
  cookie: BigInt(index),
  cookieMask: 0n,
  idleTimeout: 0,
  hardTimeout: 0,
  flags: 0,
  bufferId: OFP_NO_BUFFER,
  outPort: OFPP.ANY,
  outGroup: OFPG.ANY,
});
