/** What becomes of packets, in names. */
import { describe, expect, it } from 'vitest';
import { PacketError } from '../../../src/simulator/frame.js';
import { inputOfProgram, inputOfSwitch, tracePacket } from '../../../src/simulator/trace.js';
import { compiled, said } from '../compiler/cases.js';

const shop = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop, owner: ops}
spec:
  tables:
    - name: in
      miss: drop
      rules:
        - name: web
          match: {in_port: a/0, ip_dst: 10.1.0.0/24, tcp_dst: 80}
          do: [{meter: slow}, {set: {reg0: 1, ip_dscp: 10}}, {goto: out}]
        - {name: up, match: {in_port: a/0, protocol: udp}, do: [{controller: {max_len: 128}}]}
        - {name: round, match: {in_port: a/0, protocol: icmp}, do: [{clone: [{set: {eth_dst: "02:00:00:00:00:77"}}, {output: b/0}]}, {resubmit: out}]}
        - {name: set, match: {in_port: a/0, protocol: arp}, do: [{write: [{output: b/0}]}]}
        - {name: switched, match: {in_port: b/0}, do: normal}
    - name: out
      rules:
        - {name: balanced, match: {reg0: 1}, do: [{group: lb}]}
        - {name: none, do: drop}
  groups:
    - {name: lb, type: ff, buckets: [{watch_port: 77, do: [{output: c/0}]}, {watch_port: b/0, do: [{output: b/0}]}]}
  meters:
    - {name: slow, kbps: 1000}
