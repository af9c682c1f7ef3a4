/**
 * os-ken's switch certification: its tester application, with Open vSwitch on the other end of three wires, installs
 * flows, reads them back, and compares what comes out with what should. The part of it that docs/conformance.md names.
 */
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Pattern, patterns } from '../conformance/patterns.js';
import { groupPatterns } from '../conformance/patterns-groups.js';
import { patterns10 } from '../conformance/patterns10.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { Child, freePort, root, sh } from '../lab/process.js';
import { Wires } from '../lab/wires.js';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 400_000 });

const dpid = (n: number) => n.toString(16).padStart(16, '0');

/**
 * The tester takes a packet-in of the pattern before, or none, for an answer where the machine is slow. So many that
 * failed are tested once more, with a pause before each.
 */
const AGAIN_MAX = 10;

/** The switch under test, as the whole suite starts and stops it. */
class Adapter {
  readonly #env: NodeJS.ProcessEnv;

  constructor(settings: Record<string, string>) {
    this.#env = { ...process.env, ...settings };
  }

  async run(verb: 'start' | 'stop'): Promise<void> {
    await promisify(execFile)(join(root, 'test/conformance/adapter'), [verb], { env: this.#env });
  }
}

describe.each([
  ['1.0', patterns10],
  ['1.3', [...patterns, ...groupPatterns]],
  ['1.4', [...patterns, ...groupPatterns]],
] as const)('certification in OpenFlow %s', (version, all) => {
  const protocol = `OpenFlow${version.replace('.', '')}`;
  const folder = mkdtempSync(join(tmpdir(), 'xvif-certify-'));
  const wires = new Wires();
  let adapter: Adapter;
  let ovs: OpenVswitch;
  let tester: Child;
  /** What was tested, and OK or what went wrong. */
  let results: Map<string, string>;

  /** Runs the tester with `chosen`, `interval` seconds between two of them. */
  const test = async (port: number, chosen: readonly Pattern[], interval: number) => {
    writeFileSync(join(folder, 'patterns.json'), JSON.stringify(['part', ...chosen]));
    const options = {
      target: dpid(1),
      tester: dpid(2),
      dir: join(folder, 'patterns.json'),
      'target-version': protocol.toLowerCase(),
      'tester-version': protocol.toLowerCase(),
      interval: `${interval}`,
    };
    tester = new Child('osken-manager', [
      ...['--ofp-listen-host', '127.0.0.1', '--ofp-tcp-listen-port', `${port}`],
      ...Object.entries(options).flatMap(([name, value]) => [`--test-switch-${name}`, value]),
      'os_ken.tests.switch.tester',
    ]);
    await tester.ended();
    const found = new Map<string, string>();
    const lines = tester.output.split('\n');
    for (const [i, line] of lines.entries()) {
      const result = /^ {4}(\S.*?) +(OK|ERROR)$/.exec(line);
      if (result === null || found.has(result[1]!)) continue;
      found.set(result[1]!, result[2] === 'OK' ? 'OK' : `${lines[i + 1]?.trim()}`);
    }
    return found;
  };

  beforeAll(async () => {
    const port = await freePort();
    const target = `tcp:127.0.0.1:${port}`;
    const pairs = [await wires.add(), await wires.add(), await wires.add()];
    for (const end of pairs.flat()) await sh('ethtool', '-K', end, 'tx', 'off', 'rxvlan', 'off', 'txvlan', 'off');
    adapter = new Adapter({
      CERT_IFS: pairs.map(([device]) => device).join(' '),
      CERT_DPID: dpid(1),
      CERT_CTL: target,
      CERT_PROTO: protocol,
      CERT_DIR: folder,
    });
    await adapter.run('start');
    ovs = await OpenVswitch.start();
    await ovs.control(
      target,
      protocol,
      2,
      pairs.map(([, device]) => device),
    );
    results = await test(port, all, 0);
    const again = all.filter(({ description }) => results.get(description) !== 'OK');
    if (again.length === 0 || again.length > AGAIN_MAX) return;
    for (const { description } of again) console.warn(`again: ${description}: ${results.get(description)}`);
    for (const [name, result] of await test(port, again, 1)) results.set(name, result);
  });

  afterAll(async () => {
    await tester?.stop();
    await ovs?.stop();
    await adapter?.run('stop');
    await wires.stop();
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  });

  it.each(all.map(({ description }) => description))('%s', (description) => {
    const log = () =>
      `${tester.output.slice(-2000)}\n${readFileSync(join(folder, 'xvifd/xvifd.log'), 'utf8').slice(-2000)}`;
    expect(results.get(description) ?? `no result:\n${log()}`).toBe('OK');
  });
});
