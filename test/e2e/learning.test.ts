/** A bridge over the model datapath and the learning controller, as two processes over TCP. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { match, of13, Session } from 'node-openflow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/base/clock.js';
import { silentLogger } from '../../src/base/logger.js';
import { Bridge } from '../../src/bridge/bridge.js';
import { openOfproto } from '../../src/bridge/ofproto-side.js';
import type { PortNo } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { type Running, start } from './programs.js';

const A = [0x00, 0x16, 0x3e, 0, 0, 1];
const B = [0x00, 0x16, 0x3e, 0, 0, 2];

function frame(from: number[], to: number[]): Uint8Array {
  const bytes = new Uint8Array(60);
  bytes.set([...to, ...from, 0x88, 0xb5]);
  return bytes;
}

describe('a bridge and the learning controller', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xvif-learning-'));
  const managementSocket = join(folder, 'br0.mgmt');
  const datapath = new ModelDatapath();
  let controller: Running;
  let bridge: Bridge;

  beforeAll(async () => {
    controller = start('controller', '--listen', '127.0.0.1:0', '--idle-timeout', '30');
    const [, address] = await controller.says(/^listening on (.+)$/m);
    const openflow = await openOfproto({
      datapath,
      datapathId: 0x2an,
      name: 'br0',
      version: '0',
      controllers: [`tcp:${address}`],
      listen: [],
      management: [`punix:${managementSocket}`],
      failMode: 'secure',
      logger: silentLogger,
    });
    bridge = new Bridge({
      name: 'br0',
      datapathId: 0x2an,
      failMode: 'secure',
      managementSocket,
      datapath,
      openflow,
      macOf: () => '02:00:00:00:00:01',
      clock: systemClock,
      logger: silentLogger,
    });
    for (const name of ['a', 'b', 'c']) bridge.addPort({ name, spec: { kind: 'null' }, mac: undefined });
  });
  afterAll(async () => {
    await bridge.close();
    controller.child.kill('SIGINT');
    expect(await controller.ended).toBe(0);
    rmSync(folder, { recursive: true });
  });

  const flows = async () => (await bridge.flows()).map(({ text }) => text.replace(/^.*?priority/, 'priority')).sort();
  const sentTo = (name: string) => bridge.ports().find((port) => port.name === name)!.counters.txPackets;

  it('the table-miss entry comes first', async () => {
    await expect.poll(flows).toEqual(['priority=0 actions=CONTROLLER:65535']);
    expect(bridge.controllers()).toMatchObject([{ connected: true, version: 4, role: 'equal' }]);
    expect(controller.output()).toContain('switch 000000000000002a connected');
  });

  it('unknown destinations are flooded, known ones get a flow that counts', async () => {
    datapath.inject(1 as PortNo, frame(A, B));
    await expect.poll(() => [sentTo('b'), sentTo('c')]).toEqual([1n, 1n]);
    datapath.inject(2 as PortNo, frame(B, A));
    const pair = 'priority=10,in_port=2,dl_src=00:16:3e:00:00:02,dl_dst=00:16:3e:00:00:01 actions=output:1';
    await expect.poll(flows).toContain(pair);
    await expect.poll(() => sentTo('a')).toBe(1n);
    datapath.inject(2 as PortNo, frame(B, A));
    expect(sentTo('a')).toBe(2n);
    const [entry] = (await bridge.flows()).filter(({ stats }) => stats.priority === 10);
    expect(entry!.stats).toMatchObject({ packetCount: 1n, idleTimeout: 30 });
  });

  it('a port that goes takes its flows with it', async () => {
    bridge.removePort('a');
    await expect.poll(flows).toEqual(['priority=0 actions=CONTROLLER:65535']);
  });

  it('tools come by the management socket and are no controllers', async () => {
    const tool = new Session(connect(managementSocket));
    await tool.ready;
    expect(await tool.request({ type: 'features_request' })).toMatchObject({ datapathId: 0x2an });
    await tool.commit([
      {
        type: 'flow_mod',
        cookie: 7n,
        cookieMask: 0n,
        tableId: 0,
        command: of13.OFPFC.ADD,
        idleTimeout: 0,
        hardTimeout: 0,
        priority: 99,
        bufferId: of13.OFP_NO_BUFFER,
        outPort: of13.OFPP.ANY,
        outGroup: of13.OFPG.ANY,
        flags: 0,
        match: match({ in_port: 3 }),
        instructions: [],
      },
    ]);
    expect(await flows()).toContain('priority=99,in_port=3 actions=drop');
    expect(bridge.controllers()).toHaveLength(1);
    await tool.close();
  });
});
