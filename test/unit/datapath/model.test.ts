import { beforeEach, describe, expect, it } from 'vitest';
import { DatapathClosed, type PortNo } from '../../../src/datapath/datapath.js';
import { ModelDatapath } from '../../../src/datapath/model.js';
import {
  decodeFlowAnswers,
  decodeGroupAnswers,
  decodeTableAnswers,
  encodeActions,
  encodeQuery,
  forEachUpcall,
  type UpcallRecord,
  writeControllerState,
  writeFlowMod,
  writeGroupMod,
  writeMeterMod,
  writePortConfig,
  writeSetConfig,
} from '../../../src/datapath/records.js';
import {
  FlowCommand,
  FlowFlag,
  FlowRemovedReason,
  GroupType,
  MeterFlag,
  PacketInReason,
  PortConfig,
  Query,
  ReservedPort,
  Status,
} from '../../../src/datapath/schema.gen.js';
import * as f from '../../differential/frames.js';
import {
  apply,
  batch,
  flowMod,
  flowMods,
  goto,
  match,
  output,
  packetOut,
  setField,
  write,
} from '../../differential/rules.js';

const port = (n: number) => n as PortNo;
const ANY = 0xffffffff;

let now: bigint;
let model: ModelDatapath;
let upcalls: UpcallRecord[];

beforeEach(() => {
  now = 0n;
  upcalls = [];
  model = new ModelDatapath(() => now);
  for (const n of [1, 2, 3]) model.portAttach(port(n), { kind: 'capture' });
  model.onUpcall((records) => forEachUpcall(records, (record) => upcalls.push(record)));
  model.apply(batch((writer) => writeControllerState(writer, true)));
});

function apply1(...rules: Parameters<typeof flowMods>): number[] {
  return [...model.apply(flowMods(...rules))];
}
/** [port, frame] of what came out since the last call. */
function outputs(): [number, Uint8Array][] {
  const seen = upcalls.flatMap((r) => (r.kind === 'port_output' ? [[r.port, r.frame] as [number, Uint8Array]] : []));
  upcalls = upcalls.filter((r) => r.kind !== 'port_output');
  return seen;
}
function ports(): number[] {
  return outputs().map(([number]) => number);
}
const flows = () => [...decodeFlowAnswers(model.read(encodeQuery({ query: Query.flows })).data)];
const tcp80 = match({ eth_type: 0x800n, ip_proto: 6n, tcp_dst: 80n });

