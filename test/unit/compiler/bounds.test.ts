/** Small files that ask for very much: an answer comes, and no more memory than the limits allow is used. */
import { describe, expect, it } from 'vitest';
import { compiled, said } from './cases.js';

const document = (kind: string, spec: string) =>
  `apiVersion: xvif.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: big}\nspec: ${spec}\n`;
const times = (count: number, text: (index: number) => string): string =>
  Array.from({ length: count }, (_, index) => text(index)).join(', ');

describe('rules that would become more than is allowed', () => {
  it('of an Acl: ports times prefixes', () => {
    const ports = times(4096, () => '1-65534');
    const remote = times(4096, (n) => `10.${n >> 8}.${n & 255}.0/24`);
    const rule = `{direction: ingress, protocol: tcp, ports: [${ports}], remote: [${remote}]}`;
    const { program, diagnostics } = compiled(document('Acl', `{members: [web/0], rules: [${rule}]}`));
    expect(said(diagnostics)).toContain(
      'error value: lists and ranges make 503316480 matches of this rule; at most 4096',
    );
    expect(program.flows.length).toBeLessThan(100);
  });

  it.each([
    ['mpls_label', ''],
    ['ip_proto', ''],
    ['icmp_code', 'protocol: icmp, '],
    ['tcp_dst', ''],
    ['dst_port', ''],
  ])('of a FlowSet: a list of ranges of %s', (field, more) => {
    const values = times(4096, () => '0-255');
    const rule = `{match: {${more}${field}: [${values}]}, do: drop}`;
    const { program, diagnostics } = compiled(document('FlowSet', `{tables: [{name: t, rules: [${rule}]}]}`));
    expect(said(diagnostics)).toMatch(/^5:|error expansion: lists and ranges /);
    expect(program.flows).toEqual([]);
  });
});
