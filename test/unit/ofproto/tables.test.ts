/** What tables can be set to: misses, eviction, vacancy events, features. */
import {
  errorName,
  type Message,
  type MessageOf,
  of14,
  of15,
  type TableFeatures,
  type TableModProperty,
} from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { apply, Bed, FakeController, flowMod, output } from './bed.js';

const { OFPTC, OFPTMPEF, OFPTR } = of14;

const tableMod = (config: number, properties: readonly TableModProperty[] = [], tableId = 0) =>
  ({ type: 'table_mod', tableId, config, ...(properties.length === 0 ? {} : { properties }) }) as const;
const features = (over: Partial<TableFeatures> & { readonly tableId: number }): TableFeatures => ({
  name: '',
  metadataMatch: 0n,
  metadataWrite: 0n,
  config: 0,
  maxEntries: 1_000,
  properties: [],
  ...over,
});
const setFeatures = (entries: readonly TableFeatures[], flags = 0) =>
  ({ type: 'multipart_request', flags, body: { type: 'table_features', entries } }) as const;

async function errorOf(bed: Bed, message: Parameters<Bed['error']>[0]): Promise<string | undefined> {
  const pair = await bed.error(message);
  return pair && errorName(pair[0], pair[1], bed.version);
}

/** A table of two flows at most. */
async function small(version: number): Promise<Bed> {
  const bed = new Bed(version);
  const all = Array.from({ length: 254 }, (_, tableId) => features({ tableId, maxEntries: tableId === 0 ? 2 : 1000 }));
  await bed.say(setFeatures(all));
  return bed;
}
const flow = (n: number, over = {}) =>
  flowMod({ match: { in_port: n }, cookie: BigInt(n), instructions: [apply(output(2))], flags: 1, ...over });
async function cookies(bed: Bed): Promise<bigint[]> {
  const filter = { outPort: 0xffffffff, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: [] };
  const bodies = await bed.stats({ type: 'flow', tableId: 255, ...filter });
  return bodies.flatMap((body) => ('entries' in body ? body.entries.map(({ cookie }) => cookie) : [])).sort();
}

describe('packets that no flow matches (1.1.0 §A.3.3)', () => {
  it.each([2, 3])('go on or are dropped as table_mod of version %i says', async (version) => {
    const bed = new Bed(version);
    bed.ofproto.controllersChanged(true, true);
    await bed.say(flowMod({ tableId: 1, instructions: [apply(output(3))] }));
    bed.inject(1, new Uint8Array(60));
    expect(bed.asyncMessages.splice(0)).toMatchObject([{ type: 'packet_in', tableId: 0, reason: 0 }]);
    await bed.say(tableMod(1));
    bed.inject(1, new Uint8Array(60));
    expect(bed.ports()).toEqual([3]);
    await bed.say(tableMod(2));
    bed.inject(1, new Uint8Array(60));
    expect([bed.ports(), bed.asyncMessages]).toEqual([[], []]);
    const [body] = await bed.stats({ type: 'table' });
    expect(
      (body as { entries: readonly { config?: number }[] }).entries.map(({ config }) => config).slice(0, 2),
    ).toEqual([2, 0]);
    expect(await errorOf(bed, tableMod(3))).toBe('OFPTMFC_BAD_CONFIG');
    expect(await errorOf(bed, tableMod(0, [], 254))).toBe('OFPTMFC_BAD_TABLE');
  });
  it('means nothing in 1.3', async () => {
    const bed = new Bed(4);
    expect(await errorOf(bed, tableMod(3))).toBeUndefined();
    expect(await errorOf(bed, tableMod(OFPTC.EVICTION))).toBe('OFPTMFC_BAD_CONFIG');
  });
});

