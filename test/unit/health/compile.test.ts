/** What of health depends on who compiles it, and how much of it there may be. */
import { describe, expect, it } from 'vitest';
import { compile, Diagnostics, PlaceholderPorts, SourceFile } from '../../../src/compiler/index.js';
import { HEALTH_PROBES_PER_SECOND_MAX } from '../../../src/compiler/limits.js';
import { said } from '../compiler/cases.js';

function chain(health: string, instances = 1, lint = '') {
  const lines = Array.from({ length: instances }, (_, i) => `    - {ingress: a${i}/0, egress: a${i}/1}\n`);
  return `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: c}
spec:
  classifiers: [{name: web, match: {tcp_dst: 80}}]
${lint}  hops:
  - name: fw
    health: ${health}
    instances:
${lines.join('')}`;
}

function compiled(text: string, localAgents: boolean) {
  const diagnostics = new Diagnostics();
  const source = new SourceFile('f.yaml', text);
  return { program: compile([source], new PlaceholderPorts(), diagnostics, { localAgents }), diagnostics };
}

describe('where nobody asks', () => {
  it('instances are up while their ports are, and it is said', () => {
    const { program, diagnostics } = compiled(chain('{type: icmp}'), false);
    expect(said(diagnostics)).toBe(
      '8:20 warning health: health by icmp is asked for by xvifd, in documents that it keeps; here an instance is up while its ingress port is',
    );
    expect(program.checks).toEqual([]);
    expect(program.groups.map(({ mod }) => mod.buckets[0]!.watchPort)).toEqual([
      program.chains[0]!.hops[0]!.instances[0]!.into,
    ]);
    expect(said(compiled(chain('{type: icmp}', 1, '  lint: {allow: [health]}\n'), false).diagnostics)).toBe('');
  });

  it('nothing is said of the state of ports, and mistakes are mistakes', () => {
    expect(said(compiled(chain('{type: port-state}'), false).diagnostics)).toBe('');
    expect(said(compiled(chain('{type: tcp}'), false).diagnostics)).toContain('8:13 error missing: port is missing');
  });
});

describe('where xvifd asks', () => {
  it('each instance has a group of its own that the hop watches', () => {
    const { program, diagnostics } = compiled(chain('{type: icmp}', 2), true);
    expect(said(diagnostics)).toBe('');
    const watched = program.groups.at(-1)!.mod.buckets.map(({ watchGroup }) => watchGroup);
    expect(watched).toEqual(program.checks.map(({ liveness }) => liveness));
    expect(new Set(watched).size).toBe(2);
  });

  it('there is an end to how much', () => {
    expect(said(compiled(chain('{type: icmp, interval: 0.1}', 50), true).diagnostics)).toBe('');
    expect(said(compiled(chain('{type: icmp, interval: 0.1}', 51), true).diagnostics)).toBe(
      `8:13 error limit: health of all chains makes 510 probes a second; at most ${HEALTH_PROBES_PER_SECOND_MAX}`,
    );
  });
});
