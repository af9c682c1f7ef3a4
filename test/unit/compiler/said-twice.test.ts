/** Keys of a match that share bits are refused; those that do not go together. */
import { formatFlow } from 'node-openflow/text';
import { describe, expect, it } from 'vitest';
import { compiled, said } from './cases.js';

function outcome(match: string): string {
  const { program, diagnostics } = compiled(`apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop}
spec:
  tables:
  - name: t
    rules:
    - {name: web, priority: 9, match: ${match}, do: drop}
`);
  if (diagnostics.errors > 0) return said(diagnostics).replace(/^\S+ /, '');
  return formatFlow({ ...program.flows[0]!.mod, cookie: 0n }).replace(/priority=9,(.*) actions=drop/, '$1');
}

describe('keys of a match', () => {
  it.each([
    ['dscp: 3', 'nw_tos: 16'],
    ['nw_tos: 16', 'ip_dscp: 3'],
    ['vlan_tci: 0x1003', 'dl_vlan_pcp: 3'],
    ['vlan: [any, none]', 'vlan_pcp: 3'],
    ['dl_vlan_pcp: 3', 'vlan_pcp: 3'],
    ['vlan_tci: 0xe000/0xe000', 'dl_vlan: 5'],
    ['reg0: 1', 'xreg0: 3'],
    ['xxreg0: 1', 'reg3: 3'],
    ['in_port: 1', 'in_port_oxm: 2'],
  ])('%s and %s are of the same bits', (one, other) => {
    const [first, second] = [one, other].map((text) => text.split(':')[0]);
    expect(outcome(`{${one}, ${other}}`)).toBe(`error duplicate: ${second} says again what ${first} says`);
  });

  it.each([
    ['{ip_dscp: 3, nw_ecn: 1}', 'ip,nw_tos=12,nw_ecn=1'],
    ['{nw_tos: 16, nw_ecn: 1}', 'ip,nw_tos=16,nw_ecn=1'],
    ['{dl_vlan: 5, vlan_pcp: 3}', 'dl_vlan=5,dl_vlan_pcp=3'],
    ['{vlan_pcp: 3, vlan: 4-7}', 'vlan_tci=0x7004/0xfffc'],
    ['{vlan_pcp: 3, vlan: any}', 'dl_vlan_pcp=3'],
    ['{vlan_pcp: 3}', 'dl_vlan_pcp=3'],
    ['{reg0: 1, xreg1: 3}', 'reg0=0x1,reg2=0,reg3=0x3'],
  ])('%s are of different bits, and both are asked for', (match, flow) => {
    expect(outcome(match)).toBe(flow);
  });
});
