import {
  type BundleProperty,
  encodeMessage,
  type Message,
  type MultipartRequestBody,
  type Outgoing,
  of14,
  of15,
} from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { tcpFrame } from '../../differential/frames.js';
import { HandClock } from '../../lab/hand-clock.js';
import { flowMod, packetOut, output as toPort } from '../ofproto/bed.js';
import { type Bed, CONTROLLER_PORT, flowStats, start } from './bed.js';
import { Client, errorOf } from './client.js';

const { OFPBCT, OFPBF } = of14;
const BOTH = OFPBF.ATOMIC | OFPBF.ORDERED;
const output = (port: number) => ({ type: 'apply_actions', actions: [{ type: 'output', port, maxLen: 0 }] }) as const;

class Bundler extends Client {
  static override async connect(bed: Bed, version: number): Promise<Bundler> {
    const { session } = await Client.connect(bed, version);
    return new Bundler(session, version);
  }
  async outcome(message: Outgoing): Promise<unknown[]> {
    const own = await this.say(message);
    // What is wrong with a message inside is said with that one's xid, before.
    const inner = this.events.filter(({ type }) => type === 'error');
    for (const error of inner) this.events.splice(this.events.indexOf(error), 1);
    return [...inner, ...own].map(outcomeOf);
  }
  control(controlType: number, bundleId = 1, flags: number = BOTH, properties?: readonly BundleProperty[]) {
    const time = properties === undefined ? {} : { properties };
    return this.outcome({ type: 'bundle_control', bundleId, controlType, flags, ...time });
  }
  add(inner: Outgoing, { bundleId = 1, flags = BOTH as number, xid = 77 } = {}) {
    const message = encodeMessage({ ...inner, version: this.version, xid: 77 } as Message);
    return this.outcome({ type: 'bundle_add_message', bundleId, flags, message, xid });
  }
  async flows() {
    const body = (await this.stats((flowStats as { readonly body: MultipartRequestBody }).body)) as {
      readonly entries: readonly { readonly cookie: bigint }[];
    };
    return body.entries.map(({ cookie }) => cookie);
  }
}

const outcomeOf = (reply: Message): unknown => (reply.type === 'bundle_control' ? reply.controlType : errorOf(reply));
/** 1.3's are an extension of ONF's. */
const named = (version: number, name: string, onf: number) => (version === 4 ? `experimenter ${onf}` : name);

describe.each([4, 5, 6])('bundles of wire version %i (§7.3.9)', (version) => {
  const open = async () => Bundler.connect(await start({ versions: [version] }), version);

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
    expect(second).toBe(named(version, 'OFPBFC_MSG_FAILED', 2313));
    expect(await client.flows()).toEqual([]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual([named(version, 'OFPBFC_BAD_ID', 2302)]);
  });
});

