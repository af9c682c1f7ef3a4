import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { apply, flowMod, output } from '../ofproto/bed.js';
import { type Bed, CONTROLLER_PORT, Controller, folder, is, MASTER, role, SLAVE, start } from './bed.js';

const toController = flowMod({ instructions: [apply(output(CONTROLLER_PORT, 0xffff))] });
const masks = (packetIn: number, portStatus: number, flowRemoved: number) => ({
  packetInMask: [packetIn, packetIn] as const,
  portStatusMask: [portStatus, portStatus] as const,
  flowRemovedMask: [flowRemoved, flowRemoved] as const,
});

function addPort(bed: Bed, number = 9): void {
  bed.ofproto.portAdded({ number, name: `p${number}`, mac: `02:00:00:00:00:0${number}` });
}

/** One of each kind: a packet, a new port, a flow that goes and says so. */
async function happen(bed: Bed, by: Controller): Promise<void> {
  by.send({ ...toController, flags: 1 });
  await by.barrier();
  bed.inject(tcpFrame());
  addPort(bed);
  by.send(flowMod({ command: 3 }));
  await by.barrier();
}
const kinds = (controller: Controller) => controller.messages.map(({ type }) => type).sort();
const all = ['flow_removed', 'packet_in', 'port_status'];

describe('events (§6.3.5)', () => {
  it('go to every master and equal; a slave hears of ports', async () => {
    const bed = await start();
    const [equal, master, slave] = [await bed.controller(), await bed.controller(), await bed.controller()];
    await master.ask(role(MASTER!, 1n));
    await slave.ask(role(SLAVE!, 1n));
    await happen(bed, equal);
    await master.barrier();
    await slave.barrier();
    expect([equal, master, slave].map(kinds)).toEqual([all, all, ['port_status']]);
    const packet = await master.next(is('packet_in'));
    expect(packet).toMatchObject({ xid: 0, data: tcpFrame() });
    expect(await equal.next(is('packet_in'))).toEqual(packet);
  });

  it('are as masks say, which can be read back (§7.3.10)', async () => {
    const bed = await start();
    const controller = await bed.controller();
    expect(await controller.ask({ type: 'get_async_request' })).toMatchObject({
      type: 'get_async_reply',
      packetInMask: [0b011, 0],
      portStatusMask: [0b111, 0b111],
      flowRemovedMask: [0b1111, 0],
    });
    const set = { packetInMask: [0, 0], portStatusMask: [1 << 1, 2], flowRemovedMask: [3, 4] } as const;
    controller.send({ type: 'set_async', ...set });
    expect(await controller.ask({ type: 'get_async_request' })).toMatchObject(set);
    controller.send(toController);
    await controller.barrier();
    bed.inject(tcpFrame());
    addPort(bed);
    bed.ofproto.portRemoved(9);
    expect(await controller.next(is('port_status'))).toMatchObject({ reason: 1 });
    await controller.barrier();
    expect(controller.messages).toEqual([]);
  });

  it("a slave's own masks are used, and its others again when it is no slave", async () => {
    const bed = await start();
    const [actor, controller] = [await bed.controller(), await bed.controller()];
    controller.send({
      type: 'set_async',
      packetInMask: [0, 1],
      portStatusMask: [0, 0],
      flowRemovedMask: [0xf, 0],
    });
    await controller.ask(role(SLAVE!, 1n));
    await happen(bed, actor);
    await controller.barrier();
    expect(kinds(controller)).toEqual(['packet_in']);
    controller.messages.length = 0;
    await controller.ask(role(MASTER!, 1n));
    bed.ofproto.portRemoved(9);
    await happen(bed, controller);
    expect(kinds(controller)).toEqual(['flow_removed']);
  });

  it('packets go up only while somebody wants them', async () => {
    const bed = await start();
    const told = vi.spyOn(bed.ofproto, 'controllersChanged');
    const [a, b] = [await bed.controller(), await bed.controller()];
    await a.barrier();
    expect(told.mock.calls).toEqual([[true, false]]);
    await a.ask(role(MASTER!, 1n));
    await b.ask(role(SLAVE!, 1n));
    a.send({ type: 'set_async', ...masks(0, 7, 0xf) });
    await a.barrier();
    expect(told.mock.calls).toEqual([
      [true, false],
      [false, false],
    ]);
    await b.ask(role(MASTER!, 2n));
    expect(told.mock.calls.at(-1)).toEqual([true, false]);
    b.socket.destroy();
    await vi.waitFor(() => expect(told.mock.calls.at(-1)).toEqual([false, false]));
    expect(told).toHaveBeenCalledTimes(4);
  });
});

describe('a tool (management connection)', () => {
  async function withTool() {
    const bed = await start({ listen: [], management: [`punix:${join(folder(), 'br0.mgmt')}`] });
    return { bed, tool: await Controller.connect(bed.address) };
  }

  it('hears of nothing until it says how much of a packet it wants, and when it takes that back', async () => {
    const { bed, tool } = await withTool();
    expect(await tool.ask({ type: 'get_async_request' })).toMatchObject(masks(0, 0, 0));
    await happen(bed, tool);
    tool.send({ type: 'set_config', flags: 0, missSendLen: 0 });
    bed.ofproto.portRemoved(9);
    await happen(bed, tool);
    expect(kinds(tool)).toEqual([]);
    tool.send({ type: 'set_config', flags: 0, missSendLen: 0xffff });
    bed.ofproto.portRemoved(9);
    await tool.barrier();
    await happen(bed, tool);
    expect(kinds(tool)).toEqual(all);
    tool.messages.length = 0;
    tool.send({ type: 'set_config', flags: 0, missSendLen: 0 });
    await tool.barrier();
    bed.ofproto.portRemoved(9);
    await happen(bed, tool);
    expect(kinds(tool)).toEqual([]);
  });

  it('hears of what it named, whatever it says about lengths', async () => {
    const { bed, tool } = await withTool();
    tool.send({ type: 'set_async', ...masks(0, 7, 0) });
    tool.send({ type: 'set_config', flags: 0, missSendLen: 0xffff });
    await tool.barrier();
    await happen(bed, tool);
    expect(kinds(tool)).toEqual(['port_status']);
  });
});
