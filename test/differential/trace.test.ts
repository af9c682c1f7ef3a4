/**
 * What the native tables say would become of a packet is what the model does with it: over random rules, and over every
 * flow file that is shipped. One run with a seed of one's own: XVIF_SEED=123 npx vitest …
 */
import { readdirSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import type { Message, Outgoing } from 'node-openflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { traceLive } from '../../src/bridge/live-trace.js';
import { readSource } from '../../src/cli/read-files.js';
import { compile, Diagnostics, PlaceholderPorts, type Program } from '../../src/compiler/index.js';
import type { Datapath, PortNo } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { fieldId } from '../../src/datapath/model-packet.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import {
  decodeFlowAnswers,
  encodeQuery,
  writeControllerState,
  writeFlowMod,
  writeGroupMod,
  writeMeterMod,
  writePortConfig,
  writeSetConfig,
} from '../../src/datapath/records.js';
import { firstRegister, GroupType, portsMax, Query, ReservedPort } from '../../src/datapath/schema.gen.js';
import type { Carried, NearMiss, TraceStep } from '../../src/datapath/trace-steps.js';
import { plainFormat } from '../../src/ofproto/flow-formats.js';
import { Ofproto } from '../../src/ofproto/index.js';
import { packetOf } from '../../src/simulator/frame.js';
import { portsOf } from '../../src/simulator/load.js';
import { Random } from './random.js';
import { randomFrame } from './random-frames.js';
import { PORTS, RuleMaker, randomGroup, randomMeter } from './random-rules.js';
import { batch, flowMod, output, packetOut } from './rules.js';

let runtime: NativeRuntime;
beforeAll(() => {
  runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
});
afterAll(() => runtime.close());

const FRAME_BYTES_MIN = 60;
const hex = (bytes: Uint8Array): string =>
  Buffer.from(bytes)
    .toString('hex')
    .padEnd(2 * FRAME_BYTES_MIN, '0');

/** Which of several that lack as much is nearest depends on the order in which they are looked at. */
const lacking = (nearest: NearMiss | undefined) => nearest && [nearest.flow.match.length, nearest.flow.priority];

function plain(step: TraceStep): unknown {
  if (step.kind === 'output') return { ...step, frame: hex(step.frame) };
  if (step.kind !== 'table') return step.kind === 'learn' ? { ...step, flow: flowText(step.flow) } : step;
  return { ...step, flow: step.flow && flowText(step.flow), nearest: lacking(step.nearest) };
}

const flowText = ({ table, priority, cookie, match, instructions }: NearMiss['flow']) => ({
  table,
  priority,
  cookie,
  match,
  instructions,
});

/** Buckets of a select group are chosen by another hash: what follows has nothing to be compared with. */
function comparable(steps: readonly TraceStep[]): unknown[] {
  const end = steps.findIndex((step) => step.kind === 'group' && step.type === GroupType.select);
  return (end < 0 ? steps : steps.slice(0, end)).map(plain);
}

/** Both tell the packet's steps, then both meet it. */
async function compare(
  model: ModelDatapath,
  native: NativeDatapathAdapter,
  port: number,
  frame: Uint8Array,
  carried: Carried = [],
) {
  const told = await traceLive(native, native, { inPort: port, carried, frame });
  const steps: TraceStep[] = [];
  model.follow(port as PortNo, frame, (step) => steps.push(step), carried);
  expect(comparable(told), `port ${port}, ${hex(frame)}`).toEqual(comparable(steps));
  native.packetOut(packetOut(port, frame, output(ReservedPort.table)));
  if (steps.some(({ kind }) => kind === 'learn')) await learned(model, native);
  return steps;
}

function rulesOf(datapath: Datapath): string[] {
  const rules: string[] = [];
  let next: Uint8Array | undefined = encodeQuery({ query: Query.flows });
  while (next !== undefined) {
    const part: ReturnType<Datapath['read']> = datapath.read(next, 1 << 20);
    for (const { table, priority, cookie, match, instructions } of decodeFlowAnswers(part.data))
      rules.push(`${table} ${priority} ${cookie} ${hex(match)} ${hex(instructions)}`);
    next = part.next;
  }
  return rules.sort();
}

/** What packets learn is in the native tables when its control thread has seen to it. */
async function learned(model: ModelDatapath, native: NativeDatapathAdapter): Promise<void> {
  const expected = rulesOf(model).join();
  for (let i = 0; i < 2000 && rulesOf(native).join() !== expected; i++) await setTimeout(1);
}

