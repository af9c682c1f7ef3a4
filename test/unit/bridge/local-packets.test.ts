import { parseActions, parseFlow } from 'node-openflow/text';
import { beforeEach, describe, expect, it } from 'vitest';
import { type LocalPacketIn, localPackets } from '../../../src/bridge/local-packets.js';
import { localTables } from '../../../src/bridge/local-tables.js';
import { LocalAgent, toLocalAgent } from '../../../src/compiler/index.js';
import { Bed } from '../ofproto/bed.js';

const frame = Uint8Array.from({ length: 60 }, (_, i) => i & 0xfe);

describe('packets for agents', () => {
  let bed: Bed;
  const flow = (text: string) => {
    const parsed = parseFlow(text);
    if (!parsed.ok) throw new Error(parsed.error.message);
    const { command: _, ...mod } = { ...parsed.value, cookie: 5n };
    const refused = localTables(bed.ofproto, bed.datapath).commit([
      { ...mod, type: 'flow_mod', command: 0, bufferId: 0xffffffff, cookieMask: 0n } as never,
    ]);
    expect(refused).toBeUndefined();
  };
  const actions = (text: string) => {
    const parsed = parseActions(text);
    if (!parsed.ok) throw new Error(parsed.error.message);
    return parsed.value;
  };
  beforeEach(() => {
    bed = new Bed();
    bed.ofproto.controllersChanged(false);
  });

  it('come without any controller, and to no controller', () => {
    flow(
      `in_port=1 actions=load:7->NXM_NX_REG3[],load:0->NXM_OF_IN_PORT[],${toLocalAgent(LocalAgent.neighbours, 3, 255)}`,
    );
    flow('in_port=2 actions=controller(id=7)');
    const packets = localPackets(bed.ofproto, bed.datapath);
    const seen: LocalPacketIn[] = [];
    packets.listen(LocalAgent.neighbours, (packet) => seen.push(packet));
    packets.listen(LocalAgent.health, () => expect.unreachable());
    bed.inject(1, frame);
    bed.inject(2, frame);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ table: 0, port: 1, cookie: 5n, frameTotal: 60 });
    expect([...seen[0]!.userdata]).toEqual([LocalAgent.neighbours, 3, 255]);
    expect(seen[0]!.registers).toEqual(new Map([[3, 7]]));
    expect(seen[0]!.frame).toEqual(frame);
    expect(bed.asyncEvents.filter(({ type }) => type === 'packet_in')).toEqual([]);
  });

  it('are heard by one listener each, until it has enough', () => {
    flow(`in_port=1 actions=${toLocalAgent(LocalAgent.health)}`);
    const packets = localPackets(bed.ofproto, bed.datapath);
    let count = 0;
    const end = packets.listen(LocalAgent.health, () => count++);
    expect(() => packets.listen(LocalAgent.health, () => {})).toThrow('bug');
    bed.inject(1, frame);
    end();
    bed.inject(1, frame);
    expect(count).toBe(1);
  });

  it('are sent into the tables, or refused', () => {
    flow('table=3 reg1=9 actions=output:2');
    const packets = localPackets(bed.ofproto, bed.datapath);
    expect(packets.send(frame, actions('load:9->NXM_NX_REG1[],resubmit(,3)'))).toBeUndefined();
    expect(bed.outputs).toEqual([{ port: 2, frame }]);
    expect(packets.send(frame, [{ type: 'group', groupId: 77 }])).toMatch(/BAD_OUT_GROUP/);
    expect(packets.send(frame.subarray(0, 13), actions('output:2'))).toMatch(/BAD_PACKET/);
  });
});
