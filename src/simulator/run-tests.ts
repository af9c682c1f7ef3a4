/** The packets that documents bring along as tests, sent through the reference datapath. */
import { errorName, type Match, of13 } from 'node-openflow';
import { parseMatch } from 'node-openflow/text';
import { say, seen } from '../compiler/at.js';
import type { Diagnostics } from '../compiler/diagnostic.js';
import { wordsOf } from '../compiler/ports.js';
import type { Program, ProgramTest } from '../compiler/program.js';
import type { Value } from '../compiler/scope.js';
import { type Packet, PacketError, packetOf } from './frame.js';
import { macOf, portName, portsOf } from './load.js';
import { type Refusal, type Sent, Simulator } from './simulator.js';

/** The reference datapath compares each new flow with all others. */
const FLOWS_MAX = 5000;

export interface TestSummary {
  readonly run: number;
  readonly failed: number;
}

/** Also says which flows, groups and meters our own switch would refuse. */
export function runTests(program: Program, diagnostics: Diagnostics): TestSummary {
  const [first] = program.tests;
  if (program.flows.length > FLOWS_MAX) {
    if (first !== undefined) {
      say(
        diagnostics,
        first.at,
        'limit',
        `tests are not run: ${program.flows.length} flows are more than the ${FLOWS_MAX} of the reference datapath`,
        { severity: 'warning' },
      );
    }
    return { run: 0, failed: 0 };
  }
  const simulator = new Simulator();
  try {
    const tests = program.tests.map((test) => ({ test, packet: packetFor(test, program, diagnostics) }));
    // Rules need not name the ports that packets come in by.
    for (const { test, packet } of tests) {
      if (packet !== undefined && !simulator.attach(packet.inPort))
        say(diagnostics, test.packet.at, 'value', `there cannot be a port ${packet.inPort}`);
    }
    load(simulator, program, diagnostics);
    const passed = tests.filter(
      ({ test, packet }) => packet !== undefined && passes(test, packet, simulator, program, diagnostics),
    );
    return { run: tests.length, failed: tests.length - passed.length };
  } finally {
    simulator.close();
  }
}

export function load(simulator: Simulator, program: Program, diagnostics: Diagnostics): void {
  for (const port of portsOf(program)) simulator.attach(port);
  for (const { mod, origin } of [...program.meters, ...program.groups, ...program.flows]) {
    const refusal = simulator.take(mod);
    if (refusal !== undefined && program.allowed.get(origin.document)?.has('unsupported') !== true) {
      say(diagnostics, origin.at, 'unsupported', `xvifd refuses ${origin.name}: ${refusalText(refusal)}`, {
        severity: 'warning',
      });
    }
  }
}

const refusalText = ({ errorType, errorCode }: Refusal): string => errorName(errorType, errorCode);

function passes(
  test: ProgramTest,
  packet: TestPacket,
  simulator: Simulator,
  program: Program,
  diagnostics: Diagnostics,
): boolean {
  const sent = simulator.send(packet.inPort, packet.frame);
  const wrong = differences(test, sent, program);
  if (test.as !== undefined) {
    const match = matchOf(test.as, program, diagnostics);
    if (match === undefined) return false;
    if (![...sent.outputs.map(({ frame }) => frame), ...sent.packetIns].every((frame) => isLike(frame, match))) {
      wrong.push(`what left is not ${test.as.text}`);
    }
  }
  if (wrong.length === 0) return true;
  const flows = sent.met
    .map((cookie) => program.flows.find(({ mod }) => mod.cookie === cookie))
    .filter((flow) => flow !== undefined);
  const met = flows.length === 0 ? 'no rule took it' : `it met ${flows.map(({ origin }) => origin.name).join(', ')}`;
  const related = flows.map(({ origin }) => seen(origin.at, `met ${origin.name}`));
  say(diagnostics, test.at, 'test', `${test.name} fails: ${wrong.join('; ')}; ${met}`, { related });
  return false;
}

function matchOf(value: Value, program: Program, diagnostics: Diagnostics): Match | undefined {
  const result = parseMatch(value.text, { port: (name) => program.ports.find(wordsOf(name), true)?.number });
  if (result.ok) {
    for (const warning of result.warnings) say(diagnostics, value.at, 'text', warning, { severity: 'warning' });
    return result.value;
  }
  const { message, column, suggestion } = result.error;
  const range = value.exact ? value.at.rangeIn(column - 1) : value.at.range();
  say(diagnostics, value.at, 'text', message, { range, suggestion });
  return undefined;
}

type TestPacket = Packet & { readonly inPort: number };

function packetFor({ packet }: ProgramTest, program: Program, diagnostics: Diagnostics): TestPacket | undefined {
  const match = matchOf(packet, program, diagnostics);
  if (match === undefined) return undefined;
  try {
    const made = packetOf(match, (port) => macOf(program.ports.ports, port));
    if (made.inPort !== undefined) return { ...made, inPort: made.inPort };
    say(diagnostics, packet.at, 'text', 'a packet comes in by a port: in_port is missing');
  } catch (error) {
    if (!(error instanceof PacketError)) throw error;
    say(diagnostics, packet.at, 'text', error.message);
  }
  return undefined;
}

function differences({ outputs, controller }: ProgramTest, sent: Sent, program: Program): string[] {
  const wrong: string[] = [];
  const [wanted, got] = [
    outputs.map(({ number }) => number).sort(ascending),
    sent.outputs.map(({ port }) => port).sort(ascending),
  ];
  if (wanted.join() !== got.join())
    wrong.push(`it left by ${portsText(got, program)} and was to leave by ${portsText(wanted, program)}`);
  if (controller && sent.packetIns.length === 0) wrong.push('it did not reach the controller');
  if (!controller && sent.packetIns.length > 0) wrong.push('it reached the controller');
  return wrong;
}

const ascending = (a: number, b: number): number => a - b;

function portsText(ports: readonly number[], program: Program): string {
  if (ports.length === 0) return 'no port';
  return ports.map((port) => portName(program.ports.ports, port) ?? String(port)).join(', ');
}

/** Whether a frame meets a match: asked of a switch that has this one flow. */
function isLike(frame: Uint8Array, match: Match): boolean {
  const simulator = new Simulator();
  try {
    simulator.attach(1);
    const instructions = [
      { type: 'apply_actions', actions: [{ type: 'output', port: of13.OFPP.CONTROLLER, maxLen: 0xffff }] },
    ] as const;
    simulator.take({
      type: 'flow_mod',
      command: of13.OFPFC.ADD,
      tableId: 0,
      priority: 1,
      match,
      instructions,
      cookie: 0n,
      cookieMask: 0n,
      idleTimeout: 0,
      hardTimeout: 0,
      flags: 0,
      bufferId: of13.OFP_NO_BUFFER,
      outPort: of13.OFPP.ANY,
      outGroup: of13.OFPG.ANY,
    });
    return simulator.send(1, frame).packetIns.length > 0;
  } finally {
    simulator.close();
  }
}
