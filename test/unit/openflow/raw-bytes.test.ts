/** Bundles, flow monitors and roles, byte for byte: what a controller says and everything that it hears back. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { parseActive } from '../../../src/openflow/index.js';
import { type Bed, start, until } from './bed.js';
import * as b from './errors/bytes.js';

const names = ['1.0', '1.1', '1.2', '1.3', '1.4', '1.5'];
const barrierRequest = (v: number) => b.message(v, v === 1 ? 18 : 20, [], 0xbbbb);
const barrierReply = (v: number) => b.message(v, v === 1 ? 19 : 21, [], 0xbbbb);

/** A connection on which bytes go out and come in, and nothing is decoded. */
class Wire {
  #heard = Buffer.alloc(0);

  private constructor(
    readonly version: number,
    readonly write: (bytes: Uint8Array) => void,
  ) {}

  static async open(bed: Bed, version: number): Promise<Wire> {
    const active = parseActive(bed.address) as { host: string; port: number };
    const socket = connect(active.port, active.host);
    const self = new Wire(version, (bytes) => void socket.write(bytes));
    socket.on('error', () => {});
    socket.on('data', (segment: Buffer) => {
      self.#heard = Buffer.concat([self.#heard, segment]);
    });
    await once(socket, 'connect');
    self.write(b.message(version, 0));
    await self.#message();
    return self;
  }

