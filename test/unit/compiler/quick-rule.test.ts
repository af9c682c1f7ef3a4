/** Flows that are made at once are those that ovs-ofctl's words become, and what is wrong is said the same way. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compiled } from './cases.js';

interface Rule {
  readonly match: Readonly<Record<string, unknown>>;
  readonly do: unknown;
  readonly priority: number;
}

const variable = (name: string): string => `\${${name}}`;
/** Rules with flags are never made at once. */
const FLAG = 'no_byte_counts';
const document = (rules: readonly Rule[], more: object): string =>
  JSON.stringify({
    apiVersion: 'xvif.dev/v1alpha1',
    kind: 'FlowSet',
    metadata: { name: 'a' },
    spec: {
      vars: { v4: '10.0.0.9', list: ['10.0.0.1', '10.0.0.2'], v6: 'fd00::1' },
      tables: [{ name: 't', rules: rules.map((rule) => ({ ...rule, ...more })) }],
    },
  });

function outcome(rules: readonly Rule[], more: object) {
  const { program, diagnostics } = compiled(document(rules, more));
  const said = diagnostics.sorted().map(({ code, message }) => `${code} ${message}`);
  return { flows: program.flows.map(({ mod }) => ({ ...mod, flags: 0 })), said: said.sort() };
}

function agrees(rules: readonly Rule[]): number {
  const quick = outcome(rules, {});
  expect(quick).toEqual(outcome(rules, { flags: [FLAG] }));
  return quick.flows.length;
}

const text = (...values: unknown[]) => fc.constantFrom(...values);
const ipv4 = text(
  '10.0.0.1',
  '10.1.2.3/24',
  '10.1.2.3/32',
  '0.0.0.0/0',
  '010.0.0.1',
  '256.0.0.1',
  '10.0.0.1-10.0.0.5',
  variable('v4'),
  variable('list'),
  'fd00::1',
  variable('v6'),
  variable('no'),
  ['10.0.0.1', '10.0.0.7'],
  'x',
);
const port = text(0, 80, '80', '0x50', '0X50', 65_535, 65_536, '8000-8099', [80, 443], '080', '-1', '80/0xff', '');
const mac = text(
  '02:00:00:00:00:01',
  '2:0:0:0:0:1',
  'ff:ff:ff:ff:ff:ff',
  '01:00:00:00:00:00/01:00:00:00:00:00',
  '02:00',
);
const values: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  in_port: text(1, '7', 65_279, 65_280, 'LOCAL', 'web/0', 4_294_967_295, [1, 2], { vm: 'a' }),
  protocol: text(
    'tcp',
    'udp4',
    'icmp',
    'icmp6',
    'ip',
    'arp',
    'tcp6',
    'sctp',
    6,
    17,
    'nope',
    ['tcp', 'udp'],
    variable('v4'),
  ),
  ...Object.fromEntries(['eth_src', 'dl_dst', 'dst_mac'].map((name) => [name, mac])),
  ...Object.fromEntries(['ip_src', 'nw_src', 'src_ip', 'ip_dst', 'dst_ip'].map((name) => [name, ipv4])),
  ...Object.fromEntries(
    ['tcp_src', 'tcp_dst', 'udp_dst', 'sctp_src', 'dst_port', 'tp_src'].map((name) => [name, port]),
  ),
  vlan: text(0, 5, '5', 4095, 4096, 'none', 'any', '5-9'),
  reg0: text(0, 5, '0xffffffff', 4_294_967_296, '5/0xf', 'x'),
  reg7: text(1),
  eth_type: text(0x0800, '0x806'),
  arp_spa: text('10.0.0.1'),
  metadata: text(5),
};
const match = fc
  .subarray(Object.keys(values), { maxLength: 4 })
  .chain((keys) => fc.record(Object.fromEntries(keys.map((key) => [key, values[key]!]))));
const does = text(
  'normal',
  'drop',
  [{ output: 2 }],
  [{ output: ['web/0', 3] }],
  [{ set: { reg0: 5 } }, { goto: 't' }],
  [{ set: { tcp_dst: 80 } }, 'normal'],
  [{ set: { src_ip: '10.0.0.1' } }, 'normal'],
  [{ set: { dst_ip: 'fd00::1' } }, 'normal'],
  [{ set: { vlan: 7 } }, 'normal'],
  ['strip_vlan', { output: 1 }],
  ['set_field:5->vlan_vid', 'resubmit(,0)'],
  [{ push_vlan: 5 }, { output: 1 }],
  [{ group: 'no' }],
  ['nonsense'],
  [{ output: 'UNKNOWN' }],
  [{ write: [{ output: 1 }] }],
  [{ set: { dscp: 10 } }, 'normal'],
  [`set_field:${variable('v4')}->ip_dst`, 'normal'],
);

describe('a rule', () => {
  it('of the usual kind', () => {
    const rules = [
      {
        match: { in_port: 1, dst_ip: '10.1.2.3/8', tcp_dst: 80 },
        do: [{ set: { reg0: 1 } }, { output: 2 }],
        priority: 5,
      },
      {
        match: { protocol: 'tcp', dst_port: '0x50', vlan: 7, src_mac: '02:00:00:00:00:01' },
        do: 'normal',
        priority: 6,
      },
      { match: { reg1: 5, src_ip: variable('v4') }, do: 'drop', priority: 7 },
    ];
    expect(agrees(rules)).toBe(4);
  });

  it('is the same flow either way', () => {
    let flows = 0;
    fc.assert(
      fc.property(fc.array(fc.record({ match, do: does }), { minLength: 1, maxLength: 4 }), (rules) => {
        flows += agrees(rules.map((rule, n) => ({ ...rule, priority: 9 - n })));
      }),
      { numRuns: Number(process.env.XVIF_FUZZ_RUNS ?? 1000) },
    );
    expect(flows).toBeGreaterThan(0);
  }, 600_000);
});
