/** What chain show counts and chain trace follows, on the shipped chain. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { compile, Diagnostics, PlaceholderPorts, SourceFile } from '../../../src/compiler/index.js';
import { countInstances, packetsByCookie } from '../../../src/reconcile/index.js';
import { traceChains } from '../../../src/simulator/trace-chain.js';

const path = fileURLToPath(new URL('../../../flows/web-inspect-chain.yaml', import.meta.url));
const diagnostics = new Diagnostics();
const source = new SourceFile('chain.yaml', readFileSync(path, 'utf8').replace('fallback: closed', 'fallback: open'));
const program = compile([source], new PlaceholderPorts(), diagnostics);
const macOf = (name: string): string => program.ports.ports.find(({ vm }) => vm === name)!.mac!;

it('counts what goes into an instance by buckets, and what comes back by flows', () => {
  const [hop] = program.chains[0]!.hops;
  const { buckets, returned } = hop!.instances[0]!;
  const counts = new Map([[buckets[0]!.group, [10n, 4n, 2n]]]);
  const lines = countInstances(
    program,
    packetsByCookie([
      { cookie: returned!, packetCount: 5n },
      { cookie: 1n, packetCount: 99n },
      { cookie: returned!, packetCount: 2n },
    ]),
    counts,
  );
  const line = (index: number) => {
    const { hop: name, direction, instance, packetsIn, packetsOut, lost } = lines[index]!;
    return [name, direction, instance, packetsIn, packetsOut, lost];
  };
  expect(line(0)).toEqual(['fw', 'forward', 'fw-a', 10n, 7n, 3n]);
  expect(line(1)).toEqual(['fw', 'forward', 'fw-b', 4n, 0n, 4n]);
  expect(line(2)).toEqual(['fw', 'forward', '(skipped)', 2n, undefined, undefined]);
  expect(line(3)).toEqual(['ids', 'forward', '1', 0n, undefined, undefined]);
  expect(lines.slice(4).map(({ hop: name, direction }) => `${name} ${direction}`)).toEqual([
    'ids reverse',
    'fw reverse',
    'fw reverse',
    'fw reverse',
  ]);
});

it('follows a packet through the hops and out', () => {
  const there = traceChains(program, `tcp,in_port=client/0,dl_dst=${macOf('server')},tp_dst=80`, diagnostics);
  expect(there).toMatchObject({
    steps: [
      { hop: 'fw', instance: 'fw-a', mode: 'inline', direction: 'forward', into: 'fw-a/0', outOf: 'fw-a/1' },
      { hop: 'ids', mode: 'tap', direction: 'forward', into: 'ids/0' },
    ],
    outputs: ['server/0'],
  });
  const back = traceChains(program, `tcp,in_port=server/0,dl_dst=${macOf('client')},tp_src=80`, diagnostics);
  expect(back).toMatchObject({
    steps: [
      { hop: 'ids', mode: 'tap', direction: 'reverse' },
      { hop: 'fw', instance: 'fw-a', direction: 'reverse', into: 'fw-a/1', outOf: 'fw-a/0' },
    ],
    outputs: ['client/0'],
  });
});

it('says where a packet ends, and what is no packet', () => {
  const lost = traceChains(program, 'tcp,in_port=client/0,dl_dst=02:00:00:00:00:99,tp_dst=80', diagnostics);
  expect(lost).toMatchObject({ outputs: [], ended: expect.arrayContaining(['web-inspect/exit/all']) });
  expect(traceChains(program, 'tcp,tp_dst=80', diagnostics)).toBe('a packet comes in by a port: in_port is missing');
  expect(traceChains(program, 'tcp,tp_dsst=80', diagnostics)).toContain('column 5');
  expect(diagnostics.sorted()).toEqual([]);
});
