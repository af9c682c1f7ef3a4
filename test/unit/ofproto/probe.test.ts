import { encodeMessage, type Message } from 'node-openflow';
import { beforeEach, expect, it } from 'vitest';
import { ANY, apply, Bed, flowMod, output, packetOut } from './bed.js';
let bed: Bed;
beforeEach(() => { bed = new Bed(); });
it('T1 big packet in', async () => {
  await bed.say(flowMod({ instructions: [apply(output(0xfffffffd, 0xffff))] }));
  bed.inject(1, new Uint8Array(65535));
  const m = bed.asyncMessages[0]!;
  encodeMessage({ ...m, version: 4, xid: 0 } as Message);
});
it('T2 big flow', async () => {
  const r = await bed.say(flowMod({ instructions: [apply(...Array.from({ length: 4091 }, () => output(1)))] }));
  console.log('big flow', r);
  await bed.stats({ type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] } as never);
});
it('T3 big group', async () => {
  const actions = [...Array.from({ length: 4093 }, () => output(1)), { type: 'pop_vlan' } as const];
  const r = await bed.say({ type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [{ weight: 0, watchPort: ANY, watchGroup: ANY, actions }] } as never);
  console.log('big group', r);
  await bed.stats({ type: 'group_desc' } as never);
});
it('T4 refused flow_mod with buffer', async () => {
  await bed.say(flowMod({ priority: 1, instructions: [apply(output(0xfffffffd, 10), output(2))] }));
  bed.inject(1, new Uint8Array(60));
  const m = bed.asyncMessages[0]! as { bufferId: number };
  bed.ports();
  const r = await bed.say(flowMod({ bufferId: m.bufferId, instructions: [apply(output(0xffffff01))] }));
  console.log('refused', r.length, r, bed.ports());
});
it('T5 meter flags', async () => {
  console.log('meter0', await bed.error({ type: 'meter_mod', command: 0, flags: 0, meterId: 1, bands: [{ type: 'drop', rate: 10, burstSize: 0 }] } as never));
});
it('T8 write order', async () => {
  console.log('wo', await bed.error(flowMod({ instructions: [{ type: 'write_actions', actions: [{ type: 'set_field', oxm: { field: 'vlan_vid', value: new Uint8Array([0x10, 5]) } }, { type: 'push_vlan', ethertype: 0x8100 }, output(1)] }] as never })));
});
it('packet out empty', async () => {
  console.log('po', await bed.error(packetOut({ data: new Uint8Array(0), actions: [output(1)] })));
  console.log('po', await bed.error(packetOut({ inPort: 99, actions: [output(1)] })));
});
