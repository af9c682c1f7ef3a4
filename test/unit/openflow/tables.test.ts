/** Tables and TTLs over a socket, with messages made by hand. */
import { connect } from 'node:net';
import { type Message, Session } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { plainFormat } from '../../../src/ofproto/flow-formats.js';
import { parseActive } from '../../../src/openflow/index.js';
import { type Bed, Controller, is, raw, start } from './bed.js';

const [SET_CONFIG, FLOW_MOD, TABLE_MOD, MULTIPART_REQUEST, BARRIER, SET_ASYNC] = [9, 14, 17, 18, 20, 28] as const;
const u16 = (n: number) => [(n >>> 8) & 0xff, n & 0xff];
const u32 = (n: number) => [...u16(n >>> 16), ...u16(n & 0xffff)];
const zeros = (n: number) => Array.from({ length: n }, () => 0);
const ones = (n: number) => Array.from({ length: n }, () => 0xff);

/** A controller of 1.5 that hears of events. */
async function controller15(bed: Bed) {
  const controller = await Controller.connect(bed.address, raw(0, [0, 1, 0, 8, ...u32(1 << 6)], { version: 6 }));
  const say = (type: number, body: readonly number[]) => controller.write(raw(type, body, { version: 6, xid: 5 }));
  say(SET_CONFIG, [...u16(0), ...u16(128)]);
  /** Command MODIFY of table 0, whose limit is all that changes. */
  const limit = (entries: number) =>
    say(MULTIPART_REQUEST, [
      ...[...u16(12), ...zeros(6)],
      ...[...u16(64), 0, 1, ...u32(0), ...zeros(32), ...ones(16), ...u32(0), ...u32(entries)],
    ]);
  const addFlow = (inPort: number) =>
    say(FLOW_MOD, [
      ...[...zeros(16), 0, 0, ...zeros(4), ...u16(1), ...ones(4), ...ones(8), ...zeros(4)],
      ...[...u16(1), ...u16(12), 0x80, 0, 0, 4, ...u32(inPort), ...zeros(4)],
    ]);
  return { controller, say, limit, addFlow };
}

describe('OFPT_TABLE_STATUS (OpenFlow 1.4.1 §7.4.5)', () => {
  it('comes when a table fills up', async () => {
    const bed = await start({ versions: [6] });
    const { controller, say, limit, addFlow } = await controller15(bed);
    limit(4);
    await controller.next(is('multipart_reply'));
    const vacancy = [...u16(3), ...u16(8), 40, 60, 0, 0];
    say(TABLE_MOD, [0, 0, 0, 0, ...u32(1 << 3), ...vacancy]);
    for (const port of [1, 2]) addFlow(port);
    say(BARRIER, []);
    await controller.next(is('barrier_reply'));
    expect(controller.messages.some(is('table_status'))).toBe(false);
    addFlow(3);
    const status = await controller.next(is('table_status'));
    const properties = [
      { type: 'eviction', flags: 7 },
      { type: 'vacancy', vacancyDown: 40, vacancyUp: 60, vacancy: 25 },
    ];
    expect(status).toMatchObject({ xid: 0, reason: 3, table: { tableId: 0, config: 1 << 3, properties } });
  });
  it('does not come to those who do not want it', async () => {
    const bed = await start({ versions: [6] });
    const { controller, say, limit, addFlow } = await controller15(bed);
    limit(2);
    // Table status, master: none.
    say(SET_ASYNC, [...u16(9), ...u16(8), ...u32(0)]);
    say(TABLE_MOD, [0, 0, 0, 0, ...u32(1 << 3), ...u16(3), ...u16(8), 60, 60, 0, 0]);
    addFlow(1);
    say(BARRIER, []);
    await controller.next(is('barrier_reply'));
    expect(controller.messages.every(is('multipart_reply'))).toBe(true);
  });
  it.each([
    ['a property nobody knows', [...u16(77), ...u16(8), ...u32(0)], [14, 0]],
    ['a property of a wrong length', [...u16(2), ...u16(12), ...zeros(12)], [14, 1]],
    ['thresholds the wrong way round', [...u16(3), ...u16(8), 9, 8, 0, 0], [14, 2]],
  ])('%s is refused', async (_name, property, [errorType, errorCode]) => {
    const bed = await start({ versions: [6] });
    const { controller, say } = await controller15(bed);
    say(TABLE_MOD, [0, 0, 0, 0, ...u32(0), ...property]);
    expect(await controller.next(is('error'))).toMatchObject({ errorType, errorCode });
  });
});

describe.each([1, 2, 3])('OFPC_INVALID_TTL_TO_CONTROLLER in version %i (1.1.0 §A.3.2)', (version) => {
  it('brings packets whose TTL ran out to who set it', async () => {
    const bed = await start({ versions: [version] });
    const target = parseActive(bed.address) as { host: string; port: number };
    const session = new Session(connect(target.port, target.host), { versions: [version] });
    await session.ready;
    session.send({ type: 'set_config', flags: 4, missSendLen: 64 });
    expect(await session.request({ type: 'get_config_request' })).toMatchObject({ flags: 4, missSendLen: 64 });
    session.send({ type: 'set_config', flags: 1, missSendLen: 64 });
    expect(await session.request({ type: 'get_config_request' })).toMatchObject({ flags: 1 });
    session.send({ type: 'set_config', flags: 4, missSendLen: 64 });
    // Added by a controller of another version: 1.0 has no such action.
    const expired = { type: 'flow_mod', instructions: [{ type: 'apply_actions', actions: [{ type: 'dec_nw_ttl' }] }] };
    const rest = { cookie: 9n, cookieMask: 0n, tableId: 0, command: 0, idleTimeout: 0, hardTimeout: 0, priority: 1 };
    const wide = { bufferId: 0xffffffff, outPort: 0xffffffff, outGroup: 0xffffffff, flags: 0, xid: 1, version: 4 };
    const match = [{ field: 'eth_type', value: Uint8Array.of(8, 0) }];
    const settings = { flowFormat: plainFormat, auxiliaryId: 0, config: { missSendLen: 0, invalidTtl: false } };
    const sink = { send() {}, sendRaw: () => true, drained: async () => {}, abandon() {}, gone: false };
    const view = { version: 4, ...settings, ...sink };
    bed.ofproto.handle(view, { ...expired, ...rest, ...wide, match } as Message);
    await session.barrier();
    const frame = new Uint8Array(60);
    frame.set([8, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 1, 17], 12);
    bed.inject(frame);
    const { value } = await session[Symbol.asyncIterator]().next();
    // 1.0 and 1.1 have no word for the reason.
    expect(value).toMatchObject({ type: 'packet_in', totalLen: 60 });
    await session.close();
  });
});