describe('matching', () => {
  it('takes the flow of the highest priority, and drops without table-miss flow', () => {
    model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([]);
    apply1(
      { priority: 1, instructions: [apply(output(2))] },
      { priority: 9, match: tcp80, instructions: [apply(output(3))] },
    );
    model.inject(port(1), f.tcpFrame());
    model.inject(port(1), f.tcpFrame({}, { l4: f.tcp(1000, 81) }));
    expect(ports()).toEqual([3, 2]);
    const [table0] = decodeTableAnswers(model.read(encodeQuery({ query: Query.tables })).data);
    expect(table0).toEqual({ active: 2, lookups: 3n, matched: 2n });
  });

  it.each([
    ['in_port', { in_port: 1n }, f.tcpFrame()],
    ['vlan', { vlan_vid: 0x1064n, vlan_pcp: 3n, eth_type: 0x800n }, f.tcpFrame({ tags: [{ vid: 100, pcp: 3 }] })],
    ['no vlan', { vlan_vid: 0n }, f.tcpFrame()],
    ['any vlan', { vlan_vid: [0x1000n, 0x1000n] }, f.tcpFrame({ tags: [{ vid: 7 }] })],
    [
      'mpls',
      { eth_type: 0x8847n, mpls_label: 20n, mpls_tc: 5n, mpls_bos: 1n },
      f.tcpFrame({ labels: [{ label: 20, tc: 5, ttl: 9 }] }),
    ],
    [
      'ip',
      { eth_type: 0x800n, ip_dscp: 10n, ip_ecn: 1n, ipv4_src: [0x0a000000n, 0xff000000n] },
      f.tcpFrame({}, { tos: 41 }),
    ],
    [
      'udp',
      { eth_type: 0x800n, ip_proto: 17n, udp_src: 5n, udp_dst: 6n },
      f.tcpFrame({}, { proto: 17, l4: f.udp(5, 6) }),
    ],
    ['sctp', { eth_type: 0x800n, ip_proto: 132n, sctp_dst: 6n }, f.tcpFrame({}, { proto: 132, l4: f.sctp(5, 6, 0) })],
    [
      'icmp',
      { eth_type: 0x800n, ip_proto: 1n, icmpv4_type: 8n, icmpv4_code: 0n },
      f.tcpFrame({}, { proto: 1, l4: f.icmp(8, 0) }),
    ],
  ] as const)('knows %s', (_, values, frame) => {
    apply1({ match: match(values), instructions: [apply(output(2))] });
    model.inject(port(1), frame);
    expect(ports()).toEqual([2]);
  });

  it('knows ARP and neighbour discovery', () => {
    const arp = { op: 1, sha: '02:00:00:00:00:01', spa: '10.0.0.1', tha: '00:00:00:00:00:00', tpa: '10.0.0.9' };
    apply1(
      {
        match: match({ eth_type: 0x806n, arp_op: 1n, arp_tpa: 0x0a000009n, arp_sha: 0x020000000001n }),
        instructions: [apply(output(2))],
      },
      {
        match: match({
          eth_type: 0x86ddn,
          ip_proto: 58n,
          icmpv6_type: 135n,
          ipv6_nd_sll: 0x020000000001n,
          ipv6_exthdr: 0n,
        }),
        instructions: [apply(output(3))],
      },
    );
    model.inject(port(1), f.ethernet({ type: 0x806, payload: f.arp(arp) }));
    const nd = f.ipv6({ proto: 58, l4: f.neighbour(135, 'fe80::', '02:00:00:00:00:01') });
    model.inject(port(1), f.ethernet({ type: 0x86dd, payload: nd }));
    expect(ports()).toEqual([2, 3]);
  });

  it('§7.2.3.8 extension headers', () => {
    apply1({
      match: match({ eth_type: 0x86ddn, ipv6_exthdr: 68n, ip_proto: 6n, tcp_dst: 80n }),
      instructions: [apply(output(2))],
    });
    const extensions = [
      { proto: 0, body: [0, 0, 0, 0, 0, 0] },
      { proto: 51, body: [0, 0, 0, 0, 0, 1, 0, 0, 0, 1] },
    ];
    model.inject(port(1), f.ethernet({ type: 0x86dd, payload: f.ipv6({ proto: 6, extensions, l4: f.tcp(1, 80) }) }));
    model.inject(port(1), f.ethernet({ type: 0x86dd, payload: f.ipv6({ proto: 6, l4: f.tcp(1, 80) }) }));
    expect(ports()).toEqual([2]);
  });
});

describe('instructions', () => {
  it('§5.10 write-actions run at the end, in the order of the action set', () => {
    apply1(
      { instructions: [write(output(2), setField('eth_dst', 0x0a0b0c0d0e0fn)), goto(1)] },
      { table: 1, instructions: [{ kind: 'metadata', value: 5n, mask: 15n }, goto(2)] },
      {
        table: 2,
        match: match({ metadata: [5n, 15n] }),
        instructions: [write({ kind: 'push_vlan', ethertype: 0x8100 })],
      },
    );
    model.inject(port(1), f.tcpFrame());
    const [[out, frame]] = outputs() as [[number, Uint8Array]];
    expect(out).toBe(2);
    expect([...frame.slice(0, 6), ...frame.slice(12, 16)]).toEqual([10, 11, 12, 13, 14, 15, 0x81, 0, 0, 0]);
  });

  it('clear-actions, and a group in the set wins over an output', () => {
    model.apply(
      batch((writer) =>
        writeGroupMod(writer, { command: 0, type: GroupType.indirect, group: 1, buckets: [bucket(3)] }),
      ),
    );
    apply1(
      { match: match({ in_port: 1n }), priority: 1, instructions: [write(output(2), { kind: 'group', group: 1 })] },
      { match: match({ in_port: 2n }), priority: 1, instructions: [write(output(1)), goto(1)] },
      { table: 1, instructions: [{ kind: 'clear' }] },
    );
    model.inject(port(1), f.tcpFrame());
    model.inject(port(2), f.tcpFrame());
    expect(ports()).toEqual([3]);
  });
});

function bucket(to: number, over: { id?: number; weight?: number; watchPort?: number; watchGroup?: number } = {}) {
  return { id: to, weight: 0, watchPort: ANY, watchGroup: ANY, actions: encodeActions([output(to)]), ...over };
}

