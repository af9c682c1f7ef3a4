/** One rule of very many flows is compiled in steps, between which a daemon answers others. */
import { expect, it } from 'vitest';
import { atOnce } from '../../../src/base/slices.js';
import { compileDocuments, Diagnostics, PlaceholderPorts, readSteps, SourceFile } from '../../../src/compiler/index.js';
import { said } from './cases.js';

const FLOWS_PER_STEP = 17;
const addresses = Array.from({ length: 4000 }, (_, n) => `10.0.${n >> 8}.${n & 255}`).join(', ');

it.each([
  ['Acl', `{members: [web/0], rules: [{direction: ingress, protocol: tcp, remote: [${addresses}]}]}`],
  ['FlowSet', `{tables: [{name: t, rules: [{match: {src_ip: [${addresses}]}, do: drop}]}]}`],
])('%s', (kind, spec) => {
  const text = `apiVersion: xvif.dev/v1alpha1\nkind: ${kind}\nmetadata: {name: big}\nspec: ${spec}\n`;
  const diagnostics = new Diagnostics();
  const read = atOnce(readSteps([new SourceFile('f.yaml', text)], diagnostics));
  const steps = compileDocuments(read, new PlaceholderPorts(), diagnostics);
  let [count, step] = [0, steps.next()];
  for (; step.done !== true; step = steps.next()) count++;
  expect(diagnostics.errors, said(diagnostics)).toBe(0);
  expect(step.value.flows.length).toBeGreaterThanOrEqual(4000);
  expect(count).toBeGreaterThan(4000 / FLOWS_PER_STEP);
});
