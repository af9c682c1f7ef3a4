/** Reserved ports in flows, buckets and packet-outs (OpenFlow 1.3.5 §4.5), and what becomes of fragments (§7.3.2). */
import type { Action } from 'node-openflow';
import { of13 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { ANY, apply, Bed, flowMod, output, packetOut } from './bed.js';

const { OFPET, OFPBAC, OFPBRC, OFPBMC, OFPSCFC, OFPP } = of13;
const NONE = 0xfffffff7;
const badPort = [OFPET.BAD_ACTION, OFPBAC.BAD_OUT_PORT];

/** What a packet from port 1 does where it is output; undefined: that is refused. */
const inFlows: readonly (readonly [string, number, number[] | 'controller' | undefined])[] = [
  ['IN_PORT', OFPP.IN_PORT, [1]],
  ['TABLE', OFPP.TABLE, undefined],
  ['NORMAL', OFPP.NORMAL, [2, 3]],
  ['FLOOD', OFPP.FLOOD, [2, 3]],
  ['ALL', OFPP.ALL, [2, 3]],
  ['CONTROLLER', OFPP.CONTROLLER, 'controller'],
  ['LOCAL, which is not attached', OFPP.LOCAL, []],
  ['ANY', OFPP.ANY, undefined],
  ['what 1.5 calls UNSET', NONE, undefined],
  ['0', 0, undefined],
  ['the largest number of a port', OFPP.MAX, undefined],
];

async function pass(bed: Bed, actions: readonly Action[], expected: number[] | 'controller' | undefined) {
  const refused = await bed.error(flowMod({ instructions: [apply(...actions)] }));
  expect(refused).toEqual(expected === undefined ? badPort : undefined);
  if (expected === undefined) return;
  bed.inject(1, tcpFrame());
  expect(bed.ports()).toEqual(expected === 'controller' ? [] : expected);
  expect(bed.asyncMessages.map(({ type }) => type).filter((type) => type !== 'requestforward')).toEqual(
    expected === 'controller' ? ['packet_in'] : [],
  );
}

describe.each(inFlows)('output to %s', (_, port, expected) => {
  it('in a flow', () => pass(new Bed(), [output(port, 0xffff)], expected));

  it('in a bucket', async () => {
    const bed = new Bed();
    const bucket = { weight: 0, watchPort: ANY, watchGroup: ANY, actions: [output(port, 0xffff)] };
    const made = await bed.error({ type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [bucket] });
    expect(made).toEqual(expected === undefined ? badPort : undefined);
    if (expected !== undefined) await pass(bed, [{ type: 'group', groupId: 1 }], expected);
  });

  it('in a packet-out', async () => {
    const bed = new Bed();
    await bed.say(flowMod({ instructions: [apply(output(3))] }));
    const refused = await bed.error(packetOut({ inPort: 1, actions: [output(port, 0xffff)], data: tcpFrame() }));
    const taken = expected !== undefined || port === OFPP.TABLE;
    expect(refused).toEqual(taken ? undefined : badPort);
    const out = port === OFPP.TABLE ? [3] : expected === 'controller' ? [] : (expected ?? []);
    expect(bed.ports()).toEqual(out);
  });
});

describe('ports that packets come from', () => {
  it.each([
    ['a port', 1, true],
    ['CONTROLLER', OFPP.CONTROLLER, true],
    ['ANY, as ovs-ofctl has it', OFPP.ANY, true],
    ['LOCAL, which is not attached', OFPP.LOCAL, false],
    ['a port that is not there', 9, false],
    ['ALL', OFPP.ALL, false],
    ['IN_PORT', OFPP.IN_PORT, false],
    ['0', 0, false],
  ])('of a packet-out: %s', async (_, inPort, legal) => {
    const bed = new Bed();
    const refused = await bed.error(packetOut({ inPort, actions: [output(OFPP.ALL)], data: tcpFrame() }));
    expect(refused).toEqual(legal ? undefined : [OFPET.BAD_REQUEST, OFPBRC.BAD_PORT]);
    expect(bed.ports()).toEqual(legal ? [1, 2, 3].filter((port) => port !== inPort) : []);
  });

  it.each([
    ['LOCAL', OFPP.LOCAL, true],
    ['CONTROLLER', OFPP.CONTROLLER, true],
    ['ANY', OFPP.ANY, false],
    ['ALL', OFPP.ALL, false],
    ['TABLE', OFPP.TABLE, false],
    ['0', 0, false],
  ])('of a match: %s', async (_, port, legal) => {
    const refused = await new Bed().error(flowMod({ match: { in_port: port } }));
    expect(refused).toEqual(legal ? undefined : [OFPET.BAD_MATCH, OFPBMC.BAD_VALUE]);
  });
});

describe('fragments', () => {
  const configure = (bed: Bed, flags: number) => bed.error({ type: 'set_config', flags, missSendLen: 128 });
  const first = tcpFrame({}, { fragment: 0x2000 });
  const later = tcpFrame({}, { fragment: 0x00b9 });

  it.each([
    ['passed, the first with its ports', 0, [2, 3]],
    ['dropped', 1, []],
    ["Nicira's nx-match", 3, [2, 3]],
  ])('are %s', async (_, flags, ports) => {
    const bed = new Bed();
    expect(await configure(bed, flags)).toBeUndefined();
    expect(await bed.say({ type: 'get_config_request' })).toMatchObject([{ flags }]);
    const tcp = { eth_type: 0x0800, ip_proto: 6, tcp_dst: 80 };
    await bed.say(flowMod({ match: tcp, priority: 2, instructions: [apply(output(2))] }));
    await bed.say(flowMod({ instructions: [apply(output(3))] }));
    for (const frame of [first, later]) bed.inject(1, frame);
    expect(bed.ports()).toEqual(ports);
  });

  it('are not put together, and no other bits are taken', async () => {
    const bed = new Bed();
    const refused = [OFPET.SWITCH_CONFIG_FAILED, OFPSCFC.BAD_FLAGS];
    expect(await configure(bed, 2)).toEqual(refused);
    expect(await configure(bed, 4)).toEqual(refused);
  });
});