describe('actions keep checksums right', () => {
  const rewritten = (frame: Uint8Array, ...actions: Parameters<typeof apply>) => {
    apply1({ instructions: [apply(...actions, output(2))] });
    model.inject(port(1), frame);
    return outputs()[0]![1].slice(0, frame.length);
  };
  it('IPv4 address and TCP port', () => {
    const expected = f.tcpFrame({}, { dst: '192.168.7.9', l4: f.tcp(1000, 8080) });
    expect(rewritten(f.tcpFrame(), setField('ipv4_dst', 0xc0a80709n), setField('tcp_dst', 8080n))).toEqual(expected);
  });
  it('UDP without checksum stays without', () => {
    const spec = { proto: 17, l4: f.udp(1, 2, [5], false) };
    expect(rewritten(f.tcpFrame({}, spec), setField('ipv4_src', 1n))).toEqual(
      f.tcpFrame({}, { ...spec, src: '0.0.0.1' }),
    );
  });
  it('TTL, DSCP and MPLS', () => {
    expect(rewritten(f.tcpFrame(), { kind: 'dec_nw_ttl' }, setField('ip_dscp', 46n))).toEqual(
      f.tcpFrame({}, { ttl: 63, tos: 184 }),
    );
    expect(rewritten(f.tcpFrame(), { kind: 'push_mpls', ethertype: 0x8847 }, setField('mpls_label', 77n))).toEqual(
      f.tcpFrame({ labels: [{ label: 77, ttl: 64 }] }).slice(0, f.tcpFrame().length),
    );
  });
  it('IPv6 and ICMPv6', () => {
    const spec = { proto: 58, l4: f.neighbour(136, 'fe80:0:0:1::', '02:00:00:00:00:09') };
    const frame = f.ethernet({ type: 0x86dd, payload: f.ipv6(spec) });
    const expected = f.ethernet({
      type: 0x86dd,
      payload: f.ipv6({ ...spec, dst: 'fd99::', l4: f.neighbour(136, 'fe80:0:0:1::', '02:00:00:00:00:0a') }),
    });
    expect(rewritten(frame, setField('ipv6_dst', 0xfd99n << 112n), setField('ipv6_nd_tll', 0x02000000000an))).toEqual(
      expected,
    );
  });
  it('an expiring TTL goes to the controller', () => {
    apply1({ cookie: 9n, instructions: [apply({ kind: 'dec_nw_ttl' }, output(2))] });
    model.inject(port(1), f.tcpFrame({}, { ttl: 1 }));
    expect(upcalls).toMatchObject([{ kind: 'packet_in', reason: PacketInReason.invalidTtl, cookie: 9n, inPort: 1 }]);
  });
});

describe('ports', () => {
  it('ALL and FLOOD leave out the ingress port and NO_FWD ones; IN_PORT means it', () => {
    apply1({ instructions: [apply(output(ReservedPort.all), output(ReservedPort.inPort), output(1))] });
    model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([2, 3, 1]);
    expect([...model.apply(batch((w) => writePortConfig(w, 2, PortConfig.noFwd, PortConfig.noFwd)))]).toEqual([
      Status.ok,
    ]);
    model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([3, 1]);
  });
  it('NORMAL learns', () => {
    apply1({ instructions: [apply(output(ReservedPort.normal))] });
    const [a, b] = [
      { src: '02:00:00:00:00:0a', dst: '02:00:00:00:00:0b' },
      { src: '02:00:00:00:00:0b', dst: '02:00:00:00:00:0a' },
    ];
    model.inject(port(1), f.tcpFrame(a));
    expect(ports()).toEqual([2, 3]);
    model.inject(port(2), f.tcpFrame(b));
    model.inject(port(1), f.tcpFrame(a));
    expect(ports()).toEqual([1, 2]);
    now += 301_000_000_000n;
    model.inject(port(2), f.tcpFrame(b));
    expect(ports()).toEqual([1, 3]);
    model.inject(port(1), f.tcpFrame({ dst: '01:80:c2:00:00:00' }));
    expect(ports()).toEqual([]);
  });
  it('packet-out runs its actions, and the tables where told to', () => {
    apply1({ match: match({ in_port: 2n }), instructions: [apply(output(3))] });
    expect(model.packetOut(packetOut(2, f.tcpFrame(), output(1), output(ReservedPort.table)))).toBe(Status.ok);
    expect(ports()).toEqual([1, 3]);
  });
  it('drops fragments when told to', () => {
    apply1({ instructions: [apply(output(2))] });
    model.apply(batch((w) => writeSetConfig(w, 1)));
    model.inject(port(1), f.tcpFrame({}, { fragment: 0x2000 }));
    expect(ports()).toEqual([]);
  });
});