describe.each([5, 6])('bundles of wire version %i that are gone after an error (§7.3.9)', (version) => {
  const wrong: readonly [string, (client: Bundler) => Promise<unknown[]>, string][] = [
    ['opened twice', (client) => client.control(OFPBCT.OPEN_REQUEST), 'OFPBFC_BUNDLE_EXIST'],
    ['added to with other flags', (client) => client.add(flowMod(), { flags: 0 }), 'OFPBFC_BAD_FLAGS'],
    ['closed with other flags', (client) => client.control(OFPBCT.CLOSE_REQUEST, 1, 0), 'OFPBFC_BAD_FLAGS'],
    ['committed with other flags', (client) => client.control(OFPBCT.COMMIT_REQUEST, 1, 0), 'OFPBFC_BAD_FLAGS'],
    [
      'closed twice',
      async (client) => {
        await client.control(OFPBCT.CLOSE_REQUEST);
        return client.control(OFPBCT.CLOSE_REQUEST);
      },
      'OFPBFC_BUNDLE_CLOSED',
    ],
    [
      'added to when closed',
      async (client) => {
        await client.control(OFPBCT.CLOSE_REQUEST);
        return client.add(flowMod());
      },
      'OFPBFC_BUNDLE_CLOSED',
    ],
  ];
  it.each(wrong)('%s', async (_, act, error) => {
    const client = await Bundler.connect(await start({ versions: [version] }), version);
    await client.control(OFPBCT.OPEN_REQUEST);
    await client.add(flowMod({ cookie: 1n }));
    expect(await act(client)).toEqual([error]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(await client.flows()).toEqual([]);
  });
});

describe.each([5, 6])('bundles of wire version %i that are wrong (§7.3.9)', (version) => {
  const open = async () => Bundler.connect(await start({ versions: [version] }), version);

  it('are refused with the errors of the specification', async () => {
    const client = await open();
    expect(await client.control(OFPBCT.CLOSE_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(await client.control(OFPBCT.DISCARD_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(await client.control(9)).toEqual(['OFPBFC_BAD_TYPE']);
    expect(await client.control(OFPBCT.OPEN_REQUEST, 1, 8)).toEqual(['OFPBFC_BAD_FLAGS']);
    await client.control(OFPBCT.OPEN_REQUEST);
    expect(await client.add(flowMod(), { xid: 78 })).toEqual(['OFPBFC_MSG_BAD_XID']);
    expect(await client.add({ type: 'barrier_request' })).toEqual(['OFPBFC_MSG_UNSUP']);
    expect(await client.control(OFPBCT.DISCARD_REQUEST)).toEqual([OFPBCT.DISCARD_REPLY]);
    for (let id = 0; id < 16; id++) expect(await client.control(OFPBCT.OPEN_REQUEST, id)).toEqual([OFPBCT.OPEN_REPLY]);
    expect(await client.control(OFPBCT.OPEN_REQUEST, 16)).toEqual(['OFPBFC_OUT_OF_BUNDLES']);
  });
});

describe.each([4, 5, 6])('packet-outs in bundles of wire version %i', (version) => {
  const open = async () => {
    const bed = await start({ versions: [version] });
    return { bed, client: await Bundler.connect(bed, version) };
  };
  const up = toPort(CONTROLLER_PORT, 0xffff);

  it('are sent when it is committed, through the flows that come with it', async () => {
    const { client } = await open();
    client.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    await client.add(packetOut({ actions: [toPort(0xfffffff9)], data: tcpFrame() }));
    await client.add(flowMod({ cookie: 5n, instructions: [{ type: 'apply_actions', actions: [up] }] }));
    expect(await client.settle()).toEqual([]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual([OFPBCT.COMMIT_REPLY]);
    expect(await client.settle()).toMatchObject([{ type: 'packet_in', cookie: 5n }]);
  });

  it('are not sent, and keep their buffers, where something is refused', async () => {
    const { bed, client } = await open();
    client.send({ type: 'set_config', flags: 0, missSendLen: 128 });
    await client.say(flowMod({ instructions: [{ type: 'apply_actions', actions: [toPort(CONTROLLER_PORT, 20)] }] }));
    bed.inject(tcpFrame());
    const [packet] = await client.settle();
    if (packet?.type !== 'packet_in') throw new Error('no packet-in');
    const out = packetOut({ bufferId: packet.bufferId, actions: [up], data: new Uint8Array(0) });
    await client.add(out);
    await client.add(packetOut({ actions: [{ type: 'group', groupId: 77 }] }));
    const refused = await client.control(OFPBCT.COMMIT_REQUEST);
    expect(refused).toEqual(['OFPBAC_BAD_OUT_GROUP', named(version, 'OFPBFC_MSG_FAILED', 2313)]);
    expect(await client.settle()).toEqual([]);
    expect(await client.say(out)).toEqual([]);
    expect(await client.settle()).toMatchObject([{ type: 'packet_in', data: tcpFrame() }]);
  });

  it('may lead to a group that the bundle makes', async () => {
    const { client } = await open();
    await client.add(packetOut({ actions: [{ type: 'group', groupId: 77 }] }));
    await client.add({ type: 'group_mod', command: 0, groupType: 0, groupId: 77, buckets: [] });
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual([OFPBCT.COMMIT_REPLY]);
  });
});

describe('time', () => {
  const NOW = 1_800_000_000_000;
  const start15 = async () => {
    const clock = new HandClock();
    const bed = await start({ versions: [6], clock, wallMs: () => NOW + clock.nowMs() });
    return { bed, clock, client: await Bundler.connect(bed, 6) };
  };
  const at = (ms: number): readonly BundleProperty[] => [
    {
      type: 'time',
      scheduledTime: { seconds: BigInt(Math.floor(ms / 1000)), nanoseconds: (((ms % 1000) + 1000) % 1000) * 1e6 },
    },
  ];
  const SCHEDULED = BOTH | of15.OFPBF.TIME;
  const commitAt = (client: Bundler, ms: number) => client.control(OFPBCT.COMMIT_REQUEST, 1, SCHEDULED, at(ms));

  it('a bundle that nothing is said about is discarded after ten seconds, and the controller told', async () => {
    const { clock, client } = await start15();
    await client.control(OFPBCT.OPEN_REQUEST);
    clock.advance(6_000);
    await client.add(flowMod());
    clock.advance(6_000);
    expect(await client.settle()).toEqual([]);
    clock.advance(4_000);
    expect((await client.settle()).map(errorOf)).toEqual(['OFPBFC_TIMEOUT']);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
    expect(clock.pending).toBe(0);
  });

  it('a scheduled bundle is carried out and answered at its time', async () => {
    const { clock, client } = await start15();
    await client.add(flowMod({ cookie: 3n }));
    expect(await commitAt(client, NOW + 30_000)).toEqual([]);
    expect(await client.control(OFPBCT.CLOSE_REQUEST)).toEqual(['OFPBFC_BUNDLE_IN_PROGRESS']);
    expect(await client.add(flowMod())).toEqual(['OFPBFC_BUNDLE_IN_PROGRESS']);
    clock.advance(29_999);
    expect(await client.flows()).toEqual([]);
    clock.advance(1);
    expect((await client.settle()).map(outcomeOf)).toEqual([OFPBCT.COMMIT_REPLY]);
    expect(await client.flows()).toEqual([3n]);
  });

  it('a scheduled bundle can be discarded, and dies with the connection', async () => {
    const { bed, clock, client } = await start15();
    await client.add(flowMod({ cookie: 3n }));
    await commitAt(client, NOW + 30_000);
    expect(await client.control(OFPBCT.DISCARD_REQUEST)).toEqual([OFPBCT.DISCARD_REPLY]);
    await client.add(flowMod({ cookie: 4n }));
    await commitAt(client, NOW + 30_000);
    await client.session.close();
    const other = await Bundler.connect(bed, 6);
    clock.advance(60_000);
    expect(await other.flows()).toEqual([]);
    expect(clock.pending).toBe(0);
  });

  it('a slave by then is not obeyed', async () => {
    const { clock, client } = await start15();
    await client.add(flowMod({ cookie: 3n }));
    await commitAt(client, NOW + 1_000);
    await client.say({ type: 'role_request', role: 3, generationId: 1n });
    clock.advance(1_000);
    expect((await client.settle()).map(errorOf)).toEqual(['OFPBFC_EPERM']);
    expect(await client.flows()).toEqual([]);
  });

  it.each([
    [61_000, 'OFPBFC_SCHED_FUTURE'],
    [-1_001, 'OFPBFC_SCHED_PAST'],
  ])('%i ms from now is refused, and the bundle gone', async (ms, error) => {
    const { client } = await start15();
    await client.add(flowMod());
    expect(await commitAt(client, NOW + ms)).toEqual([error]);
    expect(await client.control(OFPBCT.COMMIT_REQUEST)).toEqual(['OFPBFC_BAD_ID']);
  });

  it('what is a little late is done at once', async () => {
    const { clock, client } = await start15();
    await client.add(flowMod({ cookie: 3n }));
    client.send({
      type: 'bundle_control',
      bundleId: 1,
      controlType: OFPBCT.COMMIT_REQUEST,
      flags: SCHEDULED,
      properties: at(NOW - 900),
    });
    await client.settle();
    clock.advance(0);
    expect((await client.settle()).map(outcomeOf)).toEqual([OFPBCT.COMMIT_REPLY]);
  });

  it('features tell of it, and set how far ahead it may be', async () => {
    const { client } = await start15();
    const flags = of15.OFPBF_FEATURES;
    const ask = (featureRequestFlags: number, future?: bigint) => {
      const zero = { seconds: 0n, nanoseconds: 0 };
      const limits = { schedAccuracy: zero, schedMaxPast: zero, timestamp: zero };
      const time = {
        type: 'time_capability',
        schedMaxFuture: { seconds: future ?? 0n, nanoseconds: 0 },
        ...limits,
      } as const;
      return client.stats({
        type: 'bundle_features',
        featureRequestFlags,
        properties: future === undefined ? [] : [time],
      });
    };
    expect(await ask(0)).toMatchObject({ capabilities: 7, properties: [] });
    expect(await ask(flags.TIMESTAMP)).toMatchObject({
      properties: [{ schedMaxFuture: { seconds: 60n }, timestamp: { seconds: BigInt(NOW / 1000) } }],
    });
    expect(await ask(flags.TIME_SET_SCHED, 300n)).toMatchObject({
      properties: [{ schedMaxFuture: { seconds: 300n } }],
    });
    await client.add(flowMod());
    expect(await commitAt(client, NOW + 299_000)).toEqual([]);
    expect(await ask(flags.TIME_SET_SCHED, 10n ** 18n)).toMatchObject({
      properties: [{ schedMaxFuture: { seconds: 86_400n } }],
    });
    await expect(ask(4)).rejects.toThrow('OFPBPC_BAD_VALUE');
    await expect(ask(flags.TIME_SET_SCHED)).rejects.toThrow('OFPBRC_MULTIPART_BAD_SCHED');
  });

  it('1.4 has no scheduled bundles', async () => {
    const client = await Bundler.connect(await start({ versions: [5] }), 5);
    expect(await client.control(OFPBCT.OPEN_REQUEST, 1, SCHEDULED)).toEqual(['OFPBFC_BAD_FLAGS']);
  });
});
