import { connect } from 'node:net';
import { encodeMessage, type Message, type MessageOf, neutralName, type Outgoing, of14, Session } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { parseActive } from '../../../src/openflow/index.js';
import { flowMod } from '../ofproto/bed.js';
import { type Bed, flowStats, start } from './bed.js';

const { OFPBCT, OFPBF } = of14;
const BOTH = OFPBF.ATOMIC | OFPBF.ORDERED;
const output = (port: number) => ({ type: 'apply_actions', actions: [{ type: 'output', port, maxLen: 0 }] }) as const;

class Client {
  #xid = 500;
  constructor(
    readonly session: Session,
    readonly version: number,
  ) {}

  static async connect(bed: Bed, version: number): Promise<Client> {
    const target = parseActive(bed.address) as { host: string; port: number };
    const session = new Session(connect(target.port, target.host), { versions: [version] });
    await session.ready;
    return new Client(session, version);
  }
  /** Everything that comes back until a barrier. */
  async say(message: Outgoing): Promise<Message[]> {
    this.session.send({ xid: this.#xid++, ...message });
    const fence = this.#xid++;
    this.session.send({ type: 'experimenter', experimenter: 1, expType: 1, data: new Uint8Array(0), xid: fence });
    const replies: Message[] = [];
    for await (const reply of this.session) {
      if (reply.xid === fence) break;
      replies.push(reply);
    }
    return replies;
  }
  async outcome(message: Outgoing): Promise<unknown[]> {
    return (await this.say(message)).map((reply) => {
      if (reply.type !== 'error') return (reply as MessageOf<'bundle_control'>).controlType;
      return neutralName({ type: reply.errorType, code: reply.errorCode }) ?? [reply.experimenter, reply.errorCode];
    });
  }
  control(controlType: number, bundleId = 1, flags: number = BOTH) {
    return this.outcome({ type: 'bundle_control', bundleId, controlType, flags });
  }
  add(inner: Outgoing, { bundleId = 1, flags = BOTH as number, xid = 77 } = {}) {
    const message = encodeMessage({ ...inner, version: this.version, xid: 77 } as Message);
    return this.outcome({ type: 'bundle_add_message', bundleId, flags, message, xid });
  }
  async flows() {
    const { body } = (await this.session.request(flowStats as Outgoing<MessageOf<'multipart_request'>>)) as {
      body: { entries: readonly { cookie: bigint }[] };
    };
    return body.entries.map(({ cookie }) => cookie);
  }
}

describe.each([4, 5, 6])('bundles of wire version %i (§7.3.9)', (version) => {
  const open = async () => Client.connect(await start({ versions: [version] }), version);

  it('take effect when they are committed, and not before', async () => {
    const client = await open();
    expect(await client.control(OFPBCT.OPEN_REQUEST)).toEqual([OFPBCT.OPEN_REPLY]);
    const bucket = { weight: 0, watchPort: 0xffffffff, watchGroup: 0xffffffff, actions: [] };
    expect(await client.add({ type: 'group_mod', command: 0, groupType: 0, groupId: 5, buckets: [bucket] })).toEqual(
      [],
    );
    const toGroup = { type: 'apply_actions', actions: [{ type: 'group', groupId: 5 }] } as const;
    expect(await client.add(flowMod({ cookie: 1n, instructions: [toGroup] }))).toEqual([]);
    expect(await client.flows()).toEqual([]);
    expect(await client.control(OFPBCT.CLOSE_REQUEST)).toEqual([OFPBCT.CLOSE_REPLY]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual([OFPBCT.COMMIT_REPLY]);
    expect(await client.flows()).toEqual([1n]);
  });

  it('change nothing where one of them is refused', async () => {
    const client = await open();
    await client.add(flowMod({ cookie: 1n, instructions: [output(1)] }));
    await client.add({ type: 'group_mod', command: 0, groupType: 0, groupId: 5, buckets: [] });
    await client.add({ type: 'group_mod', command: 0, groupType: 0, groupId: 5, buckets: [] });
    const [first, second] = await client.control(OFPBCT.COMMIT_REQUEST);
    expect(first).toBe('OFPGMFC_GROUP_EXISTS');
    expect(second).toEqual(version === 4 ? [0x4f4e4600, 2313] : 'OFPBFC_MSG_FAILED');
    expect(await client.flows()).toEqual([]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual([version === 4 ? [0x4f4e4600, 2302] : 'OFPBFC_BAD_ID']);
  });
});

describe.each([5, 6])('bundles of wire version %i that are wrong (§7.3.9)', (version) => {
  const open = async () => Client.connect(await start({ versions: [version] }), version);

  it('are refused with the errors of the specification', async () => {
    const client = await open();
    expect(await client.control(OFPBCT.CLOSE_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(await client.control(OFPBCT.DISCARD_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(await client.control(9)).toEqual(['OFPBFC_BAD_TYPE']);
    expect(await client.control(OFPBCT.OPEN_REQUEST, 1, 8)).toEqual(['OFPBFC_BAD_FLAGS']);
    await client.control(OFPBCT.OPEN_REQUEST);
    expect(await client.control(OFPBCT.OPEN_REQUEST)).toEqual(['OFPBFC_BUNDLE_EXIST']);
    expect(await client.add(flowMod(), { xid: 78 })).toEqual(['OFPBFC_MSG_BAD_XID']);
    expect(await client.add(flowMod(), { flags: 0 })).toEqual(['OFPBFC_BAD_FLAGS']);
    expect(await client.add({ type: 'barrier_request' })).toEqual(['OFPBFC_MSG_UNSUP']);
    expect(await client.control(OFPBCT.COMMIT_REQUEST, 1, 0)).toEqual(['OFPBFC_BAD_FLAGS']);
    await client.control(OFPBCT.CLOSE_REQUEST);
    expect(await client.control(OFPBCT.CLOSE_REQUEST)).toEqual(['OFPBFC_BUNDLE_CLOSED']);
    expect(await client.add(flowMod())).toEqual(['OFPBFC_BUNDLE_CLOSED']);
    expect(await client.control(OFPBCT.DISCARD_REQUEST)).toEqual([OFPBCT.DISCARD_REPLY]);
    for (let id = 0; id < 16; id++) expect(await client.control(OFPBCT.OPEN_REQUEST, id)).toEqual([OFPBCT.OPEN_REPLY]);
    expect(await client.control(OFPBCT.OPEN_REQUEST, 16)).toEqual(['OFPBFC_OUT_OF_BUNDLES']);
  });
});
