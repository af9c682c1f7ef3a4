/** The way of a packet through service chains: it is sent, and what an instance gets comes back from it unchanged. */
import { parseMatch } from 'node-openflow/text';
import type { Diagnostics } from '../compiler/diagnostic.js';
import { type KnownPort, wordsOf } from '../compiler/ports.js';
import type { Origin, Program, ProgramChain, ProgramHop, ProgramInstance } from '../compiler/program.js';
import type { TraceStep } from '../datapath/trace-steps.js';
import { PacketError, packetOf } from './frame.js';
import { macOf, portName } from './load.js';
import { load } from './run-tests.js';
import { Simulator } from './simulator.js';
import { type LiveSwitch, livePacket } from './trace.js';

/** An inline hop whose instance is all: each makes more packets. */
const STEPS_MAX = 256;

export interface ChainStep {
  readonly chain: string;
  readonly hop: string;
  readonly direction: 'forward' | 'reverse';
  readonly instance: string;
  /** The packet goes through it, or it gets a copy. */
  readonly mode: 'inline' | 'tap';
  /** Ports in words; `outOf` is absent for taps. */
  readonly into: string;
  readonly outOf?: string;
}

export interface ChainTrace {
  readonly steps: readonly ChainStep[];
  /** Ports, in words, that it leaves by. */
  readonly outputs: readonly string[];
  readonly controller: boolean;
  /** Rules that it met last, where it went nowhere. */
  readonly ended: readonly string[];
}

interface Place {
  readonly chain: ProgramChain;
  readonly hop: ProgramHop;
  readonly instance: ProgramInstance;
}

const placesOf = ({ chains }: Program): Place[] =>
  chains.flatMap((chain) => chain.hops.flatMap((hop) => hop.instances.map((instance) => ({ chain, hop, instance }))));

/** Every known port has been heard, so that destinations are known by their MAC addresses. */
function hearAll(simulator: Simulator, program: Program, places: readonly Place[]): void {
  const legs = new Set(places.flatMap(({ instance: { into, outOf } }) => [into, outOf]));
  const all = parseMatch('arp');
  for (const { number } of program.ports.ports) {
    if (legs.has(number) || macOf(program.ports.ports, number) === undefined || !all.ok) continue;
    simulator.send(
      number,
      packetOf([...all.value, ...inPort(number)], (port) => macOf(program.ports.ports, port)).frame,
    );
  }
}

function inPort(port: number) {
  const value = new Uint8Array(4);
  new DataView(value.buffer).setUint32(0, port);
  return [{ field: 'in_port', value } as const];
}

/** What became of one frame. */
interface Fate {
  readonly outputs: readonly Frame[];
  readonly controller: boolean;
  /** Rules that it met: document/table/rule, where a document has them. */
  readonly met: readonly { readonly table: number; readonly rule: string | undefined }[];
}

interface Frame {
  readonly port: number;
  readonly frame: Uint8Array;
}

const ruleName = ({ document, name }: Origin): string => `${document}/${name}`;

/** On the reference datapath. A text instead: what is wrong with the packet. */
export function traceChains(program: Program, packet: string, diagnostics: Diagnostics): ChainTrace | string {
  const parsed = parseMatch(packet, { port: (name) => program.ports.find(wordsOf(name), true)?.number });
  if (!parsed.ok) return `column ${parsed.error.column}: ${parsed.error.message}`;
  const simulator = new Simulator();
  const send = ({ port, frame }: Frame): Fate => {
    const { outputs, packetIns, met } = simulator.send(port, frame);
    const flows = program.flows.filter(({ mod }) => met.includes(mod.cookie));
    const rules = flows.map(({ mod, origin }) => ({ table: mod.tableId, rule: ruleName(origin) }));
    return { outputs, controller: packetIns.length > 0, met: rules };
  };
  try {
    const made = packetOf(parsed.value, (port) => macOf(program.ports.ports, port));
    if (made.inPort === undefined) return 'a packet comes in by a port: in_port is missing';
    if (!simulator.attach(made.inPort)) return `${made.inPort} is no number of a port`;
    load(simulator, program, diagnostics);
    const places = placesOf(program);
    hearAll(simulator, program, places);
    const way = follow(places, program.ports.ports, { port: made.inPort, frame: made.frame });
    let next = way.next();
    while (next.done !== true) next = way.next(send(next.value));
    return next.value;
  } catch (error) {
    if (error instanceof PacketError) return error.message;
    throw error;
  } finally {
    simulator.close();
  }
}

/** In a running switch, where nothing becomes of it. Rejects with {@link PacketError} for words that are no packet. */
export async function traceLiveChains(live: LiveSwitch, text: string): Promise<ChainTrace> {
  const { ports, program, origin, trace } = live;
  const { inPort, frame, carried } = livePacket(live, text);
  const places = program === undefined ? [] : placesOf(program);
  // Those of the program are also the ports that it waits for.
  const way = follow(places, [...ports, ...(program?.ports.ports ?? [])], { port: inPort, frame });
  let next = way.next();
  for (let brought = carried; next.done !== true; brought = []) {
    const { port, frame: bytes } = next.value;
    const there = ports.some(({ number }) => number === port);
    const met = there ? await trace({ inPort: port, frame: bytes, carried: brought }) : [];
    next = way.next(fateOf(met, origin));
  }
  return next.value;
}

function fateOf(steps: readonly TraceStep[], originOf: LiveSwitch['origin']): Fate {
  const met = steps.flatMap((step) => {
    if (step.kind !== 'table' || step.flow === undefined) return [];
    const origin = originOf(step.flow.cookie);
    return [{ table: step.table, rule: origin === undefined ? undefined : ruleName(origin) }];
  });
  const outputs = steps.flatMap((step) => (step.kind === 'output' ? [step] : []));
  return { outputs, controller: steps.some(({ kind }) => kind === 'packet_in'), met };
}

/** Yields each frame that is on its way, and wants to hear what became of it. */
function* follow(
  places: readonly Place[],
  ports: readonly KnownPort[],
  first: Frame,
): Generator<Frame, ChainTrace, Fate> {
  const called = (port: number): string => portName(ports, port) ?? String(port);
  const steps: ChainStep[] = [];
  const outputs: string[] = [];
  const open: Frame[] = [first];
  const ended = new Set<string>();
  let controller = false;
  for (let next = open.shift(); next !== undefined && steps.length < STEPS_MAX; next = open.shift()) {
    const fate = yield next;
    controller ||= fate.controller;
    const tables = new Set(fate.met.map(({ table }) => table));
    let went = fate.controller;
    for (const { port, frame } of fate.outputs) {
      const place = places.find(({ hop, instance }) => instance.into === port && tables.has(hop.table));
      went ||= place === undefined || place.hop.mode === 'inline';
      if (place === undefined) {
        outputs.push(called(port));
        continue;
      }
      const { chain, hop, instance } = place;
      const { outOf } = instance;
      const { mode, direction } = hop;
      steps.push({
        chain: chain.document,
        hop: hop.name,
        direction,
        instance: instance.name,
        mode,
        into: called(port),
        ...(outOf === undefined ? {} : { outOf: called(outOf) }),
      });
      if (outOf !== undefined) open.push({ port: outOf, frame });
    }
    if (!went) for (const { rule } of fate.met) if (rule !== undefined) ended.add(rule);
  }
  return { steps, outputs, controller, ended: [...ended] };
}
