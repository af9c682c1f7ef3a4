/** The other side of an Acl's rule by labels: members of all Acls that are compiled together. */
import { formatFlow } from 'node-openflow/text';
import { expect, it } from 'vitest';
import { compiled, said } from './cases.js';

const acl = (name: string, labels: string, table: number, members: string, rules: string): string => `
apiVersion: xvif.dev/v1alpha1
kind: Acl
metadata: {name: ${name}, labels: {${labels}}}
spec: {table: ${table}, basics: false, members: [${members}], next: ${table === 0 ? '{goto: 2}' : 'normal'}, rules: [${rules}]}
`;
const member = (n: number, more = ''): string =>
  `{port: vm${n}/0, mac: "02:00:00:00:00:0${n}", addresses: [10.0.0.${n}]${more}}`;
const files = (rule: string): string =>
  [
    acl('shop', 'app: shop, tier: web', 0, `${member(1)}, ${member(2, ', labels: {tier: cache}')}`, ''),
    acl('mail', 'app: mail, tier: web', 2, `${member(3)}, {port: vm4/0, mac: "02:00:00:00:00:04"}`, ''),
    acl(
      'db',
      'app: shop, tier: db',
      4,
      member(5),
      `{name: in, direction: ingress, protocol: tcp, ports: [5432], ${rule}}`,
    ),
  ].join('---');

/** What may come in to the database, by source. */
function sources(rule: string): string[] {
  const { program, diagnostics } = compiled(files(rule));
  expect(diagnostics.errors, said(diagnostics)).toBe(0);
  return program.flows
    .filter(({ origin }) => origin.name === 'ingress/in')
    .map(({ mod }) => /nw_src=([^, ]+)/.exec(formatFlow(mod))![1]!);
}
const complaints = (rule: string): string[] =>
  said(compiled(files(rule)).diagnostics)
    .split('\n')
    .filter((line) => line.includes(' error '))
    .map((line) => line.replace(/^\S+ /, ''));

it('takes members who have all of the labels, their own before those of their document', () => {
  expect(sources('remote_labels: {tier: web}')).toEqual(['10.0.0.1', '10.0.0.3']);
  expect(sources('remote_labels: {app: shop}')).toEqual(['10.0.0.1', '10.0.0.2', '10.0.0.5']);
  expect(sources('remote_labels: {app: shop, tier: web}')).toEqual(['10.0.0.1']);
  expect(sources('remote_labels: {tier: cache}')).toEqual(['10.0.0.2']);
});

it('says where nobody has them, where no address is known, and where the other side is said twice', () => {
  expect(complaints('remote_labels: {tier: none, app: shop}')).toEqual([
    'error name: no member of an Acl has the labels tier=none, app=shop',
  ]);
  expect(complaints('remote_labels: {constructor: web}')).toEqual([
    'error name: no member of an Acl has the labels constructor=web',
  ]);
  expect(complaints('remote_acl: shop, remote_labels: {tier: web}')).toEqual([
    'error value: the other side is said twice: give one of remote, remote_acl, remote_labels',
  ]);
  expect(complaints('remote_labels: {}')).toHaveLength(1);
  const alone = acl(
    'a',
    'tier: web',
    0,
    '{port: 1, mac: "02:00:00:00:00:01"}',
    '{direction: ingress, remote_labels: {tier: web}}',
  );
  expect(said(compiled(alone).diagnostics)).toContain(
    'the addresses of the members with tier=web are not known: write {port: …, addresses: […]}',
  );
});