describe('random rules and packets', () => {
  const first = Number(process.env.XVIF_SEED ?? 1);
  const seeds = process.env.XVIF_SEED === undefined ? Array.from({ length: 12 }, (_, i) => first + i) : [first];

  it.each(seeds)('seed %i', async (seed) => {
    const random = new Random(seed);
    const frames = Array.from({ length: 30 }, () => randomFrame(random));
    const rules = new RuleMaker(frames);
    const [model, native] = [new ModelDatapath(), new NativeDatapathAdapter(runtime)];
    const both: Datapath[] = [model, native];
    try {
      for (const datapath of both) {
        for (const port of PORTS) datapath.portAttach(port as PortNo, { kind: 'capture' });
      }
      const misses = random.chance(50);
      const egress = random.chance(30) ? 3 : 0;
      const connect = batch((writer) => {
        writeControllerState(writer, true, misses);
        writeSetConfig(writer, 0, egress);
      });
      for (const datapath of both) datapath.apply(connect);
      for (let round = 0; round < 4; round++) {
        const changes = batch((writer) => {
          for (let i = 10 + random.below(30); i > 0; i--) {
            const kind = random.below(20);
            if (kind < 16) writeFlowMod(writer, flowMod(rules.make(random)));
            else if (kind < 18) writeGroupMod(writer, randomGroup(random));
            else if (kind < 19) writeMeterMod(writer, randomMeter(random));
            else writePortConfig(writer, random.pick(PORTS), random.pick([0, 0, 1, 16, 32, 64]), 113);
          }
        });
        for (const datapath of both) datapath.apply(changes);
        for (let i = 0; i < 15; i++) {
          const frame = random.chance(80) ? random.pick(frames) : randomFrame(random);
          await compare(model, native, random.pick(PORTS), frame);
        }
        for (const datapath of both) datapath.tick();
      }
      // Packet-outs bring nothing along, so that this is the last.
      const carried = [
        { field: fieldId.metadata, value: random.bits(8) },
        { field: fieldId.tunnel_id, value: random.bits(64) },
        { field: firstRegister + 3, value: random.bits(32) },
      ];
      await compare(model, native, random.pick(PORTS), random.pick(frames), carried);
    } finally {
      for (const datapath of both) datapath.close();
    }
  });
});

/** An OpenFlow switch over the model, whose changes the native datapath gets as well. */
function load(program: Program, model: ModelDatapath, native: NativeDatapathAdapter): Ofproto {
  const both: Datapath = {
    portAttach: model.portAttach.bind(model),
    portConfigure: model.portConfigure.bind(model),
    portDetach: model.portDetach.bind(model),
    apply(changes, options) {
      const statuses = model.apply(changes, options);
      expect([...native.apply(changes, options)]).toEqual([...statuses]);
      return statuses;
    },
    packetOut: model.packetOut.bind(model),
    read: model.read.bind(model),
    tick: model.tick.bind(model),
    onUpcall: model.onUpcall.bind(model),
    close: () => undefined,
  };
  const description = { manufacturer: '', hardware: '', software: '', serial: '', datapath: '' };
  const ofproto = new Ofproto({ datapath: both, datapathId: 1n, description });
  ofproto.controllersChanged(true);
  const refused: unknown[] = [];
  const view = {
    version: 4,
    flowFormat: plainFormat,
    auxiliaryId: 0,
    config: { missSendLen: 0, invalidTtl: false },
    gone: false,
    send: (message: Outgoing) => refused.push(message),
    sendRaw: () => true,
    drained: () => Promise.resolve(),
    abandon: () => undefined,
  };
  for (const { mod } of [...program.meters, ...program.groups, ...program.flows]) {
    void ofproto.handle(view, { ...mod, version: 4, xid: 1 } as unknown as Message);
  }
  ofproto.barrier();
  expect(refused).toEqual([]);
  return ofproto;
}

describe('flow files that are shipped', () => {
  const files = readdirSync('flows').filter((name) => name.endsWith('.yaml'));

  it.each(files)('%s', async (file) => {
    const diagnostics = new Diagnostics();
    const program = compile([readSource(`flows/${file}`)], new PlaceholderPorts(), diagnostics);
    expect(diagnostics.errors).toBe(0);
    let now = 0n;
    const model = new ModelDatapath(() => (now += 1_000_000n));
    const native = new NativeDatapathAdapter(runtime);
    const ports = [...portsOf(program)].filter((port) => port < portsMax || port === ReservedPort.local);
    for (const port of ports) {
      for (const datapath of [model, native]) datapath.portAttach(port as PortNo, { kind: 'capture' });
    }
    const ofproto = load(program, model, native);
    const random = new Random(7);
    const met = new Set<string>();
    try {
      const packets = program.flows.flatMap(({ mod }) => {
        const exact = mod.match.filter((one) => !('mask' in one) || one.mask === undefined || one.field === 'vlan_vid');
        try {
          return [packetOf(exact)];
        } catch {
          return []; // fields that no packet has by itself
        }
      });
      for (const { inPort, frame } of packets) {
        const known = ports.find((port) => port === inPort) ?? random.pick(ports);
        for (const step of await compare(model, native, known, frame)) met.add(step.kind);
      }
      for (let i = 0; i < 20; i++) await compare(model, native, random.pick(ports), randomFrame(random));
      expect(met).toContain('table');
      expect(met.has('output') || met.has('packet_in') || met.has('group')).toBe(true);
    } finally {
      ofproto.close();
      for (const datapath of [model, native]) datapath.close();
    }
  });
});

it('a port that is not there, and a frame that is none', async () => {
  const native = new NativeDatapathAdapter(runtime);
  try {
    await expect(traceLive(native, native, { inPort: 9, carried: [], frame: new Uint8Array(60) })).rejects.toThrow(
      'the switch has no port 9',
    );
    native.portAttach(9 as PortNo, { kind: 'null' });
    await expect(traceLive(native, native, { inPort: 9, carried: [], frame: new Uint8Array(3) })).rejects.toThrow(
      'such a packet cannot be traced',
    );
    const carried = [{ field: fieldId.eth_dst, value: 1n }];
    await expect(traceLive(native, native, { inPort: 9, carried, frame: new Uint8Array(60) })).rejects.toThrow(
      'such a packet cannot be traced',
    );
  } finally {
    native.close();
  }
});
