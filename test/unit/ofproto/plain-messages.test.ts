/** What is translated straight from bytes is what decoding and translating makes of it, and nothing that is wrong. */
import {
  decodeMessage,
  EncodeError,
  encodeMessage,
  type FlowMod,
  type Instruction,
  type Message,
  type OxmTlv,
  of13,
} from 'node-openflow';
import { describe, expect, it } from 'vitest';
import type { Datapath } from '../../../src/datapath/datapath.js';
import { RecordWriter } from '../../../src/datapath/records.js';
import { appendFlowMod } from '../../../src/ofproto/flow-mods.js';
import { PacketBuffers } from '../../../src/ofproto/packet-buffers.js';
import { PacketOuts } from '../../../src/ofproto/packet-outs.js';
import { appendPlainFlowMod } from '../../../src/ofproto/plain-messages.js';
import type { PortTable } from '../../../src/ofproto/port-table.js';
import { Random } from '../../differential/random.js';
import { ANY, apply, Bed, FakeController, flowMod, output, packetOut } from './bed.js';

const tables = { has: (id: number) => id < 250, firstEgress: 0 };
const random = new Random(Number(process.env.SEED ?? Date.now() % 1e6));

/** The values that others depend on, and a few more. */
const values: Readonly<Record<string, readonly number[]>> = {
  in_port: [1, 0, 0xfffffffe, 0xffffff01],
  eth_type: [0x0800, 0x86dd, 0x0806, 0x8847, 0x88e7],
  ip_proto: [1, 6, 17, 58, 132],
  icmpv6_type: [135, 136, 128],
  vlan_vid: [0, 0x1005, 5],
};
const pick = <Item>(items: readonly Item[]): Item => random.pick(items);

function someField(facts: (typeof of13.oxmFields)[number], mayMask: boolean): OxmTlv {
  const value = Uint8Array.from({ length: facts.bytes }, () => random.below(256));
  const known = values[facts.name];
  if (known !== undefined) {
    let left = pick(known);
    for (let i = facts.bytes - 1; i >= 0; i--, left >>>= 8) value[i] = left & 0xff;
  } else if (!random.chance(2)) {
    const excess = facts.bytes * 8 - facts.bits;
    for (let i = 0; i < facts.bytes; i++) value[i]! &= 0xff >> Math.max(0, Math.min(8, excess - 8 * i));
  }
  if (!mayMask || !random.chance(facts.maskable ? 40 : 2)) return { field: facts.name, value };
  const mask = value.map((byte) => pick([0xff, 0, byte, byte | 0x0f, 0xff]));
  return { field: facts.name, value: random.chance(5) ? value : value.map((b, i) => b & mask[i]!), mask };
}

function someMatch(): OxmTlv[] {
  const share = pick([5, 10, 30]);
  const chosen = of13.oxmFields.filter(({ name }) => random.chance(name in values ? 60 : share));
  const match = chosen.map((facts) => someField(facts, true)).filter(isPossible);
  return random.chance(5) ? match.reverse() : match;
}

/** Mostly leaves out what has not got what it needs. */
function isPossible({ field }: OxmTlv, at: number, before: readonly OxmTlv[]): boolean {
  const facts = of13.oxmFields.find(({ name }) => name === field);
  const needs =
    facts !== undefined && 'requires' in facts
      ? (facts.requires as { field: string; anyOf?: readonly number[] })
      : undefined;
  if (needs === undefined || random.chance(3)) return true;
  const found = before.slice(0, at).find((tlv) => tlv.field === needs.field) as { value: Uint8Array } | undefined;
  return found !== undefined && (needs.anyOf?.includes(found.value.reduce((sum, byte) => sum * 256 + byte, 0)) ?? true);
}

