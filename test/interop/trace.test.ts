/** `xvif trace --switch` on Open vSwitch: what becomes of the packets of flows/ is what ofproto/trace says of them. Needs root. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { ApiClient } from '../../src/api/client.js';
import { trace } from '../../src/cli/trace.js';
import type { TraceReport } from '../../src/simulator/trace-report.js';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { sh } from '../lab/process.js';

const PORTS = [1, 2, 3, 4, 5, 6, 7, 8, 9];
const flows = fileURLToPath(new URL('../../flows/', import.meta.url));
/** Is not asked. */
const api = new ApiClient('/nowhere');
const folder = mkdtempSync(join(tmpdir(), 'xvif-trace-'));

/** Port names of the shipped files, given to ports in the order in which they are met. */
function portFile(text: string): string {
  const names = new Set(
    [...text.matchAll(/(?<![\w:.-])([a-z][\w-]*\/\d)\b|in_port=([a-z][\w-]*)(?![\w-]*\/)|vm: ([\w-]+)/g)].map(
      ([, guest, name, vm]) => guest ?? name ?? `${vm}/0`,
    ),
  );
  const list = [...names].map((name, i) => {
    const [vm, device] = name.split('/');
    return device === undefined ? { number: i + 1, name } : { number: i + 1, vm, device: Number(device) };
  });
  return JSON.stringify({ ports: list });
}

interface Case {
  readonly file: string;
  readonly packet: string;
}
const cases: readonly Case[] = readdirSync(flows)
  .filter((name) => name.endsWith('.yaml'))
  .flatMap((file) =>
    parseAllDocuments(readFileSync(join(flows, file), 'utf8')).flatMap((document) => {
      const { spec } = document.toJS() as { spec: { tests?: { packet: string }[] } };
      return (spec.tests ?? []).map(({ packet }) => ({ file, packet }));
    }),
  );

describe('xvif trace and ofproto/trace', () => {
  let peer: OpenVswitch;
  let bridge: string;
  /** Datapath port → OpenFlow port. */
  const numbers = new Map<string, number>();

  beforeAll(async () => {
    peer = await OpenVswitch.start('dummy', PORTS);
    bridge = (await peer.vsctl('list-br')).trim();
    await sh('ovs-ofctl', '-O', 'OpenFlow13', 'mod-port', peer.target, bridge, 'up');
    // As xvifd: the ports of first fragments are matched.
    await sh('ovs-ofctl', '-O', 'OpenFlow13', 'set-frags', peer.target, 'nx-match');
    for (const [, of, dp] of (await peer.appctl('dpif/show')).matchAll(/^\s+\S+ (\d+)\/(\d+):/gm)) {
      numbers.set(dp!, Number(of) === 65534 ? 0xffff_fffe : Number(of));
    }
  }, 300_000);
  afterAll(async () => {
    await peer?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** What leaves by the words of "Datapath actions: push_vlan(vid=5,pcp=0),2,3". */
  async function theirs(inPort: number, frame: string): Promise<{ ports: number[]; controller: boolean }> {
    const traced = await peer.appctl(
      'ofproto/trace',
      bridge,
      `in_port=${inPort === 0xffff_fffe ? 'LOCAL' : inPort}`,
      frame,
    );
    const [, actions] = /^Datapath actions: (.*)$/m.exec(traced)!;
    const words = actions!.replace(/\([^()]*(\([^()]*\)[^()]*)*\)/g, '').split(',');
    const ports = words.flatMap((word) => (numbers.has(word) ? [numbers.get(word)!] : []));
    return { ports: ports.sort((a, b) => a - b), controller: words.includes('userspace') };
  }

  it('there is something to compare', () => expect(cases.length).toBeGreaterThan(25));

  for (const file of new Set(cases.map(({ file }) => file))) {
    it(`agree on ${file}`, async () => {
      const path = join(flows, file);
      const ports = join(folder, `${file}.ports`);
      writeFileSync(ports, portFile(readFileSync(path, 'utf8')));
      const where = ['--switch', peer.target, '--ports', ports];
      await sh('ovs-ofctl', '-O', 'OpenFlow13', 'del-flows', peer.target);
      const applied = await run('xvif', 'apply', path, ...where);
      expect(applied.code, applied.output).toBe(0);
      for (const { packet } of cases.filter((each) => each.file === file)) {
        await peer.appctl('fdb/flush', bridge);
        let output = '';
        const context = {
          api,
          json: true,
          print: (text: string) => {
            output += text;
          },
        };
        await trace(context, [path], packet, {
          switch: peer.target,
          bridge: '',
          model: false,
          port: [],
          ports,
          format: 'text',
        });
        const { packet: made, outcome, left } = JSON.parse(output) as TraceReport;
        expect(left).toEqual([]);
        const ours = outcome.delivered.map(({ port }) => port).sort((a, b) => a - b);
        const expected = await theirs(made.port, made.frame);
        expect({ ports: ours, controller: outcome.controller.length > 0 }, `${file}: ${packet}`).toEqual(expected);
      }
      // The next file has other owners.
      expect((await run('xvif', 'delete', path, ...where)).code).toBe(0);
    }, 300_000);
  }
});