  async #message(): Promise<string> {
    const length = () => (this.#heard.length < 8 ? 8 : this.#heard.readUInt16BE(2));
    await until(() => this.#heard.length >= length(), 15_000);
    const bytes = this.#heard.subarray(0, length());
    this.#heard = this.#heard.subarray(length());
    return bytes.toString('hex');
  }

  /** All that comes back, in hex, until a barrier behind it is answered. */
  async say(...messages: readonly Uint8Array[]): Promise<string[]> {
    for (const bytes of messages) this.write(bytes);
    this.write(barrierRequest(this.version));
    const end = hex(barrierReply(this.version));
    const heard: string[] = [];
    for (;;) {
      const message = await this.#message();
      if (message === end) return heard;
      heard.push(message);
    }
  }
}

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const open = async (version: number) => {
  const bed = await start({ versions: [version] });
  return { bed, wire: await Wire.open(bed, version), other: await Wire.open(bed, version) };
};
const each = (versions: readonly number[]) => versions.map((version) => [names[version - 1], version] as const);

describe.each(each([4, 5, 6]))('a bundle of %s', (_, v) => {
  const control = (type: number, flags = 3) => hex(b.bundleControl(v, type, { flags }));
  const [OPEN, OPENED, CLOSE, CLOSED, COMMIT, COMMITTED, DISCARD, DISCARDED] = [0, 1, 2, 3, 4, 5, 6, 7];
  const flows = async (wire: Wire) => {
    const [reply] = await wire.say(b.flowStats(v, 0xff));
    return Number.parseInt(reply!.slice(4, 8), 16) > 16;
  };
  const add = () => b.bundleAdd(v, b.flowMod(v));

  it('is opened, closed and committed, each with its reply; its flow is there afterwards and not before', async () => {
    const { wire, other } = await open(v);
    expect(await wire.say(b.bundleControl(v, OPEN!), add())).toEqual([control(OPENED!)]);
    expect(await wire.say(b.bundleControl(v, CLOSE!))).toEqual([control(CLOSED!)]);
    expect(await flows(other)).toBe(false);
    expect(await wire.say(b.bundleControl(v, COMMIT!))).toEqual([control(COMMITTED!)]);
    expect(await flows(other)).toBe(true);
  });
  it('is opened by what is added to it, and discarded', async () => {
    const { wire } = await open(v);
    expect(await wire.say(add(), b.bundleControl(v, DISCARD!))).toEqual([control(DISCARDED!)]);
    expect(await flows(wire)).toBe(false);
  });
  it('holds its flags, in each of their combinations', async () => {
    const { wire } = await open(v);
    for (const flags of [0, 1, 2, 3]) {
      const said = [OPEN!, COMMIT!].map((type) => b.bundleControl(v, type, { flags }));
      expect(await wire.say(...said)).toEqual([control(OPENED!, flags), control(COMMITTED!, flags)]);
    }
  });
  it('is each controller’s own', async () => {
    const { wire, other } = await open(v);
    await wire.say(b.bundleControl(v, OPEN!));
    expect(await other.say(b.bundleControl(v, OPEN!))).toEqual([control(OPENED!)]);
    await wire.say(b.bundleControl(v, DISCARD!));
    expect(await other.say(b.bundleControl(v, COMMIT!))).toEqual([control(COMMITTED!)]);
  });
});

/** Replies of flow monitors: a multipart reply of the version around the updates. */
const multipartReply = (v: number, body: b.Bytes, xid = 0): string => {
  const type = v >= 5 ? b.u16(16) : b.u16(0xffff);
  const vendor = v >= 5 ? [] : v === 4 ? [...b.u32(b.ONF), ...b.u32(1870)] : [...b.u32(b.NICIRA), ...b.u32(2)];
  const head = [...type, ...b.zeros(2), ...(v === 1 ? [] : b.zeros(4)), ...vendor, ...(v === 1 ? b.zeros(4) : [])];
  return hex(b.message(v, v === 1 ? 17 : 19, [...head, ...body], xid));
};
/** A flow of table 0 that matches all and does nothing, as those who did not make it are told. */
const FULL_LENGTH = 24;
const update = (v: number, event: number, reason = 0): b.Bytes => {
  if (v >= 5) {
    const facts = [0, reason, ...b.zeros(6), ...b.zeros(4), ...b.zeros(8)];
    return [...b.u16(FULL_LENGTH + 8), ...b.u16(event), ...facts, ...b.oxmMatch()];
  }
  const facts = [...b.u16(reason), ...b.u16(0), ...b.zeros(4), ...b.u16(v === 4 ? 4 : 0), 0, 0, ...b.zeros(8)];
  const match = v === 4 ? b.oxmMatch() : [];
  return [...b.u16(FULL_LENGTH + match.length), ...b.u16(event), ...facts, ...match];
};
const abbreviated = (event: number): b.Bytes => [...b.u16(8), ...b.u16(event), ...b.u32(b.XID)];

describe.each(each([1, 2, 3, 4, 5, 6]))('a flow monitor of %s', (_, v) => {
  // OFPFMF and NXFMF: added, removed, modified.
  const CHANGES = 0x0e;
  const [added, removed, abbrev] = v >= 5 ? [1, 2, 4] : [0, 1, 3];
  const OFPRR_DELETE = 2;

  it('is answered with nothing, and tells of what another does and, in short, of what its own controller does', async () => {
    const { wire, other } = await open(v);
    expect(await wire.say(b.monitor(v, { flags: CHANGES }))).toEqual([multipartReply(v, [], b.XID)]);
    await other.say(b.flowMod(v));
    expect(await wire.say()).toEqual([multipartReply(v, update(v, added!))]);
    expect(await wire.say(b.flowMod(v, { command: 3 }))).toEqual([multipartReply(v, abbreviated(abbrev!))]);
    await other.say(b.flowMod(v), b.flowMod(v, { command: 3 }));
    const told = (await wire.say()).join('');
    expect(told).toContain(hex(Uint8Array.from(update(v, added!))));
    expect(told).toContain(hex(Uint8Array.from(update(v, removed!, OFPRR_DELETE))));
  });
  it('is silent when it is gone', async () => {
    const { wire, other } = await open(v);
    const cancel =
      v >= 5
        ? b.monitor(v, { command: 2, flags: CHANGES })
        : v === 4
          ? b.experimenter(v, b.ONF, 1870, b.u32(1))
          : b.nicira(v, 21, b.u32(1));
    await wire.say(b.monitor(v, { flags: CHANGES }), cancel);
    await other.say(b.flowMod(v));
    expect(await wire.say()).toEqual([]);
  });
});

describe.each(each([3, 4, 5, 6]))('roles of %s', (_, v) => {
  const [NOCHANGE, EQUAL, MASTER, SLAVE] = [0, 1, 2, 3];
  const reply = (role: number, generation: b.Bytes) =>
    hex(b.message(v, 25, [...b.u32(role), ...b.zeros(4), ...generation]));
  const generation = (n: number): b.Bytes => [...b.zeros(4), ...b.u32(n)];

  it('begin equal and without a generation', async () => {
    const { wire } = await open(v);
    expect(await wire.say(b.roleRequest(v, NOCHANGE!, 0))).toEqual([reply(EQUAL!, b.ones(8))]);
  });
  it('a new master makes the old one a slave, which is told of it since 1.4 and refused', async () => {
    const { wire, other } = await open(v);
    expect(await wire.say(b.roleRequest(v, MASTER!, 5))).toEqual([reply(MASTER!, generation(5))]);
    expect(await other.say(b.roleRequest(v, MASTER!, 6))).toEqual([reply(MASTER!, generation(6))]);
    const told = b.message(v, 30, [...b.u32(SLAVE!), 0, ...b.zeros(3), ...generation(6)], 0);
    expect(await wire.say()).toEqual(v >= 5 ? [hex(told)] : []);
    const request = b.flowMod(v);
    const refused = b.message(v, 1, [...b.u16(1), ...b.u16(10), ...request.subarray(0, 64)]);
    expect(await wire.say(request)).toEqual([hex(refused)]);
    expect(await wire.say(b.roleRequest(v, EQUAL!, 0))).toEqual([reply(EQUAL!, generation(6))]);
    expect(await wire.say(request)).toEqual([]);
  });
  it('a stale request changes nothing', async () => {
    const { wire } = await open(v);
    await wire.say(b.roleRequest(v, MASTER!, 5));
    const request = b.roleRequest(v, SLAVE!, 4);
    expect(await wire.say(request)).toEqual([hex(b.message(v, 1, [...b.u16(11), ...b.u16(0), ...request]))]);
    expect(await wire.say(b.roleRequest(v, NOCHANGE!, 0))).toEqual([reply(MASTER!, generation(5))]);
  });
});

describe.each(each([1, 2, 3, 4, 5, 6]))("Nicira's roles of %s", (_, v) => {
  // NXT_ROLE_REQUEST and NXT_ROLE_REPLY
  const request = (role: number) => b.nicira(v, 10, b.u32(role));
  const reply = (role: number) => hex(b.nicira(v, 11, b.u32(role)));
  it('are answered, and one primary makes the other a secondary', async () => {
    const { wire, other } = await open(v);
    expect(await wire.say(request(1))).toEqual([reply(1)]);
    expect(await other.say(request(1))).toEqual([reply(1)]);
    const refused = (await wire.say(b.flowMod(v))).at(-1)!;
    // OFPT_ERROR; in 1.0 and 1.1 a slave is told OFPBRC_EPERM.
    expect(refused.slice(2, 4)).toBe('01');
    expect(refused.slice(16, 24)).toBe(v <= 2 ? '00010005' : '0001000a');
    expect(await wire.say(request(0))).toEqual([reply(0)]);
    expect(await wire.say(b.flowMod(v))).toEqual([]);
  });
});
