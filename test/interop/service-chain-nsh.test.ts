/** A chain whose instance takes service headers (RFC 8300), on xvifd and on Open vSwitch: how its flows count packets. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { tcpFrame } from '../differential/frames.js';
import { run } from '../e2e/programs.js';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-chain-nsh-'));
const file = join(folder, 'chain.yaml');
const chain = `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: c}
spec:
  classifiers:
  - {name: web, match: {tcp_dst: 80}}
  hops:
  - name: fw
    instances:
    - {name: a, ingress: fw/0, nsh: aware}
  correlation: {nsh: 100}
  exit: {port: server/0}
`;
const [CLIENT, FIREWALL, SERVER] = [1, 2, 3];
const frame = Buffer.from(tcpFrame()).toString('hex');
/** As the firewall sends it: a frame of the same addresses, TTL 63, MD type 1, path 100. */
const fromFirewall = (index: number): string =>
  `${frame.slice(0, 24)}894f0fc60103000064${index.toString(16).padStart(2, '0')}${'0'.repeat(32)}${frame}`;

interface Peer {
  readonly target: string;
  stop(): Promise<void>;
}
const peers: readonly (readonly [string, () => Promise<Peer>])[] = [
  ['Open vSwitch', () => OpenVswitch.start('dummy', [CLIENT, FIREWALL, SERVER])],
  [
    'xvifd',
    () => {
      const ports = ['one', 'two', 'three'].flatMap((name) => ['--port', `${name}=null`]);
      return TestSwitch.start({ args: ['--fail-mode', 'secure', '--local', 'null', ...ports] });
    },
  ],
];

afterAll(() => rmSync(folder, { recursive: true }));

describe.each(peers)('%s', (_, start) => {
  let peer: Peer;
  const ofctl = (command: string, ...args: string[]) =>
    sh('ovs-ofctl', '-O', 'OpenFlow13', '--no-names', command, peer.target, ...args);
  const send = (port: number, packet: string) =>
    ofctl('packet-out', `in_port=${port},packet=${packet},actions=resubmit(,0)`);
  /** Packets of the one flow that has these words. */
  const counted = async (words: RegExp): Promise<number> => {
    const found = (await ofctl('dump-flows')).split('\n').filter((line) => words.test(line));
    expect(found).toHaveLength(1);
    return Number(/n_packets=(\d+)/.exec(found[0]!)![1]);
  };
  const becomes = (words: RegExp, count: number) =>
    eventually(`${words} has ${count}`, async () => (await counted(words)) === count);

  beforeAll(async () => {
    peer = await start();
    await eventually('it answers', async () => (await ofctl('show')).length > 0);
    // Of the learning switch that one of them begins as.
    await ofctl('del-flows');
    writeFileSync(file, chain);
    const names = [`client/0=${CLIENT}`, `fw/0=${FIREWALL}`, `server/0=${SERVER}`].flatMap((port) => ['--port', port]);
    const applied = await run('xvif', 'apply', file, '--switch', peer.target, ...names);
    expect(applied.code, applied.output).toBe(0);
  }, 120_000);
  afterAll(() => peer?.stop());

  it('wraps what goes to the instance, and knows what comes back by path and index', async () => {
    await send(CLIENT, frame);
    await becomes(/actions=move.*encap\(nsh\(md_type=1\)\),.*output:2$/, 1);
    await send(FIREWALL, fromFirewall(254));
    await becomes(/nsh_spi=0x64,nsh_si=254 actions=decap\(\),decap\(\)/, 1);
    await becomes(/actions=output:3$/, 1);
  }, 120_000);

  it('takes nothing back whose index is not one less', async () => {
    await send(FIREWALL, fromFirewall(255));
    await becomes(/priority=40000,in_port=2 actions=drop/, 1);
    expect(await counted(/actions=output:3$/)).toBe(1);
  }, 120_000);
});
