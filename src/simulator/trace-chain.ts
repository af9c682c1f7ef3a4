/** The way of a packet through service chains: it is sent, and what an instance gets comes back from it unchanged. */
import { parseMatch } from 'node-openflow/text';
import type { Diagnostics } from '../compiler/diagnostic.js';
import { wordsOf } from '../compiler/ports.js';
import type { Program, ProgramChain, ProgramHop, ProgramInstance } from '../compiler/program.js';
import { PacketError, packetOf } from './frame.js';
import { macOf } from './load.js';
import { load, portsText } from './run-tests.js';
import { Simulator } from './simulator.js';

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

/** A text instead: what is wrong with the packet. */
export function traceChains(program: Program, packet: string, diagnostics: Diagnostics): ChainTrace | string {
  const parsed = parseMatch(packet, { port: (name) => program.ports.find(wordsOf(name), true)?.number });
  if (!parsed.ok) return `column ${parsed.error.column}: ${parsed.error.message}`;
  const simulator = new Simulator();
  try {
    const made = packetOf(parsed.value, (port) => macOf(program.ports.ports, port));
    if (made.inPort === undefined) return 'a packet comes in by a port: in_port is missing';
    if (!simulator.attach(made.inPort)) return `${made.inPort} is no number of a port`;
    load(simulator, program, diagnostics);
    const places = placesOf(program);
    hearAll(simulator, program, places);
    return follow(simulator, program, places, { port: made.inPort, frame: made.frame });
  } catch (error) {
    if (error instanceof PacketError) return error.message;
    throw error;
  } finally {
    simulator.close();
  }
}

interface Frame {
  readonly port: number;
  readonly frame: Uint8Array;
}

function follow(simulator: Simulator, program: Program, places: readonly Place[], first: Frame): ChainTrace {
  const steps: ChainStep[] = [];
  const outputs: string[] = [];
  const open: Frame[] = [first];
  const ended = new Set<string>();
  let controller = false;
  for (let next = open.shift(); next !== undefined && steps.length < STEPS_MAX; next = open.shift()) {
    const sent = simulator.send(next.port, next.frame);
    controller ||= sent.packetIns.length > 0;
    const met = program.flows.filter(({ mod }) => sent.met.includes(mod.cookie));
    const tables = new Set(met.map(({ mod }) => mod.tableId));
    let went = sent.packetIns.length > 0;
    for (const { port, frame } of sent.outputs) {
      const place = places.find(({ hop, instance }) => instance.into === port && tables.has(hop.table));
      went ||= place === undefined || place.hop.mode === 'inline';
      if (place === undefined) {
        outputs.push(portsText([port], program));
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
        into: portsText([port], program),
        ...(outOf === undefined ? {} : { outOf: portsText([outOf], program) }),
      });
      if (outOf !== undefined) open.push({ port: outOf, frame });
    }
    if (!went) for (const { origin } of met) ended.add(`${origin.document}/${origin.name}`);
  }
  return { steps, outputs, controller, ended: [...ended] };
}
