/**
 * A controller that sends what it should not: it gets the right error and keeps its connection, or loses it, and another
 * one that adds flows all the while is not disturbed.
 */
import { encodeMessage, type Message, type MessageOf } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { apply, flowMod, output, packetOut } from '../ofproto/bed.js';
import { Controller, flowStats, is, nameOf, raw, start } from './bed.js';

const XID = 0x01020304;
const FLOW_MOD = 14;
const zeros = (count: number) => new Array<number>(count).fill(0);

/** A flow_mod that adds, with this match and these instructions as bytes. */
const flowModOf = (tail: readonly number[]) =>
  raw(FLOW_MOD, [...zeros(24), 0xff, 0xff, 0xff, 0xff, ...zeros(12), ...tail]);
const noMatch = [0, 1, 0, 4, 0, 0, 0, 0];
const withMatch = (oxm: readonly number[]) => {
  const length = 4 + oxm.length;
  return flowModOf([0, 1, 0, length, ...oxm, ...zeros((8 - (length % 8)) % 8)]);
};
const withInstruction = (...bytes: readonly number[]) => flowModOf([...noMatch, ...bytes]);
const withAction = (...bytes: readonly number[]) => withInstruction(0, 4, 0, 8 + bytes.length, 0, 0, 0, 0, ...bytes);
/** Made by the codec: well-formed, and wrong for the switch. */
const encoded = (message: object) => encodeMessage({ version: 4, xid: XID, ...message } as Message);

const bad: readonly (readonly [string, string, Uint8Array])[] = [
  // Requests.
  ['OFPBRC_BAD_TYPE', 'a type nobody knows', raw(77)],
  ['OFPBRC_BAD_TYPE', 'a message that only a switch sends', raw(19, [0, 13, 0, 0, 0, 0, 0, 0])],
  ['OFPBRC_BAD_VERSION', 'another version', raw(5, [], { version: 1 })],
  ['OFPBRC_BAD_LEN', 'a flow_mod of three bytes', raw(FLOW_MOD, [1, 2, 3])],
  ['OFPBRC_BAD_LEN', 'a barrier with a body', raw(20, [1])],
  ['OFPBRC_BAD_LEN', 'a packet_out whose actions are longer than it', raw(13, [...zeros(8), 0xff, 0xf0, ...zeros(6)])],
  ['OFPBRC_BAD_MULTIPART', 'a multipart nobody knows', raw(18, [0, 99, 0, 0, 0, 0, 0, 0])],
  ['OFPBRC_BAD_EXPERIMENTER', 'an experimenter nobody knows', raw(4, [0, 0xab, 0xcd, 0xef, 0, 0, 0, 1])],
  ['OFPBRC_BAD_EXP_TYPE', 'a message of Nicira that there is not', raw(4, [0, 0, 0x23, 0x20, 0, 0, 0, 1])],
  // Matches.
  ['OFPBMC_BAD_TYPE', 'a match of no known type', flowModOf([0, 9, 0, 4, 0, 0, 0, 0])],
  ['OFPBMC_BAD_LEN', 'a match longer than its message', flowModOf([0, 1, 0, 200, 0, 0, 0, 0])],
  ['OFPBMC_BAD_LEN', 'a field of the wrong length', withMatch([0x80, 0, 0, 2, 0, 1])],
  ['OFPBMC_BAD_FIELD', 'a field nobody knows', withMatch([0x80, 0, 100 << 1, 1, 0])],
  ['OFPBMC_BAD_MASK', 'a mask where none may be', withMatch([0x80, 0, 1, 8, 0, 0, 0, 1, 0, 0, 0, 1])],
  ['OFPBMC_DUP_FIELD', 'a field twice', withMatch([0x80, 0, 0, 4, 0, 0, 0, 1, 0x80, 0, 0, 4, 0, 0, 0, 1])],
  ['OFPBMC_BAD_VALUE', 'a VLAN of 14 bits', withMatch([0x80, 0, 12, 2, 0x3f, 0xff])],
  ['OFPBMC_BAD_PREREQ', 'an address without an ethertype', encoded(flowMod({ match: { ipv4_src: '10.0.0.1' } }))],
  // Instructions and actions.
  ['OFPBIC_UNKNOWN_INST', 'an instruction nobody knows', withInstruction(0, 77, 0, 8, 0, 0, 0, 0)],
  ['OFPBIC_BAD_LEN', 'an instruction of two bytes', withInstruction(0, 1, 0, 2, 0, 0, 0, 0)],
  ['OFPBIC_BAD_LEN', 'an instruction longer than its message', withInstruction(0, 4, 0, 80, 0, 0, 0, 0)],
  ['OFPBAC_BAD_TYPE', 'an action nobody knows', withAction(0, 99, 0, 8, 0, 0, 0, 0)],
  ['OFPBAC_BAD_LEN', 'an output without a port', withAction(0, 0, 0, 8, 0, 0, 0, 0)],
  ['OFPBAC_BAD_LEN', 'an action of no length', withAction(0, 0, 0, 0, 0, 0, 0, 0)],
  ['OFPBAC_BAD_OUT_PORT', 'an output to no port', encoded(flowMod({ instructions: [apply(output(0))] }))],
  ['OFPFMFC_BAD_TABLE_ID', 'a table that there is not', encoded(flowMod({ tableId: 254 }))],
  ['OFPFMFC_BAD_COMMAND', 'a command nobody knows', encoded(flowMod({ command: 9 }))],
  ['OFPFMFC_BAD_FLAGS', 'a flag nobody knows', encoded(flowMod({ flags: 0x8000 }))],
];

