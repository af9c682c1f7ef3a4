/** Dumps of flows on the short way say the same, byte for byte, as by the codec's values. */
import { encodeMultipartReply, type Match, match, type Outgoing, oxm } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { encodeQuery } from '../../../src/datapath/records.js';
import { Query } from '../../../src/datapath/schema.gen.js';
import { dumpMessages } from '../../../src/ofproto/flow-dump.js';
import { flowStats } from '../../../src/ofproto/stats-entries.js';
import { sayable } from '../../../src/ofproto/versions.js';
import { apply, Bed, flowMod, output } from './bed.js';

const matches: readonly Match[] = [
  [],
  match({ in_port: 1, eth_type: 0x800, ipv4_dst: '10.0.0.0/8', ip_proto: 6, tcp_dst: 80 }),
  match({ vlan_vid: 0x1005, metadata: '5/0xff', eth_dst: '01:00:00:00:00:00/01:00:00:00:00:00' }),
  match({ eth_type: 0x86dd, ipv6_src: '2001:db8::/32', ipv6_flabel: 77 }),
  match({ eth_type: 0x8847, mpls_label: 1000 }),
];
const mods = matches.flatMap((fields, i): Outgoing[] => [
  {
    ...flowMod({ priority: i, cookie: 0x1122334455667788n, idleTimeout: 5, instructions: [apply(output(2))] }),
    match: fields,
  } as Outgoing,
  { ...flowMod({ priority: 100 + i, tableId: 3, flags: 1, hardTimeout: 9 }), match: fields } as Outgoing,
  {
    ...flowMod({
      priority: 200 + i,
      instructions: [
        {
          type: 'write_actions',
          actions: [{ type: 'set_field', oxm: oxm('eth_src', '02:00:00:00:00:09') }, output(1)],
        },
        { type: 'write_metadata', metadata: 7n, metadataMask: 0xffn },
        { type: 'goto_table', tableId: 9 },
      ],
    }),
    match: fields,
  } as Outgoing,
]);

describe.each([4, 5])('wire version %i', (version) => {
  it('is the same for fields, masks, times, counts and instructions of all kinds', async () => {
    const bed = new Bed(version);
    for (const mod of mods) expect(await bed.error(mod)).toBeUndefined();
    const { data } = bed.datapath.read(encodeQuery({ query: Query.flows }));
    const head = { version, xid: 9 };
    const slow = [...encodeMultipartReply(head, sayable(head, flowStats(data, version)))];
    expect(slow[0]!.length).toBeGreaterThan(1000);
    expect(Buffer.concat([...dumpMessages(head, data)]).toString('hex')).toBe(Buffer.concat(slow).toString('hex'));
  });

  it('is whole where it takes several messages', async () => {
    const bed = new Bed(version);
    for (let priority = 0; priority < 1500; priority++)
      bed.say(flowMod({ priority, instructions: [apply(output(1))] }));
    expect(await bed.error({ type: 'barrier_request' })).toBeUndefined();
    const { data } = bed.datapath.read(encodeQuery({ query: Query.flows }));
    const messages = [...dumpMessages({ version, xid: 9 }, data)];
    expect(messages.length).toBeGreaterThan(1);
    expect(messages.map((bytes) => bytes[11]! & 1)).toEqual([...messages.slice(1).map(() => 1), 0]);
    expect(messages.reduce((sum, bytes) => sum + (bytes.length - 16) / (48 + 8 + 24), 0)).toBe(1500);
  });
});