`;

function input(text = shop) {
  const { program, diagnostics } = compiled(text);
  expect(diagnostics.errors, said(diagnostics)).toBe(0);
  return inputOfProgram(program);
}
const trace = (packet: string) => tracePacket(input(), packet);
const steps = (packet: string) => trace(packet).steps;

describe('a packet', () => {
  it('is dropped by the table that did it, not by one that it came back from', () => {
    const text = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: back}
spec:
  tables:
    - {name: first, rules: [{name: there, match: {in_port: a/0}, do: [{resubmit: second}, {output: a/0}]}]}
    - {name: second, rules: [{name: idle, do: ["load:1->NXM_NX_REG0[]"]}]}
`;
    expect(tracePacket(input(text), 'tcp,in_port=a/0').outcome.dropped).toMatchObject([
      { table: 0, rule: { name: 'back/first/there' } },
    ]);
  });

  it('meets tables, a meter, a group and its bucket, and leaves', () => {
    const { steps, outcome, left } = trace('tcp,in_port=a/0,nw_dst=10.1.0.9,tp_dst=80');
    expect(left).toEqual([]);
    expect(steps).toMatchObject([
      {
        depth: 0,
        step: 'table',
        table: 0,
        name: 'in',
        egress: false,
        rule: {
          name: 'shop/in/web',
          owner: 'ops',
          file: 'f.yaml',
          line: 9,
          text: expect.stringMatching(
            /^priority=60000,tcp,in_port="a\/0",nw_dst=10.1.0.0\/24,tp_dst=80 actions=meter:/,
          ),
        },
      },
      { step: 'action', text: expect.stringMatching(/^meter:/) },
      { step: 'meter', meter: 'shop/slow' },
      { step: 'action', changes: [{ field: 'reg0', before: '0x0', after: '0x1' }] },
      { step: 'action', changes: [{ field: 'ip_dscp', before: '0', after: '10' }] },
      { step: 'action', text: 'goto_table:out' },
      { step: 'table', table: 1, rule: { name: 'shop/out/balanced' } },
      { step: 'action', depth: 0, text: expect.stringMatching(/^group:/), changes: [] },
      {
        step: 'group',
        group: 'shop/lb',
        type: 'ff',
        buckets: [
          { live: false, chosen: false },
          { live: true, chosen: true },
        ],
      },
      { step: 'bucket', group: 'shop/lb', bucket: 1, depth: 1 },
      { step: 'action', depth: 1, text: 'output:"b/0"' },
      { step: 'output', name: 'b/0' },
    ]);
    expect(steps).not.toContainEqual(expect.objectContaining({ nearest: expect.anything() }));
    expect(outcome).toMatchObject({ delivered: [{ name: 'b/0' }], controller: [], dropped: [] });
  });

  it('that no rule matches: which would have, but for what', () => {
    const { steps, outcome } = trace('tcp,in_port=a/0,nw_dst=10.2.0.9,tp_dst=80');
    expect(steps).toMatchObject([
      {
        step: 'table',
        rule: { name: 'shop/in/miss', text: 'priority=0 actions=drop' },
        nearest: {
          rule: { name: 'shop/in/web', line: 9 },
          differences: [{ field: 'ipv4_dst', packet: '10.2.0.9', wanted: '10.1.0.0/24' }],
        },
      },
    ]);
    expect(outcome.dropped).toMatchObject([{ table: 0, reason: 'nothing sends it anywhere' }]);
  });

  it('that meets nothing at all', () => {
    const { steps, outcome } = tracePacket(input(shop.replace('miss: drop', 'id: 0')), 'vlan_tci=0x1005,in_port=a/0');
    expect(steps).toMatchObject([{ step: 'table', table: 0 }, { step: 'drop' }]);
    expect(steps[0]).not.toHaveProperty('rule');
    expect(outcome.dropped).toEqual([{ table: 0, reason: 'no rule of the table matches' }]);
  });

  it('a field without which others are nothing stands for them', () => {
    const [table] = steps('sctp,in_port=a/0,nw_dst=10.1.0.9,tp_dst=80');
    expect(table).toMatchObject({
      nearest: { rule: { name: 'shop/in/up' }, differences: [{ field: 'ip_proto', packet: '132', wanted: '17' }] },
    });
  });

  it('a rule of lower priority decides', () => {
    const out = steps('icmp,in_port=a/0').find((line) => line.step === 'table' && line.name === 'out');
    expect(out).toMatchObject({
      depth: 1,
      rule: { name: 'shop/out/none' },
      nearest: { rule: { name: 'shop/out/balanced' }, differences: [{ field: 'reg0', packet: '0x0', wanted: '0x1' }] },
    });
  });

  it('goes to the controller, which hears why', () => {
    const { outcome } = trace('udp,in_port=a/0');
    expect(outcome.controller).toEqual([{ reason: 'action', table: 0, controllerId: 0, maxLen: 128 }]);
    expect(outcome.dropped).toEqual([]);
  });

  it('a clone is changed, the packet goes on as it was', () => {
    const { steps, outcome } = trace('icmp,in_port=a/0');
    expect(steps.map(({ depth, step }) => `${depth} ${step}`)).toEqual([
      '0 table',
      '0 action',
      '1 action',
      '1 action',
      '1 output',
      '0 action',
      '1 table',
    ]);
    expect(steps[2]).toMatchObject({ changes: [{ field: 'eth_dst', after: '02:00:00:00:00:77' }] });
    expect(outcome.delivered[0]!.frame).toMatch(/^020000000077/);
    expect(outcome.dropped).toEqual([]);
  });

  it('an action set is carried out at the end', () => {
    expect(steps('arp,in_port=a/0').map(({ step }) => step)).toEqual([
      'table',
      'action',
      'action_set',
      'action',
      'output',
    ]);
  });

  it('NORMAL says where it goes', () => {
    const { steps, outcome } = trace('arp,in_port=b/0');
    expect(steps).toContainEqual({ depth: 0, step: 'normal', vlan: 0 });
    expect(outcome.delivered.map(({ name }) => name)).toEqual(['c/0', 'a/0', 'LOCAL']);
  });

  it('dropped by a rule that does nothing', () => {
    const { outcome } = tracePacket(
      input(shop.replace('do: [{write: [{output: b/0}]}]', 'do: drop')),
      'arp,in_port=a/0',
    );
    expect(outcome.dropped).toMatchObject([
      { reason: 'nothing sends it anywhere', table: 0, rule: { name: 'shop/in/set' } },
    ]);
  });

  it.each([
    ['tcp', 'in_port is missing'],
    ['tcp,in_port=nobody', 'unknown port "nobody" (letter 13 of the packet)'],
    ['tpc,in_port=1', /\(letter 1 of the packet\)$/],
    ['tcp,in_port=5000', 'there cannot be a port 5000'],
    ['tcp,in_port=1,nw_dst=10.0.0.0/8', 'ipv4_dst has a mask'],
  ])('%s is none', (text, message) => {
    const run = () => trace(text);
    expect(run).toThrow(PacketError);
    expect(run).toThrow(message);
  });
});

