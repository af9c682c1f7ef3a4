/** Answers to what the agent asks, and the packets that wait for them. */
import { parseActions } from 'node-openflow/text';
import { beforeEach, describe, expect, it } from 'vitest';
import { ABOUT_REGISTER, SlowPath } from '../../../src/compiler/index.js';
import { checksum, setU16 } from '../../../src/router-agent/bytes.js';
import { PROTOCOL, pseudoHeaderSum } from '../../../src/router-agent/ip-packet.js';
import { ASKED_PER_PORT, SEGMENTS } from '../../../src/router-agent/limits.js';
import { readTold } from '../../../src/router-agent/neighbour-messages.js';
import { router, Sent } from './agent.js';
import { bytes, hex, mac, routerBed } from './bed.js';

const host = (0xfd000001n << 96n) | 0x11n;
const gateway = (0xfd000001n << 96n) | 1n;
/** UDP from elsewhere to fd00:1::11. */
const waiting = bytes(
  `000000000000${mac.router}86dd 60000000000911 3f fd000002000000000000000000000011 fd000001000000000000000000000011 03e8829a0009000078`,
);
const registers = new Map([
  [4, 1],
  [0, 0xfd000001],
  [3, 0x11],
]);
/** TCP with so many bytes to the same host. */
const tcp6 = (length: number): Uint8Array =>
  bytes(
    `000000000000${mac.router}86dd 60000000${(20 + length).toString(16).padStart(4, '0')}06 3f fd000002000000000000000000000011 fd000001000000000000000000000011 03e800500000000100000000 50180200 00000000${'61'.repeat(length)}`,
  );
const SOLICITED = 0x60;
const OPTION = `0201${mac.red}`;

/** A neighbour advertisement of fd00:1::11. */
function advertisement(flags: number, options: string): Uint8Array {
  const message = bytes(
    `88000000 ${flags.toString(16).padStart(2, '0')}000000 fd000001000000000000000000000011${options}`,
  );
  setU16(message, 2, checksum(message, pseudoHeaderSum(6, host, gateway, PROTOCOL.icmp6, message.length)));
  const length = message.length.toString(16).padStart(4, '0');
  return bytes(
    `${mac.router}${mac.red}86dd 60000000${length}3aff fd000001000000000000000000000011 fd000001000000000000000000000001${hex(message)}`,
  );
}

describe('an advertisement', () => {
  it('says where somebody is by its option, and that it hears us by its flag (RFC 4861 §7.2.5)', () => {
    const told = { family: 6, value: host };
    expect(readTold(advertisement(SOLICITED, OPTION))).toEqual({ ...told, mac: '02:00:00:00:01:01', confirms: true });
    expect(readTold(advertisement(SOLICITED, ''))).toEqual({ ...told, mac: undefined, confirms: true });
    expect(readTold(advertisement(0x20, OPTION))).toEqual({ ...told, mac: '02:00:00:00:01:01', confirms: false });
    for (const wrong of [`0200${mac.red}`, '02', '0201010000000001'])
      expect(readTold(advertisement(SOLICITED, wrong)), wrong).toBeUndefined();
  });

  it('without it teaches flows nothing', async () => {
    const bed = await routerBed();
    const learned = async () => {
      await bed.settled();
      return (await bed.flows()).filter((flow) => flow.includes('priority=100') && flow.includes('reg3=0x11'));
    };
    bed.switch.inject(1, advertisement(SOLICITED, ''));
    expect(await learned()).toEqual([]);
    bed.switch.inject(1, advertisement(SOLICITED, OPTION));
    expect(await learned()).toHaveLength(1);
  }, 60_000);
});

describe('a packet whose next hop is not known', () => {
  let sent: Sent;
  beforeEach(() => {
    sent = new Sent();
  });
  const told = (frame: Uint8Array) => sent.hand(SlowPath.told, frame, { port: 7 });
  const want = (more: object = {}, frame = waiting) =>
    sent.hand(SlowPath.noNeighbour, frame, { registers, frameTotal: waiting.length, ...more });

  it('goes to who says where it is, by the port that it said so at', () => {
    expect(want()).toBe(1);
    expect(told(advertisement(SOLICITED, ''))).toBe(0);
    expect(told(advertisement(SOLICITED, OPTION))).toBe(1);
    expect(hex(sent.frames[1]!)).toBe(hex(waiting));
    const egress = router.firstTable + 6;
    const actions = parseActions(
      `load:1->NXM_NX_REG4[],load:7->NXM_NX_REG5[0..15],set_field:02:00:00:00:01:01->eth_dst,resubmit(,${egress})`,
    );
    expect(sent.actions[1]).toEqual(actions.ok && actions.value);
  });

  it('does not wait where it is not all here', () => {
    expect(want({}, waiting.subarray(0, -1))).toBe(1);
    expect(told(advertisement(SOLICITED, OPTION))).toBe(0);
  });

  it('is cut into segments where it is yet to be, when it waited and when it need not wait', () => {
    const unsegmented = tcp6(2500);
    const more = { segmentBytes: 1000, frameTotal: unsegmented.length };
    expect(want(more, unsegmented)).toBe(1);
    expect(told(advertisement(SOLICITED, OPTION))).toBe(3);
    expect(sent.frames.slice(1).map((frame) => frame.length)).toEqual([1074, 1074, 574]);
    expect(want(more, unsegmented)).toBe(3);
    // Each of them counts.
    let count = 0;
    for (let i = 0; i < SEGMENTS.port.atOnce; i++) count += want(more, unsegmented);
    expect(count).toBeGreaterThan(0);
    expect(count).toBeLessThanOrEqual(SEGMENTS.port.atOnce);
  });

  it('that is our own is asked for by the port that brought it about', () => {
    const CONTROLLER = 0xffff_fffd;
    const ask = (host: number, about: number) =>
      want({ port: CONTROLLER, registers: new Map([...registers, [3, host], [ABOUT_REGISTER, about]]) });
    let asked = 0;
    for (let host = 100; host < 100 + 2 * ASKED_PER_PORT; host++) asked += ask(host, 3);
    expect(asked).toBe(ASKED_PER_PORT);
    expect(ask(99, 4)).toBe(1);
  });
});