function someAction() {
  switch (random.below(8)) {
    case 0:
      return { type: 'group', groupId: pick([1, 0xffffff00, 0xffffff01]) } as const;
    case 1:
      return { type: 'dec_nw_ttl' } as const;
    case 2:
      return { type: 'push_vlan', ethertype: 0x8100 } as const;
    case 3:
    case 4:
      return { type: 'set_field', oxm: someField(pick(of13.oxmFields), random.chance(10)) } as const;
    default:
      return output(
        pick([1, 2, 0, 0xfffffffd, 0xfffffff9, 0xfffffff8, 0xffffffff, 0xfffffffa]),
        pick([0, 128, 0xffff]),
      );
  }
}
const someActions = () => Array.from({ length: random.below(4) }, someAction);

function someInstructions(): Instruction[] {
  const all: Instruction[] = [
    { type: 'meter', meterId: pick([1, 0, 0xffff0001]) },
    { type: 'apply_actions', actions: someActions() },
    { type: 'clear_actions' },
    { type: 'write_actions', actions: someActions() },
    { type: 'write_metadata', metadata: 5n, metadataMask: pick([0xffn, 0n]) },
    { type: 'goto_table', tableId: pick([0, 1, 200, 252, 254]) },
  ];
  const list = all.filter(() => random.chance(30));
  return random.chance(10) ? list.reverse() : list;
}

/** The first that has a form on the wire. */
function encodable(make: () => object): Uint8Array {
  for (;;) {
    try {
      return encodeMessage(make() as Message);
    } catch (error) {
      if (!(error instanceof EncodeError)) throw error;
    }
  }
}

const someBytes = (): Uint8Array =>
  encodable(() => {
    const mod = flowMod({
      cookie: pick([0n, 0x1122334455667788n]),
      cookieMask: pick([0n, 0xffn]),
      tableId: pick([0, 0, 1, 249, 252, 255]),
      command: pick([0, 0, 0, 1, 2, 3, 4, 5]),
      idleTimeout: random.below(0x10000),
      hardTimeout: random.below(0x10000),
      priority: random.below(0x10000),
      bufferId: pick([ANY, ANY, ANY, 7]),
      outPort: pick([ANY, 3]),
      outGroup: pick([ANY, 4]),
      flags: pick([0, 1, 0x1f, 0x20]),
      instructions: someInstructions(),
    });
    const version = pick([4, 4, 5, 6]);
    const importance = version === 5 ? { importance: random.below(0x10000) } : {};
    return { ...mod, ...importance, match: someMatch(), version, xid: 9 };
  });

function somePacketOut(): Uint8Array {
  const actions = () =>
    Array.from({ length: random.below(3) }, () =>
      random.chance(70) ? output(pick([1, 0xfffffff9, 0xfffffffd, 0, 0xffffffff]), pick([0, 0xffff])) : someAction(),
    );
  const over = { inPort: pick([1, 2, 9, 0xfffffffd, 0xffffffff]), bufferId: pick([ANY, ANY, ANY, 5]) };
  const data = Uint8Array.from({ length: pick([0, 13, 14, 60, 61, 1500]) }, () => random.below(256));
  const version = pick([4, 4, 5, 6]);
  const bytes = encodable(() => ({ ...packetOut({ actions: actions(), data, ...over }), version, xid: 3 }));
  if (random.chance(30)) bytes[16 + random.below(24)] = random.below(256);
  return bytes;
}

/** What the long way makes of it; undefined: it is refused. */
function decodedRecord(bytes: Uint8Array): Uint8Array | undefined {
  const result = decodeMessage(bytes, { version: bytes[0]!, unknown: 'refuse' });
  if (!result.ok || result.message.type !== 'flow_mod') return undefined;
  const writer = new RecordWriter();
  return appendFlowMod(writer, result.message as FlowMod, tables) === undefined ? writer.take() : undefined;
}

function compare(bytes: Uint8Array): boolean {
  const writer = new RecordWriter();
  writer.u64(1n);
  const plain = appendPlainFlowMod(writer, bytes, tables);
  const record = writer.take().subarray(8);
  if (!plain) expect(record.length).toBe(0);
  else
    expect([Buffer.from(bytes).toString('hex'), record]).toEqual([
      Buffer.from(bytes).toString('hex'),
      decodedRecord(bytes),
    ]);
  return plain;
}