/** Adds flows with barriers in between, each answered, until it is told to stop; then all of them are there. */
function busyController(controller: Controller) {
  let stopped = false;
  let flows = 0;
  const run = async () => {
    while (!stopped) {
      for (let i = 0; i < 5; i++) controller.send(flowMod({ tableId: 1, priority: ++flows }));
      await controller.barrier();
    }
  };
  const running = run();
  return async () => {
    stopped = true;
    await running;
    expect(controller.messages).toEqual([]);
    controller.send(flowStats);
    await controller.barrier();
    const replies = controller.messages.filter(is('multipart_reply')) as MessageOf<'multipart_reply'>[];
    const entries = replies.flatMap(({ body }) => (body.type === 'flow' ? body.entries : []));
    expect(entries.filter(({ tableId }) => tableId === 1)).toHaveLength(flows);
  };
}

describe('what is malformed or wrong', () => {
  it('is answered with its error, its xid and its beginning; the connection stays, others are not disturbed', async () => {
    const bed = await start();
    const settle = busyController(await bed.controller());
    const controller = await bed.controller();
    for (const [expected, what, bytes] of bad) {
      controller.write(bytes);
      const error = await controller.next(is('error'));
      expect([what, nameOf(error), error.xid]).toEqual([what, expected, XID]);
      expect(error.data, what).toEqual(bytes.slice(0, 64));
      await controller.barrier();
      expect(controller.messages, what).toEqual([]);
    }
    await settle();
  });

  it('all of it at once, in one segment, is answered before the barrier behind it', async () => {
    const bed = await start();
    const controller = await bed.controller();
    controller.write(Buffer.concat([...bad.map(([, , bytes]) => bytes), raw(20, [], { xid: 5 })]));
    await controller.next((m) => m.type === 'barrier_reply' && m.xid === 5);
    expect(controller.messages.map(nameOf).sort()).toEqual(bad.map(([expected]) => expected).sort());
    expect(bed.channels.connections[0]!.malformed).toBeGreaterThan(15);
  });

  it('an error is never answered, whatever is in it', async () => {
    const bed = await start();
    const controller = await bed.controller();
    controller.write(raw(1, [0xff, 0xff, 0xff, 0xff]));
    controller.write(raw(1, [1]));
    controller.write(raw(3, [1, 2, 3]));
    await controller.barrier();
    expect(controller.messages).toEqual([]);
  });
});