describe('of a switch', () => {
  const flow = {
    tableId: 0,
    priority: 5,
    match: [],
    cookie: 0x5856_0007_0000_0001n,
    instructions: [{ type: 'apply_actions', actions: [{ type: 'output', port: 2, maxLen: 0 }] }],
    durationSec: 0,
    durationNsec: 0,
    idleTimeout: 0,
    hardTimeout: 0,
    flags: 0,
    packetCount: 0n,
    byteCount: 0n,
  } as const;
  const { resolver } = input();
  const state = { flows: [flow], groups: [], meters: [] };

  it('rules that no file has are told by owner and cookie', () => {
    const { steps } = tracePacket(
      inputOfSwitch(state, [{ number: 1 }, { number: 2, name: 'up' }], resolver),
      'in_port=1',
    );
    expect(steps[0]).toMatchObject({
      rule: { owner: 'number 7', cookie: '0x5856000700000001', text: expect.stringContaining('priority=5') },
    });
  });

  it('what stops a port stops the packet', () => {
    const ports = [{ number: 1 }, { number: 2, config: 0, state: 1 }];
    const { outcome } = tracePacket(inputOfSwitch(state, ports, resolver), 'in_port=1');
    expect(outcome).toMatchObject({ delivered: [], dropped: [{ port: 'b/0', reason: 'the port is down' }] });
  });

  it('what the reference datapath does not know is left out, and said', () => {
    const unknown = { type: 'experimenter', experimenter: 0x99, data: new Uint8Array(8) } as const;
    const other = { ...flow, priority: 9, instructions: [{ type: 'apply_actions', actions: [unknown] }] } as const;
    const input = inputOfSwitch({ ...state, flows: [other, flow] }, [{ number: 1 }, { number: 2 }], resolver);
    const { left, outcome } = tracePacket(input, 'in_port=1');
    expect(left).toMatchObject([
      { what: expect.stringContaining('priority=9'), reason: expect.stringContaining('BAD') },
    ]);
    expect(outcome.delivered).toHaveLength(1);
  });

  it('a port that it does not have is said', () => {
    expect(() => tracePacket(inputOfSwitch(state, [{ number: 1 }], resolver), 'in_port=2')).toThrow('no port 2');
  });
});

describe('what a packet brings along', () => {
  const text = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: inner}
spec:
  tables:
    - name: in
      rules:
        - {name: tagged, match: {in_port: a/0, metadata: 5, reg1: 7}, do: [{output: b/0}]}
        - {name: other, match: {in_port: b/0}, do: ["learn(table=9,idle_timeout=60,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])"]}
`;

  it('counts', () => {
    const { outcome } = tracePacket(input(text), 'tcp,in_port=a/0,metadata=0x5,reg1=7');
    expect(outcome.delivered).toMatchObject([{ name: 'b/0' }]);
    expect(tracePacket(input(text), 'tcp,in_port=a/0,metadata=0x5').outcome.delivered).toEqual([]);
  });

  it('has exact values', () => {
    expect(() => tracePacket(input(text), 'tcp,in_port=a/0,reg1=7/0xf')).toThrow(
      new PacketError('a packet has exact values; reg1 has a mask'),
    );
  });

  it('and what would be learned is said', () => {
    const { steps } = tracePacket(input(text), 'tcp,in_port=b/0,dl_src=00:16:3e:00:00:02');
    expect(steps).toContainEqual({
      depth: 0,
      step: 'learn',
      verdict: 'asked',
      text: expect.stringMatching(/^table=9,idle_timeout=60,priority=32768,dl_dst=00:16:3e:00:00:02 actions=output:/),
    });
  });
});
