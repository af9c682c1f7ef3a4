/** Packet-ins with nothing but their port are written without the codec: it would write the same. */
import { encodeMessage, type Message } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import type { PacketInRecord } from '../../../src/datapath/records.js';
import { packetInEvent } from '../../../src/ofproto/async-events.js';
import { encodeEvent, plainPacketIn, reasonIn } from '../../../src/ofproto/event-forms.js';
import { PacketBuffers } from '../../../src/ofproto/packet-buffers.js';
import { Seal } from '../../../src/ofproto/seal.js';

const record: PacketInRecord = {
  ...{ kind: 'packet_in', reason: 0, table: 3, cookie: 0xffffffffffffffffn, inPort: 7, maxLen: 0xffff },
  ...{ controllerId: 0, userdata: new Uint8Array(0), registers: new Map(), frameTotal: 60, metadata: 0n },
  ...{ tunnelId: 0n, inPhyPort: 7, packetType: 0, frame: Uint8Array.from({ length: 60 }, (_, i) => i) },
};
const variants: Readonly<Record<string, Partial<PacketInRecord>>> = {
  'a miss': {},
  'a table-miss flow': { cookie: 5n, reason: 0 },
  'an action that wants a part': { cookie: 0x123456789abcdef0n, reason: 1, maxLen: 20 },
  'an action that wants all': { cookie: 1n, reason: 1, maxLen: 0xffff },
  'a TTL that ran out': { cookie: 1n, reason: 2, maxLen: 0 },
  'a group': { cookie: 1n, reason: 4 },
  'a packet of segmentation offload': { cookie: 1n, reason: 1, frame: new Uint8Array(65_500), frameTotal: 70_000 },
  'an empty part': { cookie: 1n, reason: 1, maxLen: 0 },
};
const beyondPort: Readonly<Record<string, Partial<PacketInRecord>>> = {
  metadata: { metadata: 5n },
  registers: { registers: new Map([[3, 9]]) },
  'a physical port': { inPhyPort: 9 },
  'a packet type': { packetType: 0x10800 },
};

describe.each([4, 5, 6])('in version %i', (version) => {
  it.each(Object.entries({ ...variants, ...beyondPort }))('%s', (_, over) => {
    const event = packetInEvent({ ...record, ...over }, new PacketBuffers(), new Seal());
    const form = { version, nxm: false, packetInFormat: 0, missSendLen: 128 };
    const said = { ...plainPacketIn(event, 128), reason: reasonIn(version, event), version, xid: 0 } as Message;
    expect(Buffer.from(encodeEvent(event, form)!)).toEqual(Buffer.from(encodeMessage(said)));
    expect(event.isPlain).toBe(!Object.values(beyondPort).includes(over));
  });
});
