/** Byte streams that are wrong in any way end without an exception, and another controller does not notice. */
import fc from 'fast-check';
import { encodeMessage, type Message, type Outgoing } from 'node-openflow';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import { apply, flowMod, output, packetOut } from '../ofproto/bed.js';
import { ANY, CONTROLLER_PORT, Controller, flowStats, hello, MASTER, raw, role, SLAVE, start } from './bed.js';

const said: readonly Outgoing[] = [
  flowMod({ match: { in_port: 1, eth_type: 0x800, ipv4_dst: '10.0.0.0/8' }, instructions: [apply(output(2))] }),
  flowMod({ instructions: [apply(output(CONTROLLER_PORT, 64)), { type: 'goto_table', tableId: 1 }], flags: 1 }),
  flowMod({ command: 3 }),
  packetOut({ actions: [output(0xfffffffb)] }),
  { type: 'group_mod', command: 0, groupType: 0, groupId: 1, buckets: [] },
  { type: 'meter_mod', command: 0, flags: 1, meterId: 1, bands: [{ type: 'drop', rate: 5, burstSize: 0 }] },
  { type: 'port_mod', portNo: 1, hwAddr: new Uint8Array(6), config: 1, mask: 1, advertise: 0 },
  { type: 'set_config', flags: 0, missSendLen: 100 },
  { type: 'set_async', packetInMask: [7, 7], portStatusMask: [7, 7], flowRemovedMask: [15, 15] },
  { type: 'get_async_request' },
  { type: 'features_request' },
  { type: 'barrier_request' },
  { type: 'echo_request', data: new Uint8Array(9) },
  { type: 'queue_get_config_request', port: ANY },
  { type: 'multipart_request', flags: 0, body: { type: 'table_features', entries: [] } },
  { type: 'multipart_request', flags: 0, body: { type: 'port_desc' } },
  flowStats,
  role(MASTER!, 5n),
  role(SLAVE!, 3n),
];
const messages = [...said.map((message) => encodeMessage({ version: 4, xid: 7, ...message } as Message)), hello];

/** A message with some bytes changed, most often not those that say how long it is. */
const mutated = fc
  .record({
    message: fc.constantFrom(...messages),
    changes: fc.array(fc.record({ at: fc.nat(), byte: fc.nat(255), anywhere: fc.nat(20) }), { maxLength: 4 }),
  })
  .map(({ message, changes }) => {
    const bytes = message.slice();
    for (const { at, byte, anywhere } of changes) {
      const from = anywhere === 0 ? 0 : 8;
      if (bytes.length > from) bytes[from + (at % (bytes.length - from))] = byte;
    }
    return bytes;
  });
const typed = fc.tuple(fc.nat(40), fc.uint8Array({ maxLength: 60 })).map(([type, body]) => raw(type, [...body]));
const piece = fc.oneof(
  { weight: 6, arbitrary: mutated },
  { weight: 3, arbitrary: fc.constantFrom(...messages) },
  { weight: 2, arbitrary: typed },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 80 }) },
);
const conversation = fc.record({
  greets: fc.integer({ min: 0, max: 9 }).map((n) => n > 0),
  pieces: fc.array(piece, { maxLength: 40 }),
  segment: fc.integer({ min: 1, max: 3000 }),
  cut: fc.nat(30),
  ending: fc.constantFrom('end', 'destroy', 'reset' as const),
});

const rejections: unknown[] = [];
const note = (reason: unknown) => rejections.push(reason);
beforeEach(() => process.on('unhandledRejection', note));
afterEach(() => process.off('unhandledRejection', note));

it('of random, changed, cut and reordered messages', async () => {
  const bugs: unknown[] = [];
  const logger: Logger = { ...silentLogger, error: (fields) => bugs.push(fields), child: () => logger };
  const bed = await start({ logger });
  const healthy = await bed.controller();
  await fc.assert(
    fc.asyncProperty(conversation, async ({ greets, pieces, segment, cut, ending }) => {
      const wild = await Controller.open(bed.address);
      const stream = Buffer.concat([...(greets ? [hello] : []), ...pieces]);
      const bytes = stream.subarray(0, Math.max(0, stream.length - cut));
      for (let at = 0; at < bytes.length && !wild.socket.destroyed; at += segment) {
        wild.write(bytes.subarray(at, at + segment));
        if (segment < 200 && at % 7 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
      healthy.send(flowMod({ tableId: 5, priority: 1 }));
      await healthy.barrier();
      if (ending === 'end') wild.socket.end();
      else if (ending === 'destroy') wild.socket.destroy();
      else wild.socket.resetAndDestroy();
      await wild.closed;
      // Its own role is nobody else's doing, and the others' mistakes are not answered here.
      await healthy.ask(role(0));
      expect(healthy.messages.filter(({ type }) => type === 'error')).toEqual([]);
      healthy.messages.length = 0;
      expect([bugs, rejections]).toEqual([[], []]);
    }),
    { numRuns: 100 },
  );
  await expect.poll(() => bed.channels.connections.length).toBe(1);
});
