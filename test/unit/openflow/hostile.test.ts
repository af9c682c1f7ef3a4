/** Controllers that flood, do not read, come in numbers or die: memory is bounded, and nothing is half done. */
import { encodeMessage, type Message, of14 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { BUNDLE_BYTES_MAX } from '../../../src/openflow/limits.js';
import { flowMod } from '../ofproto/bed.js';
import { Controller, raw, start, until } from './bed.js';

const { OFPBCT, OFPBF } = of14;
const MIB = 1024 * 1024;
const MODS = 100_000;
/** Different flows among them. */
const FLOWS = 10;
const VERSION = 5;
const hello14 = raw(0, [0, 1, 0, 8, 0, 0, 0, 0x20], { version: VERSION });

/** Adds of flows with cookies that count up, as one stream; `different` of them by their match. */
function adds(from: number, count: number, different = count): Buffer {
  const one = (i: number) => {
    const match = { eth_type: 0x0800, ipv4_src: 0x0a000000 + from + ((i - from) % different) };
    return encodeMessage({ ...flowMod({ cookie: BigInt(i), priority: 1, match }), version: 4, xid: i } as Message);
  };
  return Buffer.concat(Array.from({ length: count }, (_, i) => one(from + i)));
}
const PATIENCE_MS = 100_000;

/** Everything that it sent is done. */
async function fenced(controller: Controller): Promise<void> {
  const xid = controller.send({ type: 'barrier_request', xid: 0xffeedd });
  await controller.next((reply) => reply.xid === xid, PATIENCE_MS);
}

const memory = (): number => {
  const { arrayBuffers, external } = process.memoryUsage();
  return arrayBuffers + external;
};

describe('a controller that floods', () => {
  it('100 000 flow_mods at once are carried out in order; what waits is bounded', async () => {
    const bed = await start();
    const flooder = await bed.controller();
    const stream = adds(0, MODS, FLOWS);
    const before = memory();
    flooder.write(stream);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, memory() - before);
    }, 5);
    await fenced(flooder);
    clearInterval(watch);
    expect(flooder.messages).toEqual([]);
    const last = Array.from({ length: FLOWS }, (_, i) => BigInt(MODS - FLOWS + i));
    expect([...(await flooder.cookies())].sort((a, b) => Number(a - b))).toEqual(last);
    // The stream itself is the test's.
    expect(most).toBeLessThan(64 * MIB);
  }, 120_000);

  it('100 000 that are refused are answered one by one, and who does not read the answers is not read from', async () => {
    const bed = await start();
    const [flooder, other] = [await bed.controller(), await bed.controller()];
    flooder.socket.pause();
    const bad = encodeMessage({ ...flowMod({ tableId: 254 }), version: 4, xid: 7 } as Message);
    const stream = Buffer.concat(Array.from({ length: 1000 }, () => bad));
    const before = memory();
    for (let i = 0; i < 100; i++) {
      flooder.write(stream);
      await other.barrier();
    }
    expect(memory() - before).toBeLessThan(64 * MIB);
    flooder.socket.resume();
    await until(() => flooder.messages.length === MODS, PATIENCE_MS);
    expect(flooder.messages.every(({ type }) => type === 'error')).toBe(true);
  }, 120_000);
});

it('ten at once, each with its own flows: all are there, and each got its answers', async () => {
  const bed = await start();
  const ten = await Promise.all(Array.from({ length: 10 }, () => bed.controller()));
  const each = 200;
  for (const [n, controller] of ten.entries()) controller.write(adds(n * each, each));
  await Promise.all(ten.map(fenced));
  expect(bed.datapathFlows()[0]).toBe(10 * each);
  for (const controller of ten) expect(controller.messages).toEqual([]);
}, 120_000);

describe('a controller with a bundle', () => {
  const FLAGS = OFPBF.ATOMIC | OFPBF.ORDERED;
  const bundled = (bundleId: number, i: number): Uint8Array => {
    const message = encodeMessage({
      ...flowMod({ cookie: BigInt(i), priority: i }),
      version: VERSION,
      xid: i,
    } as Message);
    return encodeMessage({ version: VERSION, xid: i, type: 'bundle_add_message', bundleId, flags: FLAGS, message });
  };
  const commit = (bundleId: number): Uint8Array => {
    const controlType = OFPBCT.COMMIT_REQUEST;
    return encodeMessage({ version: VERSION, xid: 1, type: 'bundle_control', bundleId, controlType, flags: FLAGS });
  };
  const fence = raw(20, [], { version: VERSION, xid: 0xbeef });
  const settled = async (controller: Controller) => {
    controller.write(fence);
    await controller.next(({ type }) => type === 'barrier_reply', PATIENCE_MS);
  };

  it('that dies inside it has changed nothing, wherever the stream breaks off', async () => {
    const bed = await start({ versions: [VERSION] });
    const watcher = await Controller.connect(bed.address, hello14);
    const stream = Buffer.concat([...Array.from({ length: 50 }, (_, i) => bundled(3, i + 1)), commit(3)]);
    for (const cut of [40, 1000, stream.length / 2, stream.length - 25, stream.length - 1]) {
      const dying = await Controller.connect(bed.address, hello14);
      dying.write(stream.subarray(0, Math.floor(cut)));
      await until(() => bed.channels.connections.at(-1)!.received > 0);
      dying.socket.end();
      await dying.closed;
      await until(() => bed.channels.connections.length === 1);
      await settled(watcher);
      expect(bed.datapathFlows()[0]).toBe(0);
    }
    watcher.write(stream);
    await watcher.next(({ type }) => type === 'bundle_control', PATIENCE_MS);
    expect(bed.datapathFlows()[0]).toBe(50);
  }, 120_000);

  it('may not gather without end: the next message is refused, and what is gathered can still be done', async () => {
    const bed = await start({ versions: [VERSION] });
    const controller = await Controller.connect(bed.address, hello14);
    const note = { type: 'nx_note', note: new Uint8Array(60_000) } as const;
    const instructions = [{ type: 'apply_actions', actions: [note] }] as const;
    const big = (i: number): Uint8Array => {
      const mod = flowMod({ priority: i, instructions });
      const message = encodeMessage({ ...mod, version: VERSION, xid: i } as Message);
      return encodeMessage({
        version: VERSION,
        xid: i,
        type: 'bundle_add_message',
        bundleId: 3,
        flags: FLAGS,
        message,
      });
    };
    const sent = 400;
    for (let i = 1; i <= sent; i++) controller.write(big(i));
    await settled(controller);
    const refused = controller.messages.filter(({ type }) => type === 'error').length;
    expect(refused).toBeGreaterThan(0);
    expect((sent - refused) * note.note.length).toBeLessThan(BUNDLE_BYTES_MAX);
    controller.write(commit(3));
    await controller.next(({ type }) => type === 'bundle_control', PATIENCE_MS);
    expect(bed.datapathFlows()[0]).toBe(sent - refused);
  }, 120_000);
});