describe('the byte stream', () => {
  it.each([0, 4, 7])('a length of %i in a header ends the connection, and no other', async (length) => {
    const bed = await start();
    const settle = busyController(await bed.controller());
    const controller = await bed.controller();
    controller.write(raw(2, [], { length }));
    await controller.closed;
    await settle();
  });

  it('a message cut off by the end of the connection does nothing', async () => {
    const bed = await start();
    const settle = busyController(await bed.controller());
    const controller = await bed.controller();
    controller.send(flowMod({ cookie: 1n }));
    controller.socket.end(encoded(flowMod({ cookie: 2n, priority: 2 })).slice(0, -3));
    await controller.closed;
    const reader = await bed.controller();
    controller.messages.length = 0;
    expect((await reader.cookies()).filter((cookie) => cookie > 0n)).toEqual([1n]);
    await settle();
  });

  it('64 KiB in one message', async () => {
    const bed = await start();
    const controller = await bed.controller();
    const data = new Uint8Array(65_527).fill(7);
    expect(await controller.ask({ type: 'echo_request', data })).toMatchObject({ type: 'echo_reply', data });
    const actions = Array.from({ length: 3_000 }, () => output(1));
    controller.send(packetOut({ actions, data: new Uint8Array(65_535 - 24 - 16 * 3_000) }));
    controller.send(flowMod({ instructions: [apply(...actions)] }));
    await controller.barrier();
    expect(controller.messages.map(nameOf)).toEqual([]);
    const experimenter = raw(4, [0, 0, 0x23, 0x20, ...zeros(65_523)]);
    controller.write(experimenter);
    const error = await controller.next(is('error'));
    expect([nameOf(error), error.data]).toEqual(['OFPBRC_BAD_EXP_TYPE', experimenter.slice(0, 64)]);
  });

  it('64 KiB that are announced and never come are waited for, and keep nobody else waiting', async () => {
    const bed = await start();
    const settle = busyController(await bed.controller());
    const controller = await bed.controller();
    controller.write(raw(FLOW_MOD, zeros(60_000), { length: 65_535 }));
    await settle();
    expect(bed.channels.connections).toHaveLength(2);
    controller.write(new Uint8Array(65_535 - 60_008));
    expect((await controller.next(is('error'))).xid).toBe(XID);
    await controller.barrier();
  });

  it('messages byte by byte', async () => {
    const bed = await start();
    const controller = await Controller.open(bed.address);
    const bytes = [...raw(0), ...encoded(flowMod({ cookie: 5n })), ...raw(20)];
    for (const byte of bytes) {
      controller.write(Uint8Array.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await controller.next(is('barrier_reply'));
    expect(await controller.cookies()).toEqual([5n]);
  });
});

describe('order', () => {
  it('a barrier is answered when all before it is in force or refused, and a dump is whole before what follows', async () => {
    const bed = await start();
    const controller = await bed.controller();
    for (let i = 0; i < 3000; i++) controller.send(flowMod({ priority: i }));
    const refused = [controller.send(flowMod({ tableId: 254 }))];
    refused.push(controller.send(flowMod({ priority: 1, flags: 2, match: { in_port: 1 } })));
    const barrier = controller.send({ type: 'barrier_request' });
    await controller.next((m) => m.xid === barrier);
    expect(controller.messages.map(({ xid }) => xid)).toEqual(refused);
    controller.messages.length = 0;
    const dump = controller.send(flowStats);
    const after = controller.send({ type: 'barrier_request' });
    await controller.next((m) => m.xid === after);
    const parts = controller.messages.filter((m) => m.xid === dump) as MessageOf<'multipart_reply'>[];
    expect(parts.reduce((sum, { body }) => sum + (body.type === 'flow' ? body.entries.length : 0), 0)).toBe(3000);
    expect(parts.map(({ flags }) => flags)).toEqual([...parts.slice(1).map(() => 1), 0]);
  });
});
