/** The addon survives the end of its process or worker thread at any step, and being closed twice. */
import { spawnSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import type { NativeAddon } from '../../src/datapath/native-addon.js';
import { Action } from '../../src/datapath/schema.gen.js';

const addonPath = fileURLToPath(new URL('../../build/native/xvif.node', import.meta.url));
const addon = createRequire(import.meta.url)(addonPath) as NativeAddon;

/** One step a line; `exit` stands after each in turn. */
const steps = [
  `const addon = require(${JSON.stringify(addonPath)});`,
  `const runtime = addon.openRuntime({ workers: 2, hypervisor: 'emulated' });`,
  `const datapath = runtime.openDatapath();`,
  `datapath.onUpcall(() => {});`,
  `datapath.portAttach(1, { kind: 'null' });`,
  `datapath.portAttach(2, { kind: 'capture' });`,
  `runtime.emulated.createDomain(5);`,
  `const guest = runtime.emulated.createFrontend(5, { mac: '00:16:3e:00:00:05', mtu: 1500, queues: 2,
     splitEventChannels: true, sg: true, gsoTcpv4: true, gsoTcpv6: true, csumOffload: true,
     stack: { kind: 'builtin', ipv4: '10.0.0.5', ipv6: 'fd00::5' } });`,
  `datapath.portAttach(3, { kind: 'vif', domid: 5, handle: 0, queues: guest.queues, sg: true, gsoTcpv4: true,
     gsoTcpv6: true, csumBlankIpv4: true, csumBlankIpv6: true, rxNotify: true });`,
  `guest.connect();`,
  `guest.ping('10.0.0.9', { count: 5, intervalMs: 1, timeoutMs: 1000, size: 56 });`,
  `guest.startTraffic({ address: '10.0.0.9', port: 9, frameSize: 64, pps: 0 });`,
  `datapath.tick();`,
  `runtime.emulated.destroyDomain(5);`,
  `datapath.portDetach(3);`,
  `guest.close();`,
  `datapath.close();`,
  `runtime.close();`,
  `guest.close(); datapath.close(); runtime.close();`,
];

const frontend = {
  mac: '00:16:3e:00:00:07',
  mtu: 1500,
  queues: 1,
  splitEventChannels: true,
  sg: true,
  gsoTcpv4: true,
  gsoTcpv6: true,
  csumOffload: true,
  stack: { kind: 'builtin', ipv4: '10.0.0.7' },
} as const;

describe('addon life cycle', () => {
  it.each(steps.map((_, index) => [index + 1]))('the process exits after step %i', (count) => {
    for (const exit of ['process.exit(0)', '']) {
      const script = [...steps.slice(0, count), exit].join('\n');
      const { status, signal, stderr } = spawnSync(process.execPath, ['-e', script], { timeout: 15_000 });
      // Without an exit, open handles of ours must not keep the process; a ping that waits may, for its second.
      expect({ status, signal, stderr: String(stderr), count, exit }).toMatchObject({
        status: 0,
        signal: null,
        stderr: '',
      });
    }
  });

  it.each(steps.map((_, index) => [index + 1]))('a worker thread is terminated after step %i', async (count) => {
    const script = [
      `const { parentPort } = require('node:worker_threads');`,
      ...steps.slice(0, count),
      `parentPort.postMessage('there'); setInterval(() => {}, 1000);`,
    ].join('\n');
    const worker = new Worker(script, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    await worker.terminate();
  });

  it('closed objects throw, and close twice', () => {
    const runtime = addon.openRuntime({ workers: 1, hypervisor: 'emulated' });
    const datapath = runtime.openDatapath();
    runtime.emulated.createDomain(7);
    const guest = runtime.emulated.createFrontend(7, frontend);
    guest.close();
    guest.close();
    expect(() => guest.connect()).toThrow('closed');
    datapath.close();
    datapath.close();
    expect(() => datapath.tick()).toThrow('closed');
    runtime.close();
    runtime.close();
    expect(() => runtime.openDatapath()).toThrow('closed');
    expect(() => runtime.emulated).toThrow('closed');
  });

  it('an error of the upcall listener is not swallowed', () => {
    const script = [
      ...steps.slice(0, 3),
      `datapath.onUpcall(() => { throw new Error('of the listener'); });`,
      `datapath.portAttach(2, { kind: 'capture' });`,
      `const record = Buffer.alloc(16 + 16 + 64);`,
      `record.writeUInt32LE(16, 4); record.writeUInt32LE(60, 8);`,
      `record[16] = ${Action.output}; record.writeUInt16LE(16, 18); record.writeUInt32LE(2, 20);`,
      `if (datapath.packetOut(record) !== 0) process.exit(9);`,
      `setTimeout(() => {}, 5000);`,
    ].join('\n');
    const { status, stderr } = spawnSync(process.execPath, ['-e', script], { timeout: 15_000 });
    expect({ status, stderr: String(stderr) }).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('Error: of the listener'),
    });
  });

  it('wrong arguments are named', () => {
    const runtime = addon.openRuntime({ workers: 1, hypervisor: 'emulated' });
    const datapath = runtime.openDatapath();
    expect(() => datapath.portAttach(-1, { kind: 'null' }, {})).toThrow('port');
    expect(() => datapath.portAttach(1, { kind: 'teapot' }, {})).toThrow('kind');
    const vif = { kind: 'vif', domid: 65_537, handle: 0, queues: [] };
    expect(() => datapath.portAttach(1, vif, {})).toThrow('domid: expected an unsigned 16-bit integer');
    expect(() => datapath.apply('x' as never, false)).toThrow('batch: expected a Uint8Array');
    expect(() => addon.openRuntime({ workers: 0, hypervisor: 'emulated' })).toThrow('workers');
    expect(() => runtime.emulated.createDomain(0)).toThrow('domid');
    runtime.close();
  });

  it('opens and closes 200 times without leaving threads or descriptors', () => {
    const count = () => ({ threads: readdirSync('/proc/self/task').length, fds: readdirSync('/proc/self/fd').length });
    const once = () => {
      const runtime = addon.openRuntime({ workers: 2, hypervisor: 'emulated' });
      const datapath = runtime.openDatapath();
      datapath.portAttach(1, { kind: 'null' }, {});
      runtime.emulated.createDomain(7);
      runtime.emulated.createFrontend(7, frontend);
      runtime.close();
    };
    once();
    const before = count();
    for (let i = 0; i < 200; i++) once();
    expect(count()).toEqual(before);
  });
});
