/** Messages for bundles are the bytes that the codec makes of them. */
import { EncodeError, encodeMessage, type Message, type Outgoing, of13 } from 'node-openflow';
import { parseFlow } from 'node-openflow/text';
import { describe, expect, it } from 'vitest';
import { BundleBytes } from '../../../src/reconcile/bundle-bytes.js';

const flow = parseFlow('table=3,priority=7,tcp,nw_dst=10.0.0.1,tp_dst=80 actions=set_field:5->reg0,output:2');
if (!flow.ok) throw new Error(flow.error.message);
const group: Outgoing = { type: 'group_mod', command: 0, groupType: of13.OFPGT.ALL, groupId: 5, buckets: [] };

describe.each([4, 5, 6])('a bundle of version %i', (version) => {
  it.each([
    ['a flow', flow.value as Outgoing],
    ['a group', group],
  ])('has %s as the codec writes it', (_, outgoing) => {
    const xid = 0x4000_1234;
    const message = encodeMessage({ ...outgoing, version, xid } as Message);
    const whole = encodeMessage({ type: 'bundle_add_message', version, xid, bundleId: 9, flags: 3, message });
    expect(new BundleBytes(version, 9, 3).add(outgoing, xid)).toEqual(whole);
  });

  it('takes no message that is too long with what is around it', () => {
    const bytes = new BundleBytes(version, 9, 3);
    const packet = (length: number): Outgoing => ({
      ...{ type: 'packet_out', bufferId: of13.OFP_NO_BUFFER, inPort: of13.OFPP.CONTROLLER, actions: [] },
      data: new Uint8Array(length),
    });
    const head = bytes.add(packet(0), 1).length;
    expect(bytes.add(packet(0xffff - head), 1)).toHaveLength(0xffff);
    expect(() => bytes.add(packet(0x1_0000 - head), 1)).toThrow(EncodeError);
  });
});
