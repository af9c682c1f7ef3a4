/**
 * Settings of ports that the pipeline acts on: VLANs in NORMAL with random memberships that change, and port security
 * against guests that claim what is not theirs. Seeds as in differential.test.ts.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { AttachError, type Datapath, type PortNo, type PortSettings } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon } from '../../src/datapath/native-addon.js';
import { type ActionRecord, decodeDropAnswers, decodePortAnswers, encodeQuery } from '../../src/datapath/records.js';
import { Drop, Query, ReservedPort } from '../../src/datapath/schema.gen.js';
import { tcpFrame } from './frames.js';
import { Observer } from './observe.js';
import { Random } from './random.js';
import { randomFrame } from './random-frames.js';
import { PORTS } from './random-rules.js';
import { randomClaim, randomSettings, randomSources } from './random-settings.js';
import { apply, flowMods, match, output, packetOut, setField } from './rules.js';

const RUNS = Number(process.env.XVIF_RUNS ?? 25);
const first = Number(process.env.XVIF_SEED ?? 1);
const seeds = process.env.XVIF_SEED === undefined ? Array.from({ length: RUNS }, (_, i) => first + i) : [first];

const runtime = loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
const directory = mkdtempSync(join(tmpdir(), 'xvif-settings-'));
afterAll(() => {
  runtime.close();
  rmSync(directory, { recursive: true });
});

function observers() {
  const model = new ModelDatapath();
  const both = { model: new Observer(model), native: new Observer(new NativeDatapathAdapter(runtime)) };
  return {
    inject: model.inject.bind(model),
    ...both,
    close: () => Object.values(both).map((one) => one.datapath.close()),
  };
}

/** Drops by port, `rx` those of what came in there. */
function drops(datapath: Datapath, reasons: readonly number[]): string[] {
  const { data } = datapath.read(encodeQuery({ query: Query.drops }));
  const all = decodeDropAnswers(data, Object.values(Drop).length);
  return all.map(({ port, rx }) => `${port}: ${reasons.map((reason) => rx[reason]).join(' ')}`);
}

async function until(what: () => boolean): Promise<void> {
  for (let i = 0; i < 5000 && !what(); i++) await new Promise((resolve) => setTimeout(resolve, 1));
}

/** What a flow may do before it says NORMAL. */
function randomPrelude(random: Random): ActionRecord[] {
  return random.pick<ActionRecord[]>([
    [
      { kind: 'push_vlan', ethertype: random.pick([0x8100, 0x88a8]) },
      setField('vlan_vid', BigInt(random.pick([1, 100]))),
    ],
    [{ kind: 'pop_vlan' }],
    [output(random.pick(PORTS))],
    [output(ReservedPort.flood)],
    [],
  ]);
}

async function compareVlans(seed: number): Promise<void> {
  const random = new Random(seed);
  const { model, native, close } = observers();
  const both = [model.datapath, native.datapath];
  const ports = [...PORTS, ReservedPort.local] as PortNo[];
  try {
    for (const port of ports) {
      const settings = randomSettings(random);
      for (const datapath of both) datapath.portAttach(port, { kind: 'capture' }, settings);
    }
    const normal = output(ReservedPort.normal);
    const rules = flowMods(
      { priority: 1, instructions: [apply(normal)] },
      ...random.some(PORTS, 30).map((port) => ({
        priority: 2,
        match: match({ in_port: BigInt(port) }),
        instructions: [apply(...randomPrelude(random), normal, ...random.pick([[], [output(1)], [normal]]))],
      })),
    );
    for (const datapath of both) datapath.apply(rules);
    for (let i = 0; i < 100; i++) {
      if (random.chance(10)) {
        const [port, settings] = [random.pick(ports), randomSettings(random)];
        for (const datapath of both) datapath.portConfigure(port, settings);
      }
      const packet = packetOut(random.pick(ports), randomFrame(random), output(ReservedPort.table));
      const results = both.map((datapath) => datapath.packetOut(packet));
      expect(results[1]).toBe(results[0]);
      await until(() => native.count >= model.count);
      expect(native.take(), `packet ${i}: ${Buffer.from(packet).toString('hex')}`).toEqual(model.take());
    }
    expect(native.state()).toEqual(model.state());
    const counted = [Drop.vlan, Drop.reservedMac, Drop.loop, Drop.noRoom];
    expect(drops(native.datapath, counted)).toEqual(drops(model.datapath, counted));
  } finally {
    close();
  }
}

