/**
 * os-ken's switch certification: its tester application, with Open vSwitch on the other end of three wires, installs
 * flows, reads them back, and compares what comes out with what should. The part of fields and actions that is in
 * test/conformance/patterns.ts, in 1.3 and 1.4.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { patterns } from '../conformance/patterns.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { Child, freePort, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { Wires } from '../lab/wires.js';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 60_000, hookTimeout: 400_000 });

/** What the tester says when the frame came out, but its own switch, asked too soon after new flows, sent no packet-in. */
const testerLost = 'Receiving timeout: increment in rx_packets in tester.';

describe.each(['1.3', '1.4'])('certification in OpenFlow %s', (version) => {
  const protocol = `OpenFlow${version.replace('.', '')}`;
  const folder = mkdtempSync(join(tmpdir(), 'xvif-certify-'));
  const wires = new Wires();
  let xvif: TestSwitch;
  let ovs: OpenVswitch;
  let tester: Child;
  /** What was tested, and OK or what went wrong. */
  let results: Map<string, string>;

  /** Runs the tester with `chosen`, `interval` seconds between two of them. */
  const test = async (port: number, chosen: typeof patterns, interval: number) => {
    writeFileSync(join(folder, 'patterns.json'), JSON.stringify(['part', ...chosen]));
    const options = {
      target: '1'.padStart(16, '0'),
      tester: '2'.padStart(16, '0'),
      dir: folder,
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
    xvif = await TestSwitch.start({
      args: [
        ...['--controller', target, '--datapath-id', '1', '--protocols', protocol, '--local', 'null'],
        ...pairs.flatMap(([device], i) => ['--port', `p${i + 1}=packet:${device}`]),
      ],
    });
    ovs = await OpenVswitch.start();
    await ovs.control(
      target,
      protocol,
      2,
      pairs.map(([, device]) => device),
    );
    results = await test(port, patterns, 0);
    const again = patterns.filter(({ description }) => results.get(description) === testerLost);
    if (again.length > 0) for (const [name, result] of await test(port, again, 1)) results.set(name, result);
  });

  afterAll(async () => {
    await tester?.stop();
    await ovs?.stop();
    await xvif?.stop();
    await wires.stop();
    rmSync(folder, { recursive: true });
  });

  it.each(patterns.map(({ description }) => description))('%s', (description) => {
    expect(results.get(description) ?? `no result:\n${tester.output.slice(-2000)}`).toBe('OK');
  });
});