describe('packet-ins', () => {
  it('of a table-miss flow have the reason NO_MATCH, others ACTION', () => {
    apply1(
      { cookie: 1n, instructions: [apply(output(ReservedPort.controller, 100))] },
      { cookie: 2n, priority: 1, match: tcp80, instructions: [apply(output(ReservedPort.controller, 200))] },
    );
    model.inject(port(1), f.tcpFrame());
    model.inject(port(1), f.tcpFrame({}, { l4: f.tcp(1, 2) }));
    expect(upcalls).toMatchObject([
      { kind: 'packet_in', reason: PacketInReason.action, cookie: 2n, maxLen: 200, table: 0 },
      { kind: 'packet_in', reason: PacketInReason.noMatch, cookie: 1n, maxLen: 100 },
    ]);
  });
  it('stay below while no controller is there', () => {
    model.apply(batch((writer) => writeControllerState(writer, false)));
    apply1({ instructions: [apply(output(ReservedPort.controller))] });
    model.inject(port(1), f.tcpFrame());
    expect(upcalls).toEqual([]);
  });
});

describe('flow_mod (§6.4)', () => {
  it('CHECK_OVERLAP', () => {
    const [a, b] = [match({ in_port: 1n }), match({ eth_type: 0x800n })];
    expect(
      apply1(
        { match: a },
        { match: b, flags: FlowFlag.checkOverlap },
        { match: b, priority: 1, flags: FlowFlag.checkOverlap },
      ),
    ).toEqual([Status.ok, Status.overlap, Status.ok]);
  });
  it('add replaces, keeping counters unless reset_counts', () => {
    apply1({ cookie: 1n, instructions: [apply(output(2))] });
    model.inject(port(1), f.tcpFrame());
    apply1({ cookie: 2n, instructions: [] });
    expect(flows()).toMatchObject([{ cookie: 2n, packets: 1n, bytes: BigInt(f.tcpFrame().length) }]);
    apply1({ cookie: 3n, flags: FlowFlag.resetCounts });
    expect(flows()).toMatchObject([{ cookie: 3n, packets: 0n }]);
  });
  it('modify and delete pick by match, priority, cookie and output', () => {
    const ip = match({ eth_type: 0x800n });
    apply1(
      { priority: 5, cookie: 1n, match: ip, flags: FlowFlag.sendFlowRem, instructions: [apply(output(2))] },
      { priority: 6, cookie: 2n, match: tcp80, instructions: [apply(output(3))] },
    );
    apply1({
      command: FlowCommand.modify,
      match: ip,
      cookie: 2n,
      cookieMask: ~0n & 0xffffffffffffffffn,
      instructions: [apply(output(1))],
    });
    model.inject(port(2), f.tcpFrame());
    expect(ports()).toEqual([1]);
    apply1({ command: FlowCommand.deleteStrict, priority: 6, match: ip });
    expect(flows()).toHaveLength(2);
    apply1({ command: FlowCommand.delete, match: [], outPort: 2 });
    expect(upcalls).toMatchObject([
      { kind: 'flow_removed', reason: FlowRemovedReason.delete, cookie: 1n, priority: 5 },
    ]);
    apply1({ command: FlowCommand.delete, table: 255 });
    expect(flows()).toEqual([]);
  });
  it('timeouts', () => {
    apply1(
      { idle: 10, flags: FlowFlag.sendFlowRem, instructions: [apply(output(2))] },
      { priority: 1, match: tcp80, hard: 12, flags: FlowFlag.sendFlowRem },
    );
    now = 9_000_000_000n;
    model.inject(port(1), f.tcpFrame({}, { l4: f.tcp(1, 2) }));
    now = 12_000_000_000n;
    model.tick();
    now = 19_000_000_000n;
    model.tick();
    expect(upcalls.filter(({ kind }) => kind === 'flow_removed')).toMatchObject([
      { reason: FlowRemovedReason.hardTimeout, duration: 12_000_000_000n },
      { reason: FlowRemovedReason.idleTimeout, packets: 1n },
    ]);
  });
  it('atomic batches leave nothing behind when one record fails', () => {
    const failing = batch((writer) => {
      writeFlowMod(writer, flowMod({ cookie: 1n }));
      writeFlowMod(writer, flowMod({ instructions: [apply({ kind: 'group', group: 7 })] }));
      writeFlowMod(writer, flowMod({ priority: 3 }));
    });
    expect([...model.apply(failing, { atomic: true })]).toEqual([Status.ok, Status.unknownGroup, Status.ok]);
    expect(flows()).toEqual([]);
    expect([...model.apply(failing)]).toEqual([Status.ok, Status.unknownGroup, Status.ok]);
    expect(flows()).toHaveLength(2);
  });
});

