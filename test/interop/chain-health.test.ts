/**
 * Health of a chain's instances with real kernels behind TAP devices: a firewall dies under load while its ports stay up, and
 * the other one takes over; taps are asked at their addresses. Needs root.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ApiClient } from '../../src/api/client.js';
import type { ChainInstance } from '../../src/api/messages.js';
import { apiSocketPath } from '../../src/api/run-dir.js';
import { Child, eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';

const program = fileURLToPath(new URL('hops.py', import.meta.url));
const PORT = 443;
const SERVER = '10.0.0.2';
const LISTENING = 9999;
const WAIT_MS = 120_000;

/** Machines and their devices; each device is a guest's of its own, called like machine and number. */
const machines = { client: 1, server: 1, fwa: 2, fwb: 2, idsa: 1, idsb: 1 } as const;
type Machine = keyof typeof machines;

const document = `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: guarded}
spec:
  classifiers:
    - {name: tcp, match: {tcp_dst: ${PORT}}}
    - {name: udp, match: {udp_dst: ${PORT}}}
  hops:
    - name: fw
      behaviour: failover
      health: {type: icmp, interval: 0.5, timeout: 0.4, down: 2}
      instances:
        - {name: a, ingress: fwa0/0, egress: fwa1/0}
        - {name: b, ingress: fwb0/0, egress: fwb1/0}
    - name: pinged
      mode: tap
      health: {type: icmp, interval: 1, source: {address: 10.0.0.250}}
      instances: [{name: i, ingress: idsa0/0, address: 10.0.0.21}]
    - name: called
      mode: tap
      health: {type: tcp, port: ${LISTENING}, interval: 1, source: {address: 10.0.0.250}}
      instances: [{name: i, ingress: idsb0/0, address: 10.0.0.22}]
  return: symmetric
`;