describe('flow_mods of the usual kind', () => {
  it('random ones become the same record, or are left to decoding', () => {
    let [plain, legal] = [0, 0];
    for (let i = 0; i < 20_000; i++) {
      const bytes = someBytes();
      if (compare(bytes)) plain++;
      if (decodedRecord(bytes) !== undefined) legal++;
    }
    // Both kinds are among them.
    expect(plain).toBeLessThan(legal);
    expect(plain).toBeGreaterThan(50);
  });

  it('with bytes changed or cut nothing is taken that decoding refuses', () => {
    for (let i = 0; i < 20_000; i++) {
      const bytes = someBytes();
      for (let n = random.below(3); n >= 0; n--)
        bytes[pick([random.below(bytes.length), 48 + random.below(16)])] = random.below(256);
      const cut = random.chance(20) ? bytes.slice(0, random.below(bytes.length + 1)) : bytes;
      if (cut.length >= 8) cut.set([cut.length >> 8, cut.length & 0xff], 2);
      compare(cut);
    }
  });

  it('are taken in order with the others, and refused like them', async () => {
    const bed = new Bed(4);
    const bytes = (n: number, over: Parameters<typeof flowMod>[0]) =>
      encodeMessage({ ...flowMod(over), version: 4, xid: n } as Message);
    const { ofproto, controller } = bed;
    expect(ofproto.handleBytes(controller, bytes(1, { priority: 1, instructions: [apply(output(1))] }))).toBe(true);
    // No such group: known when the batch is carried out.
    const lost = { priority: 2, instructions: [apply({ type: 'group', groupId: 77 } as const)] };
    expect(ofproto.handleBytes(controller, bytes(2, lost))).toBe(true);
    const deletes = decodeMessage(bytes(3, { command: 3 }));
    if (deletes.ok) ofproto.handle(controller, deletes.message);
    expect(ofproto.handleBytes(controller, bytes(4, { priority: 4 }))).toBe(true);
    ofproto.barrier();
    expect(controller.received).toMatchObject([{ type: 'error', xid: 2, errorType: 2, errorCode: 9 }]);
    const [flows] = await bed.stats({
      type: 'flow',
      tableId: 255,
      outPort: ANY,
      outGroup: ANY,
      cookie: 0n,
      cookieMask: 0n,
      match: [],
    });
    expect(flows?.entries).toMatchObject([{ priority: 4 }]);
  });

  it('packet-outs become the same record, or are left to decoding', () => {
    const records: Uint8Array[] = [];
    const datapath = { packetOut: (record: Uint8Array) => records.push(record.slice()) * 0 } as unknown as Datapath;
    const ports = { has: (port: number) => port > 0 && port < 4 } as PortTable;
    const outs = new PacketOuts(datapath, new PacketBuffers(), ports);
    let plain = 0;
    for (let i = 0; i < 5000; i++) {
      const bytes = somePacketOut();
      if (outs.sendBytes(bytes) === undefined) {
        expect(records).toEqual([]);
        continue;
      }
      plain++;
      const result = decodeMessage(bytes, { version: bytes[0]!, unknown: 'refuse' });
      expect(result.ok && result.message.type === 'packet_out' && outs.send(result.message)).toBe(undefined);
      const [fast, slow] = records.splice(0);
      expect([Buffer.from(bytes).toString('hex'), fast]).toEqual([Buffer.from(bytes).toString('hex'), slow]);
    }
    expect(plain).toBeGreaterThan(500);
  });

  it('of other versions, with egress tables or a buffer are decoded', () => {
    const writer = new RecordWriter();
    const bytes = encodeMessage({ ...flowMod(), version: 4, xid: 1 } as Message);
    expect(appendPlainFlowMod(writer, bytes, { ...tables, firstEgress: 5 })).toBe(false);
    expect(appendPlainFlowMod(writer, bytes, tables)).toBe(true);
    expect(
      new Bed(6).ofproto.handleBytes(
        new FakeController(6),
        Uint8Array.from(bytes, (b, i) => (i === 0 ? 6 : b)),
      ),
    ).toBe(false);
  });
});