describe('eviction (1.4.1 §6.5)', () => {
  it.each([5, 6])('takes the least important flow, in version %i', async (version) => {
    const bed = await small(version);
    await bed.say(flow(1, { importance: 9 }));
    await bed.say(flow(2, { importance: 3 }));
    expect(await errorOf(bed, flow(3, { importance: 5 }))).toBe('OFPFMFC_TABLE_FULL');
    await bed.say(tableMod(OFPTC.EVICTION));
    expect(await errorOf(bed, flow(3, { importance: 2 }))).toBe('OFPFMFC_TABLE_FULL');
    expect(await errorOf(bed, flow(3, { importance: 5 }))).toBeUndefined();
    expect(await cookies(bed)).toEqual([1n, 3n]);
    expect(bed.asyncMessages).toMatchObject([{ type: 'flow_removed', cookie: 2n, reason: 5 }]);
  });
  it('takes what expires first, where only lifetimes count', async () => {
    const bed = await small(5);
    await bed.say(tableMod(OFPTC.EVICTION, [{ type: 'eviction', flags: OFPTMPEF.LIFETIME }]));
    await bed.say(flow(1, { hardTimeout: 20 }));
    await bed.say(flow(2, { idleTimeout: 10, importance: 9 }));
    await bed.say(flow(3));
    expect(await cookies(bed)).toEqual([1n, 3n]);
    await bed.say(flow(4));
    expect(await cookies(bed)).toEqual([3n, 4n]);
  });
  it('is described (§7.3.5.8)', async () => {
    const bed = await small(5);
    const property = { type: 'eviction', flags: OFPTMPEF.IMPORTANCE } as const;
    await bed.say(tableMod(OFPTC.EVICTION, [property]));
    const [body] = await bed.stats({ type: 'table_desc' });
    const [first, second] = 'entries' in body! ? body.entries : [];
    expect(first).toEqual({ tableId: 0, config: OFPTC.EVICTION, properties: [property] });
    expect(second).toMatchObject({ tableId: 1, config: 0 });
  });
  it.each([
    ['OFPTMFC_BAD_CONFIG', tableMod(1 << 4)],
    ['OFPTMFC_BAD_TABLE', tableMod(0, [], 254)],
    ['OFPBPC_BAD_VALUE', tableMod(OFPTC.EVICTION, [{ type: 'eviction', flags: 8 }])],
    ['OFPBPC_BAD_VALUE', tableMod(OFPTC.EVICTION, [{ type: 'eviction', flags: 0 }])],
    [
      'OFPBPC_BAD_VALUE',
      tableMod(OFPTC.VACANCY_EVENTS, [{ type: 'vacancy', vacancyDown: 30, vacancyUp: 20, vacancy: 0 }]),
    ],
    [
      'OFPBPC_BAD_VALUE',
      tableMod(OFPTC.VACANCY_EVENTS, [{ type: 'vacancy', vacancyDown: 30, vacancyUp: 101, vacancy: 0 }]),
    ],
    [
      'OFPBPC_DUP_TYPE',
      tableMod(0, [
        { type: 'eviction', flags: 1 },
        { type: 'eviction', flags: 1 },
      ]),
    ],
    [
      'OFPBPC_BAD_EXPERIMENTER',
      tableMod(0, [{ type: 'experimenter', experimenter: 1, expType: 2, data: new Uint8Array(0) }]),
    ],
    ['OFPBPC_BAD_TYPE', tableMod(0, [{ type: 'unknown', code: 9, data: new Uint8Array(4) }])],
  ] as const)('%s', async (expected, message) => {
    expect(await errorOf(new Bed(5), message)).toBe(expected);
  });
});