describe('health of a chain', () => {
  const tag = Math.random().toString(36).slice(2, 6);
  const folder = mkdtempSync(join(tmpdir(), 'xvif-chain-health-'));
  const children: Child[] = [];
  let daemon: TestSwitch;
  let api: ApiClient;

  const netns = (machine: Machine) => `ch${tag}${machine}`;
  const inside = (machine: Machine, ...command: string[]) => sh('ip', 'netns', 'exec', netns(machine), ...command);
  function child(machine: Machine, ...command: string[]): Child {
    const one = new Child('ip', ['netns', 'exec', netns(machine), ...command]);
    children.push(one);
    return one;
  }
  async function forward(machine: Machine): Promise<Child> {
    const forwarder = child(machine, 'python3', program, 'forward', 'eth0', 'eth1');
    await eventually(`${machine} forwards`, async () => forwarder.output.includes('ready'), WAIT_MS);
    return forwarder;
  }
  async function chain(hop: string, instance: string): Promise<ChainInstance> {
    const { instances } = await api.call('listChains', { bridge: daemon.bridge }, WAIT_MS);
    return instances.find((line) => line.hop === hop && line.instance === instance && line.direction === 'forward')!;
  }
  const becomes = (hop: string, instance: string, state: string): Promise<ChainInstance> =>
    eventually(
      `${hop}/${instance} is ${state}`,
      async () => {
        const found = await chain(hop, instance);
        return found.state === state ? found : undefined;
      },
      WAIT_MS,
    );

  const forwarders = new Map<Machine, Child>();

  beforeAll(async () => {
    daemon = await TestSwitch.start({ bridge: `ch${process.pid}`, args: ['--state-dir', join(folder, 'state')] });
    api = new ApiClient(apiSocketPath(daemon.runDir));
    for (const [machine, devices] of Object.entries(machines) as [Machine, number][]) {
      await sh('ip', 'netns', 'add', netns(machine));
      await inside(machine, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1');
      for (let index = 0; index < devices; index++) {
        const place = { bridge: daemon.bridge, tap: `eth${index}`, netns: netns(machine) };
        await api.call('addGuest', { name: `${machine}${index}`, queues: 1, ...place }, WAIT_MS);
        await eventually(
          `${machine} has its device`,
          async () => (await inside(machine, 'ip', 'link', 'show', `eth${index}`)).length > 0,
          WAIT_MS,
        );
        await inside(machine, 'ip', 'link', 'set', `eth${index}`, 'up', 'promisc', 'on');
      }
    }
    const addresses = { client: '10.0.0.1', server: SERVER, idsa: '10.0.0.21', idsb: '10.0.0.22' } as const;
    for (const [machine, address] of Object.entries(addresses) as [Machine, string][]) {
      await inside(machine, 'ip', 'addr', 'add', `${address}/24`, 'dev', 'eth0');
    }
    for (const machine of ['fwa', 'fwb'] as const) forwarders.set(machine, await forward(machine));
    const file = join(folder, 'chain.yaml');
    writeFileSync(file, document);
    await daemon.xvif('apply', file);
  }, 300_000);
  afterAll(async () => {
    for (const one of children) await one.stop('SIGKILL');
    api?.close();
    await daemon?.stop();
    for (const machine of Object.keys(machines) as Machine[]) {
      await sh('ip', 'netns', 'del', netns(machine)).catch(() => undefined);
    }
    rmSync(folder, { recursive: true, force: true });
  }, 120_000);

  it('is seen through firewalls, with the time that a packet takes', async () => {
    expect(await ping(netns('client'), SERVER, 5)).toBe(5);
    for (const instance of ['a', 'b']) {
      const { latency } = await becomes('fw', instance, 'up');
      expect(latency!.samples).toBeGreaterThan(0);
      expect(latency!.averageMs).toBeGreaterThanOrEqual(latency!.minMs);
      console.log(`fw/${instance}: min ${latency!.minMs.toFixed(2)} ms, average ${latency!.averageMs.toFixed(2)} ms`);
    }
  }, 300_000);

  it('goes on through the other firewall when the first one dies and its ports stay up', async () => {
    const listener = child('server', 'iperf3', '-s', '-1', '-p', String(PORT));
    await eventually(
      'iperf3 listens',
      async () => (await inside('server', 'ss', '-ltn')).includes(`:${PORT}`),
      WAIT_MS,
    );
    const options = ['-J', '-u', '-b', '4M', '-l', '1000', '-t', '40', '-p', String(PORT), '-c', SERVER];
    const load = child('client', 'iperf3', ...options);
    const received = async (machine: Machine) =>
      Number(await inside(machine, 'cat', '/sys/class/net/eth0/statistics/rx_packets'));
    const before = await received('fwa');
    const other = await received('fwb');
    await eventually('the first firewall has traffic', async () => (await received('fwa')) > before + 500, WAIT_MS);
    await forwarders.get('fwa')!.stop('SIGKILL');
    await eventually('the other one has traffic', async () => (await received('fwb')) > other + 500, WAIT_MS);
    const { reason } = await becomes('fw', 'a', 'down');
    expect(reason).toBe('the probe did not come out');
    expect(await load.ended(), load.output).toBe(0);
    await listener.stop('SIGKILL');
    const { end } = JSON.parse(load.output) as { end: { sum: { packets: number; lost_packets: number } } };
    const { packets, lost_packets: lost } = end.sum;
    console.log(`${lost} of ${packets} packets lost: a gap of ${lost * 2} ms at 500 packets a second`);
    expect(packets).toBeGreaterThan(1000);
    expect(lost).toBeGreaterThan(0);
    expect(lost).toBeLessThan(packets / 2);
    const ports = await daemon.xvif('ports');
    expect(ports.split('\n').filter((line) => line.includes('link down'))).toEqual([]);
  }, 300_000);

  it('comes back when the firewall does', async () => {
    await forward('fwa');
    await becomes('fw', 'a', 'up');
  }, 300_000);

  it('is asked of a kernel by ping', async () => {
    await becomes('pinged', 'i', 'up');
    await inside('idsa', 'ip', 'addr', 'flush', 'dev', 'eth0');
    expect(await becomes('pinged', 'i', 'down')).toMatchObject({ reason: expect.stringMatching(/^no answer/) });
  }, 300_000);

  it('is asked of a service by a connection', async () => {
    expect(await becomes('called', 'i', 'down')).toMatchObject({ reason: `port ${LISTENING} is closed` });
    child('idsb', 'iperf3', '-s', '-p', String(LISTENING));
    await becomes('called', 'i', 'up');
    // A connection that was reset leaves nothing behind.
    expect(await inside('idsb', 'ss', '-Htn', 'state', 'established')).toBe('');
  }, 300_000);
});