describe('groups and meters', () => {
  const groupMod = (group: number, type: number, buckets: ReturnType<typeof bucket>[], command = 0) =>
    model.apply(batch((writer) => writeGroupMod(writer, { command, type, group, buckets })))[0];
  it('all, fast failover with liveness, and counters', () => {
    expect(groupMod(1, GroupType.all, [bucket(2), bucket(3), bucket(1)])).toBe(Status.ok);
    expect(groupMod(2, GroupType.ff, [bucket(2, { watchPort: 2 }), bucket(3, { watchPort: 3 })])).toBe(Status.ok);
    apply1(
      { match: match({ in_port: 1n }), priority: 1, instructions: [apply({ kind: 'group', group: 1 })] },
      { instructions: [apply({ kind: 'group', group: 2 })] },
    );
    model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([2, 3]);
    model.apply(batch((w) => writePortConfig(w, 2, PortConfig.down, PortConfig.down)));
    model.portAttach(port(4), { kind: 'null' });
    model.inject(port(4), f.tcpFrame());
    expect(ports()).toEqual([3]);
    const answers = [...decodeGroupAnswers(model.read(encodeQuery({ query: Query.groups })).data)];
    expect(answers).toMatchObject([
      { group: 1, references: 1, packets: 1n, buckets: [{ packets: 1n }, { packets: 1n }, { packets: 1n }] },
      { group: 2, packets: 1n, buckets: [{ packets: 0n }, { packets: 1n }] },
    ]);
  });
  it('§6.5 errors', () => {
    const chain = { ...bucket(1), actions: encodeActions([{ kind: 'group', group: 1 }]) };
    expect(groupMod(1, GroupType.all, [bucket(1)])).toBe(Status.ok);
    expect(groupMod(1, GroupType.all, [])).toBe(Status.groupExists);
    expect(groupMod(9, GroupType.all, [], 1)).toBe(Status.unknownGroup);
    expect(groupMod(2, GroupType.indirect, [])).toBe(Status.badGroupType);
    expect(groupMod(2, GroupType.all, [chain])).toBe(Status.ok);
    expect(groupMod(1, GroupType.all, [{ ...chain, actions: encodeActions([{ kind: 'group', group: 2 }]) }], 1)).toBe(
      Status.groupLoop,
    );
    expect(groupMod(1, 0, [], 2)).toBe(Status.chainedGroup);
    expect(groupMod(0xfffffffc, 0, [], 2)).toBe(Status.ok);
  });
  it('deleting a group deletes the flows that use it', () => {
    groupMod(1, GroupType.all, [bucket(1)]);
    apply1({ flags: FlowFlag.sendFlowRem, instructions: [write({ kind: 'group', group: 1 })] });
    groupMod(1, 0, [], 2);
    expect(upcalls).toMatchObject([{ kind: 'flow_removed', reason: FlowRemovedReason.groupDelete }]);
    expect(flows()).toEqual([]);
  });
  it('meters drop what exceeds their rate', () => {
    const bands = [{ type: 1, precLevel: 0, rate: 2, burst: 0 }];
    model.apply(batch((w) => writeMeterMod(w, { command: 0, meter: 1, flags: MeterFlag.pktps, bands })));
    apply1({ instructions: [{ kind: 'meter', meter: 1 }, apply(output(2))] });
    for (let i = 0; i < 5; i++) model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([2, 2]);
    now += 500_000_000n;
    for (let i = 0; i < 2; i++) model.inject(port(1), f.tcpFrame());
    expect(ports()).toEqual([2]);
  });
});

describe('reading and closing', () => {
  it('long answers come in parts', () => {
    apply1(...Array.from({ length: 50 }, (_, i) => ({ priority: i })));
    let query: Uint8Array | undefined = encodeQuery({ query: Query.flows });
    const seen: number[] = [];
    let parts = 0;
    while (query !== undefined) {
      const answer: { data: Uint8Array; next: Uint8Array | undefined } = model.read(query, 500);
      for (const flow of decodeFlowAnswers(answer.data)) seen.push(flow.priority);
      query = answer.next;
      parts++;
    }
    expect(seen).toEqual(Array.from({ length: 50 }, (_, i) => 49 - i));
    expect(parts).toBeGreaterThan(3);
  });
  it('every verb throws after close', () => {
    model.close();
    model.close();
    expect(() => model.tick()).toThrow(DatapathClosed);
    expect(() => model.apply(new Uint8Array(0))).toThrow(DatapathClosed);
  });
  it('refuses ports it does not have and numbers in use', () => {
    expect(() => model.portAttach(port(1), { kind: 'null' })).toThrow('already');
    expect(() => model.portAttach(port(0), { kind: 'null' })).toThrow('no port number');
    expect(() => model.portAttach(port(9), { kind: 'tap', device: 'x' })).toThrow('kind tap');
  });
});