describe('vacancy events (1.4.1 §7.4.5)', () => {
  const statuses = (bed: Bed) =>
    bed.asyncMessages
      .splice(0)
      .filter(
        (message): message is Extract<typeof message, { type: 'table_status' }> => message.type === 'table_status',
      )
      .map(({ reason, table }) => [reason, table.properties.find(({ type }) => type === 'vacancy')]);

  it('are told once on the way down and once on the way up', async () => {
    const bed = new Bed(5);
    const all = Array.from({ length: 254 }, (_, tableId) => features({ tableId, maxEntries: 10 }));
    await bed.say(setFeatures(all));
    const limits = { type: 'vacancy', vacancyDown: 30, vacancyUp: 50 } as const;
    await bed.say(tableMod(OFPTC.VACANCY_EVENTS, [{ ...limits, vacancy: 0 }]));
    for (let n = 1; n <= 7; n++) await bed.say(flow(n, { flags: 0 }));
    expect(statuses(bed)).toEqual([]);
    await bed.say(flow(8, { flags: 0, hardTimeout: 5 }));
    await bed.say(flow(9, { flags: 0 }));
    expect(statuses(bed)).toEqual([[OFPTR.VACANCY_DOWN, { ...limits, vacancy: 20 }]]);
    const remove = (n: number) => bed.say(flow(n, { command: 3, flags: 0 }));
    for (const n of [1, 2, 3]) await remove(n);
    expect(statuses(bed)).toEqual([]);
    // The fourth to go does so by its timeout.
    bed.now += 6_000_000_000n;
    bed.ofproto.tick();
    expect(statuses(bed)).toEqual([]);
    await remove(4);
    expect(statuses(bed)).toEqual([[OFPTR.VACANCY_UP, { ...limits, vacancy: 60 }]]);
  });
});