/** A capture file (pcap 2.4, Ethernet, microseconds). */
function pcap(frames: readonly Uint8Array[]): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65535, 16);
  header.writeUInt32LE(1, 20);
  const records = frames.map((frame) => {
    const record = Buffer.alloc(16);
    record.writeUInt32LE(frame.length, 8);
    record.writeUInt32LE(frame.length, 12);
    return Buffer.concat([record, frame]);
  });
  return Buffer.concat([header, ...records]);
}

async function compareGuards(seed: number): Promise<void> {
  const random = new Random(seed);
  const { model, native, inject, close } = observers();
  const frames = Array.from({ length: 200 }, () => (random.chance(80) ? randomClaim(random) : randomFrame(random)));
  const settings = { sources: randomSources(random) };
  const [guest, observer] = [1, 2] as PortNo[];
  const file = join(directory, `${seed}.pcap`);
  writeFileSync(file, pcap(frames));
  try {
    for (const { datapath } of [model, native]) {
      datapath.portAttach(observer!, { kind: 'capture' });
      datapath.apply(flowMods({ instructions: [apply(output(2))] }));
    }
    model.datapath.portAttach(guest!, { kind: 'null' }, settings);
    for (const frame of frames) inject(guest!, frame);
    // The frames are there when the port is attached: none gets by before its settings are in force.
    native.datapath.portAttach(guest!, { kind: 'pcap', input: file }, settings);
    const spoofed = (datapath: Datapath) => drops(datapath, [Drop.spoofed]);
    await until(() => native.count >= model.count && spoofed(native.datapath)[0] === spoofed(model.datapath)[0]);
    const [expected, found] = [model.take(), native.take()];
    expect(found, JSON.stringify(settings)).toEqual(expected);
    expect(spoofed(native.datapath)).toEqual(spoofed(model.datapath));
    expect(spoofed(model.datapath)[0]).toBe(`1: ${frames.length - expected.length}`);
    // Both kinds occur, or the test says nothing.
    expect(expected.length).toBeGreaterThan(0);
    expect(expected.length).toBeLessThan(frames.length);
  } finally {
    close();
  }
}

const mac = '02:00:00:00:00:01';
const senseless: PortSettings[] = [
  { vlan: { tag: 0, trunks: [] } },
  { vlan: { tag: 4095, trunks: [] } },
  { vlan: { tag: undefined, trunks: [-1] } },
  { vlan: { tag: undefined, trunks: [1.5] } },
  { vlan: { tag: undefined, trunks: [4095] } },
  { sources: { mac: '02:00', ipv4: [], ipv6: [] } },
  { sources: { mac, ipv4: ['10.0.0'], ipv6: [] } },
  { sources: { mac, ipv4: ['10.0.0.1/32'], ipv6: [] } },
  { sources: { mac, ipv4: [], ipv6: ['fe80::1%lo'] } },
  { sources: { mac, ipv4: undefined, ipv6: new Array<string>(1025).fill('::1') } },
];

describe.each(['model', 'native'] as const)('settings that make no sense, %s', (kind) => {
  it.each(senseless)('%j are refused, and the old ones stay', (settings) => {
    const { close, ...both } = observers();
    const { datapath } = both[kind];
    const [one, two] = [1, 2] as PortNo[];
    try {
      expect(() => datapath.portAttach(one!, { kind: 'capture' }, settings)).toThrow(AttachError);
      datapath.portAttach(one!, { kind: 'capture' }, { vlan: { tag: 10, trunks: [] } });
      datapath.portAttach(two!, { kind: 'capture' }, { vlan: { tag: 20, trunks: [] } });
      expect(() => datapath.portConfigure(one!, settings)).toThrow(AttachError);
      datapath.packetOut(packetOut(1, tcpFrame(), output(ReservedPort.normal)));
      const { data } = datapath.read(encodeQuery({ query: Query.ports, id: 2 }));
      expect(decodePortAnswers(data)).toMatchObject([{ port: 2, txPackets: 0n }]);
    } finally {
      close();
    }
  });
});

describe('VLANs of ports: model against the native datapath', () => {
  it.each(seeds)('seed %i', compareVlans);
});

describe('port security: model against the native datapath', () => {
  it.each(seeds)('seed %i', compareGuards);
});