describe('table features (1.3.5 §7.3.5.5)', () => {
  it.each([4, 5, 6])(
    'are what every table can do, and can be asked for again as they are, in version %i',
    async (version) => {
      const bed = new Bed(version);
      const bodies = await bed.stats({ type: 'table_features', entries: [] });
      const entries = bodies.flatMap((body) => body.entries);
      expect(entries.map(({ tableId }) => tableId)).toEqual(Array.from({ length: 254 }, (_, i) => i));
      // They do not fit into one message, and what came in several goes back in several.
      const asked = entries.map((entry) => ({ ...entry, config: 0 }));
      const parts = [asked.slice(0, 6), asked.slice(6, 8)];
      for (let at = 8; at < asked.length; at += 8) parts.push(asked.slice(at, at + 8));
      const request = { type: 'multipart_request' as const, xid: 7 };
      for (const [i, part] of parts.entries()) {
        const body = { type: 'table_features' as const, entries: part };
        const flags = i === parts.length - 1 ? 0 : 1;
        await bed.ofproto.handle(bed.controller, { ...request, version, flags, body });
      }
      const replies = bed.controller.received.splice(0) as MessageOf<'multipart_reply'>[];
      expect(replies.flatMap(({ body }) => (body.type === 'table_features' ? body.entries : []))).toEqual(entries);
    },
  );
  it('take tables out of the pipeline, with their flows and without a word of each', async () => {
    const bed = new Bed(4);
    await bed.say(flow(1));
    await bed.say(flow(2, { tableId: 2 }));
    const kept = { maxEntries: 4_000_000 };
    await bed.say(setFeatures([features({ tableId: 0, name: 'first', ...kept }), features({ tableId: 1, ...kept })]));
    expect(bed.asyncMessages).toEqual([]);
    expect(await cookies(bed)).toEqual([1n]);
    const bodies = await bed.stats({ type: 'table_features', entries: [] });
    expect(bodies.flatMap((body) => body.entries.map(({ name }) => name))).toEqual(['first', 'table1']);
    expect(await errorOf(bed, flow(3, { tableId: 2 }))).toBe('OFPFMFC_BAD_TABLE_ID');
    const goto = [{ type: 'goto_table', tableId: 2 }] as const;
    expect(await errorOf(bed, flow(3, { instructions: goto }))).toBe('OFPBIC_BAD_TABLE_ID');
  });
  it('enable and disable tables in 1.5', async () => {
    const bed = new Bed(6);
    const { OFPTFC } = of15;
    await bed.say(setFeatures([features({ tableId: 9, command: OFPTFC.DISABLE })]));
    expect(await errorOf(bed, flow(1, { tableId: 9 }))).toBe('OFPFMFC_BAD_TABLE_ID');
    await bed.say(setFeatures([features({ tableId: 9, command: OFPTFC.ENABLE })]));
    expect(await errorOf(bed, flow(1, { tableId: 9 }))).toBeUndefined();
    await bed.say(setFeatures([features({ tableId: 9, command: OFPTFC.MODIFY, maxEntries: 1 })]));
    await bed.say(flow(2, { tableId: 9 }));
    expect(await errorOf(bed, flow(3, { tableId: 9 }))).toBe('OFPFMFC_TABLE_FULL');
    expect(await errorOf(bed, flow(4, { tableId: 8 }))).toBeUndefined();
  });
  it.each([
    ['OFPTFFC_BAD_TABLE', 4, [features({ tableId: 254 })]],
    ['OFPTFFC_BAD_TABLE', 4, [features({ tableId: 0 }), features({ tableId: 0 })]],
    ['OFPTFFC_EPERM', 4, [features({ tableId: 1 })]],
    ['OFPTFFC_BAD_ARGUMENT', 4, [features({ tableId: 0, maxEntries: 0xffffffff })]],
    ['OFPTFFC_BAD_ARGUMENT', 4, [features({ tableId: 3, properties: [{ type: 'next_tables', ids: [2] }] })]],
    ['OFPBPC_BAD_VALUE', 5, [features({ tableId: 0, properties: [{ type: 'table_sync_from', ids: [1] }] })]],
    [
      'OFPTFFC_BAD_ARGUMENT',
      4,
      [features({ tableId: 0, properties: [{ type: 'match', ids: [{ field: 'in_port', hasMask: true }] }] })],
    ],
    [
      'OFPTFFC_BAD_TYPE',
      4,
      [
        features({
          tableId: 0,
          properties: [{ type: 'experimenter', experimenter: 1, expType: 1, data: new Uint8Array(0) }],
        }),
      ],
    ],
    ['OFPTFFC_BAD_COMMAND', 6, [features({ tableId: 0, command: 4 })]],
    ['OFPTFFC_BAD_MAX_ENT', 6, [features({ tableId: 0, maxEntries: 0xffffffff, command: 1 })]],
    ['OFPTFFC_BAD_CAPA', 6, [features({ tableId: 0, config: 0x100, command: 1 })]],
    ['OFPTFFC_BAD_FEATURES', 6, [features({ tableId: 0, features: 0x80, command: 1 })]],
    ['OFPTFFC_EPERM', 6, [features({ tableId: 0, command: 3 })]],
  ] as const)('%s in version %i', async (expected, version, entries) => {
    const bed = new Bed(version);
    expect(await errorOf(bed, setFeatures(entries))).toBe(expected);
    expect(await errorOf(bed, flow(1, { tableId: 253 }))).toBeUndefined();
  });
});

describe('a modify of 1.0 (1.0.2 §4.6)', () => {
  it('reaches flows in every table, and adds to the first where there is none', async () => {
    const bed = new Bed(1);
    const other = new FakeController(4);
    const add = { ...flow(1, { tableId: 7 }), version: 4, xid: 1 } as Message;
    await bed.ofproto.handle(other, add);
    await bed.say(flow(1, { command: 1, instructions: [apply(output(3))] }));
    await bed.say(flow(2, { command: 1 }));
    const filter = { outPort: 0xffffffff, outGroup: 0xffffffff, cookie: 0n, cookieMask: 0n, match: [] };
    const bodies = await bed.stats({ type: 'flow', tableId: 255, ...filter });
    const flows = bodies.flatMap((body) => ('entries' in body ? body.entries : []));
    expect(flows.map(({ tableId, instructions }) => [tableId, instructions])).toEqual([
      [0, [apply(output(2))]],
      [7, [apply(output(3))]],
    ]);
  });
});
