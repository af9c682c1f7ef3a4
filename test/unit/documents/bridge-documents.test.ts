/** The documents of a bridge: what becomes of ports, owners, controllers, confirmations and restarts. */
import { appendFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.js';
import { SourceFile } from '../../../src/compiler/index.js';
import { Journal } from '../../../src/documents/journal.js';
import { apply as applying, flowMod, output } from '../ofproto/bed.js';
import { DocumentsBed, document } from './bed.js';

const toWeb = '{name: to-web, priority: 9, match: {in_port: up/0}, do: [{output: web/0}]}';
const fromWeb = '{name: from-web, priority: 8, match: {in_port: web/0}, do: normal}';
const arp = '{name: arp, priority: 7, match: {protocol: arp}, do: normal}';
const fromUp = '{name: from-up, priority: 6, match: {in_port: up/0}, do: normal}';
const twoGuests = ['priority=8,in_port=2 actions=NORMAL', 'priority=9,in_port=1 actions=output:2'];

async function withWeb(): Promise<DocumentsBed> {
  const bed = await DocumentsBed.open();
  bed.plug('up', 1);
  bed.plug('web', 2);
  await bed.apply(document('shop', [toWeb, fromWeb]));
  return bed;
}

/** Deletes all that controllers see. */
const deleteAll = (bed: DocumentsBed) => bed.switch.say(flowMod({ command: 3, tableId: 255 }));

describe('ports', () => {
  it('that are not there keep the rules that name them waiting, and no others', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    const { waiting, plan } = await bed.apply(document('shop', [toWeb, fromWeb, arp]));
    expect(waiting).toEqual(['web/0']);
    expect(plan!.changes).toHaveLength(1);
    expect(await bed.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    expect(bed.documents.list()).toMatchObject([{ flows: 1, waitingFlows: 2, waitingPorts: ['web/0'], problem: '' }]);
    bed.plug('web', 2);
    await bed.settled();
    expect(await bed.flows()).toEqual([...twoGuests, 'priority=7,arp actions=NORMAL'].sort());
    expect(bed.documents.list()).toMatchObject([{ flows: 3, waitingFlows: 0, waitingPorts: [] }]);
  });

  it.each([
    [
      'lists of ports',
      '{name: r, priority: 9, match: {in_port: [up/0, web/0]}, do: drop}',
      ['priority=9,in_port=1 actions=drop'],
    ],
    ['addresses', `{name: r, priority: 9, match: {eth_src: "\${mac:web/0}"}, do: drop}`, []],
    ['IP addresses', `{name: r, priority: 9, match: {src_ip: "\${ip:web/0}"}, do: drop}`, []],
    ['prefixes', `{name: r, priority: 9, match: {src_ip: "\${ip:web/0}/24"}, do: drop}`, []],
    ['numbers in registers', `{name: r, priority: 9, do: ["load:\${number:web/0}->NXM_NX_REG0[]"]}`, []],
    ['resubmit', '{name: r, priority: 9, do: ["resubmit(web/0,1)"]}', []],
    ['bundles', '{name: r, priority: 9, do: ["bundle(eth_src,0,active_backup,ofport,members:1,web/0)"]}', []],
    ['uuids', '{name: r, priority: 9, match: {in_port: 6a1b0c2d-0000-1111-2222-333344445555}, do: drop}', []],
    [
      'TCP ports are none',
      '{name: r, priority: 9, match: {protocol: tcp4, dst_port: 59859}, do: [{output: up/0}]}',
      ['priority=9,tcp,tp_dst=59859 actions=output:1'],
    ],
  ])('wait in %s', async (_, rule, flows) => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    const other = '{name: other, priority: 1, match: {in_port: web/0}, do: drop}';
    const { diagnostics } = await bed.apply(document('shop', [rule, other]));
    expect(diagnostics.sorted()).toEqual([]);
    expect(await bed.flows()).toEqual(flows);
  });

  it('a bucket waits, the rest of its group is in force; an indirect group drops meanwhile', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    const rest = `  groups:
    - {name: all, id: 5, type: all, buckets: [{do: [{output: up/0}]}, {do: [{output: web/0}]}]}
    - {name: one, id: 6, type: indirect, buckets: [{do: [{output: web/0}]}]}
`;
    await bed.apply(document('shop', ['{name: r, priority: 9, do: [{group: all}]}'], { rest }));
    const described = async () =>
      (await bed.switch.stats({ type: 'group_desc' }))[0]!.entries.map(({ groupId, buckets }) => [
        groupId,
        buckets.map(({ actions }) => actions.length),
      ]);
    expect(await described()).toEqual([
      [5, [1]],
      [6, [0]],
    ]);
    bed.plug('web', 2);
    await bed.settled();
    expect(await described()).toEqual([
      [5, [1, 1]],
      [6, [1]],
    ]);
  });

  it('with another number change the rules that name them, and leave the counters of the others', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    bed.plug('web', 2);
    await bed.apply(document('shop', [toWeb, fromWeb, '{name: flood, priority: 1, do: flood}']));
    bed.switch.inject(3, new Uint8Array(60));
    bed.unplug('web');
    bed.plug('web', 3);
    await bed.settled();
    expect(await bed.flows()).toEqual([
      'priority=1 actions=FLOOD',
      'priority=8,in_port=3 actions=NORMAL',
      'priority=9,in_port=1 actions=output:3',
    ]);
    const [{ entries }] = (await bed.switch.stats({
      type: 'flow',
      tableId: 0,
      cookie: 0n,
      cookieMask: 0n,
      outPort: 0xffffffff,
      outGroup: 0xffffffff,
      match: [],
    })) as unknown as [{ entries: { priority: number; packetCount: bigint }[] }];
    expect(entries.find(({ priority }) => priority === 1)!.packetCount).toBe(1n);
  });

  it('that come and go in a burst cause one compilation, those that nothing names none', async () => {
    const bed = await withWeb();
    const before = bed.reads;
    for (let n = 0; n < 50; n++) {
      bed.unplug('web');
      bed.plug('web', 3);
    }
    await bed.settled();
    expect(bed.reads - before).toBe(1);
    bed.plug('stranger', 2);
    await bed.settled();
    expect(bed.reads - before).toBe(1);
  });

  it('that move while documents are compiled for them are looked at again before the tables change', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    bed.plug('web', 2);
    bed.whileRead = () => {
      bed.whileRead = () => {};
      bed.unplug('web');
      bed.plug('web', 3);
    };
    const { plan } = await bed.apply(document('shop', [toWeb]));
    expect(plan!.changes).toHaveLength(1);
    expect(await bed.flows()).toEqual(['priority=9,in_port=1 actions=output:3']);
  });

  it('that move all the time are told, and nothing is changed for those that are not there', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    let number = 2;
    bed.whileRead = () => {
      bed.unplug('web');
      number = 5 - number;
      bed.plug('web', number);
    };
    await expect(bed.apply(document('shop', [toWeb]))).rejects.toThrow('ports came and went all the time');
    expect(await bed.flows()).toEqual([]);
    expect(bed.documents.list()).toEqual([]);
  });

  it('are found by name as well, also in the words of ovs-ofctl, and after they went', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('web', 2, { name: 'eth-web' });
    await bed.apply(document('shop', ['{name: a, flow: "priority=9,in_port=eth-web actions=output:eth-web"}']));
    expect(await bed.flows()).toHaveLength(1);
    bed.unplug('web');
    await bed.settled();
    expect(bed.documents.list()).toMatchObject([{ problem: '', waitingPorts: ['eth-web'] }]);
    const again = await DocumentsBed.open(bed.path);
    expect(again.documents.list()).toMatchObject([{ problem: '', waitingPorts: ['eth-web'] }]);
  });
});

describe('a restart', () => {
  it('puts what was answered into force before there are ports', async () => {
    const bed = await withWeb();
    await bed.apply(document('basics', [arp], { owner: 'net' }));
    const again = await DocumentsBed.open(bed.path);
    expect(await again.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    expect(again.documents.list()).toMatchObject([
      { name: 'shop', owner: 'ops', kind: 'FlowSet', file: '0.yaml', appliedMs: 1000, waitingFlows: 2 },
      { name: 'basics', flows: 1 },
    ]);
    again.plug('up', 1);
    again.plug('web', 3);
    await again.settled();
    expect(await again.flows()).toContain('priority=9,in_port=1 actions=output:3');
  });

  it('from a damaged journal goes on with what is whole', async () => {
    const bed = await withWeb();
    appendFileSync(bed.path, 'torn');
    expect((await DocumentsBed.open(bed.path)).documents.list()).toHaveLength(1);
  });

  it('leaves out a document that is refused now, says so, and goes on with the others', async () => {
    const path = join(mkdtempSync(join(tmpdir(), 'xvif-documents-')), 'br0.documents');
    const kept = (name: string, text: string) => {
      const about = { name, kind: 'FlowSet', owner: 'ops', file: 'all.yaml', line: 1, appliedMs: 1, portNames: [] };
      return { ...about, text };
    };
    const bad = '{name: r, priority: 5, match: {reg0: 1, xreg0: 3}, do: drop}';
    const needs = document('needs', ['{name: g, do: [{goto: bad/t}]}'], { table: 1 });
    const put = [kept('good', document('good', [arp])), kept('bad', document('bad', [bad], { table: 2 }))];
    Journal.open(path, silentLogger).append({ put: [...put, kept('needs', needs)], removed: [] });
    const bed = await DocumentsBed.open(path);
    const problems = () => bed.documents.list().map(({ name, problem }) => [name, problem]);
    const refused = [
      ['good', ''],
      ['bad', expect.stringContaining('refused: all.yaml:9: xreg0 says again')],
      ['needs', expect.stringContaining('bad/t')],
    ];
    expect(problems()).toEqual(refused);
    expect(await bed.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    bed.plug('up', 1);
    await bed.settled();
    await bed.apply(document('more', [fromUp], { table: 3 }));
    expect(problems()).toEqual([...refused, ['more', '']]);
    await bed.apply(document('bad', [arp], { table: 2 }), { confirmMs: 5000 });
    bed.clock.advance(5000);
    await bed.settled();
    expect(problems().map(([, problem]) => problem === '')).toEqual([true, false, false, true]);
    await bed.apply(document('bad', [arp], { table: 2 }));
    bed.plug('web', 2);
    await bed.documents.remove(['more']);
    expect(problems().map(([name, problem]) => [name, problem === ''])).toEqual([
      ['good', true],
      ['bad', true],
      ['needs', false],
    ]);
  });

  it('does not bring back what was not confirmed', async () => {
    const bed = await withWeb();
    await bed.apply(document('basics', [arp]), { confirmMs: 5000 });
    expect((await DocumentsBed.open(bed.path)).documents.list()).toMatchObject([{ name: 'shop' }]);
  });
});

describe('files', () => {
  it('with mistakes change nothing, and say where they are', async () => {
    const bed = await withWeb();
    const { diagnostics, plan } = await bed.apply([
      document('basics', [arp]),
      document('bad', ['{name: x, match: {tcp_dts: 1}, do: drop}']),
    ]);
    expect(plan).toBeUndefined();
    const [first] = diagnostics.sorted();
    expect([first!.file.name, first!.file.place(first!.range.start).line]).toEqual(['1.yaml', 9]);
    expect(bed.documents.list()).toHaveLength(1);
  });

  it('keep their lines, each document by itself', async () => {
    const bed = await DocumentsBed.open();
    await bed.apply(`# two of them\n---\n${document('one', [arp])}---\n${document('two', [arp], { table: 1 })}`);
    const origins = bed.documents.list().map(({ line, text }) => [line, text.split('\n')[0]]);
    expect(origins).toEqual([
      [2, '---'],
      [12, '---'],
    ]);
    const [flow] = (
      await bed.switch.stats({
        type: 'flow',
        tableId: 1,
        cookie: 0n,
        cookieMask: 0n,
        outPort: 0xffffffff,
        outGroup: 0xffffffff,
        match: [],
      })
    )[0]!.entries;
    const { at, document: name, owner } = bed.documents.origin(flow!.cookie)!;
    expect([at.file.name, at.place().line, name, owner]).toEqual(['0.yaml', 21, 'two', 'ops']);
  });

  it('of a document that others need do not go', async () => {
    const bed = await DocumentsBed.open();
    await bed.apply([document('base', [arp], { table: 1 }), document('user', ['{name: g, do: [{goto: base/t}]}'])]);
    await expect(bed.documents.remove(['base'])).rejects.toThrow(/others need it: .*base\/t/);
    await expect(bed.documents.remove(['nobody'])).rejects.toThrow('there is no document "nobody"');
    await bed.documents.remove(['user', 'base']);
    expect(await bed.flows()).toEqual([]);
  });

  it('take the place of the document before; what it put there goes', async () => {
    const bed = await withWeb();
    const rest = '  meters: [{name: m, id: 7, kbps: 100}]\n';
    await bed.apply(document('shop', ['{name: r, priority: 9, do: [{meter: m}, normal]}'], { rest }));
    expect(await bed.flows()).toEqual(['priority=9 actions=meter:7,NORMAL']);
    await bed.apply(document('shop', [arp]));
    expect(await bed.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    expect((await bed.switch.stats({ type: 'meter_config', meterId: 0xffffffff }))[0]!.entries).toEqual([]);
  });
});

describe('owners', () => {
  it('do not touch each other, also with prune', async () => {
    const bed = await withWeb();
    await bed.apply(document('extra', [arp]));
    const { removed } = await bed.apply(
      document('theirs', ['{name: a, priority: 1, do: drop}'], { owner: 'net', table: 3 }),
      { prune: true },
    );
    expect(removed).toEqual([]);
    expect(await bed.flows()).toHaveLength(4);
    const pruned = await bed.apply(document('shop', [toWeb]), { prune: true });
    expect(pruned.removed).toEqual(['extra']);
    expect(await bed.flows()).toEqual(['priority=9,in_port=1 actions=output:2', 'table=3,priority=1 actions=drop']);
  });

  it('keep their documents', async () => {
    const bed = await withWeb();
    const theirs = bed.apply(document('shop', [arp], { owner: 'net' }));
    await expect(theirs).rejects.toThrow('document "shop" belongs to "ops", not to "net"');
    expect(await bed.flows()).toEqual(twoGuests);
  });

  it('of controllers are never overruled: neither flows nor meters', async () => {
    const bed = await withWeb();
    const foreign = flowMod({
      cookie: 5n,
      priority: 7,
      match: { eth_type: 0x806 },
      instructions: [applying(output(1))],
    });
    expect(await bed.switch.say(foreign)).toEqual([]);
    const refused = /basics\/t\/arp would take the place of somebody else's flow .*cookie=0x5/;
    await expect(bed.apply(document('basics', [arp]))).rejects.toThrow(refused);
    const files = [new SourceFile('basics.yaml', document('basics', [arp]))];
    await expect(bed.documents.plan({ files, prune: false, confirmMs: 0 })).rejects.toThrow(refused);
    await bed.switch.say({
      type: 'meter_mod',
      command: 0,
      flags: 1,
      meterId: 7,
      bands: [{ type: 'drop', rate: 1, burstSize: 0 }],
    });
    const rest = '  meters: [{name: m, id: 7, kbps: 100}]\n';
    await expect(bed.apply(document('m', ['{name: r, priority: 2, do: [{meter: m}]}'], { rest }))).rejects.toThrow(
      /somebody else's meter/,
    );
    expect(bed.documents.list()).toHaveLength(1);
  });
});

describe('a controller that deletes everything', () => {
  it('wins until the next apply, also where ports change', async () => {
    const bed = await withWeb();
    await bed.apply(document('basics', [arp]));
    await deleteAll(bed);
    expect(await bed.flows()).toEqual([]);
    bed.unplug('web');
    bed.plug('web', 3);
    await bed.settled();
    expect(await bed.flows()).toEqual(['priority=8,in_port=3 actions=NORMAL', 'priority=9,in_port=1 actions=output:3']);
    await bed.apply(document('basics', [arp]));
    expect(await bed.flows()).toContain('priority=7,arp actions=NORMAL');
  });
});

describe('a change that is to be confirmed', () => {
  it('is undone when its time is over', async () => {
    const bed = await withWeb();
    const { token } = await bed.apply(document('shop', [arp]), { confirmMs: 5000 });
    expect(await bed.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    expect(bed.documents.list()).toMatchObject([{ unconfirmed: true }]);
    await expect(bed.apply(document('more', [arp]))).rejects.toThrow('the change before waits to be confirmed');
    bed.clock.advance(5000);
    await bed.settled();
    expect(await bed.flows()).toEqual(twoGuests);
    await expect(bed.documents.confirm(token!)).rejects.toThrow(
      `change ${token} is undone: it was not confirmed in time`,
    );
    await expect(bed.documents.confirm('x')).rejects.toThrow('there is no change "x" to be confirmed: nothing waits');
  });

  it('brings back what it pruned beyond the documents, where nothing is in its place', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    const { plan } = await bed.apply(document('shop', [arp]));
    const { cookie } = plan!.changes[0]!.message as { cookie: bigint };
    const leftOver = (inPort: number) =>
      bed.switch.say(flowMod({ instructions: [applying(output(1))], cookie, priority: 5, match: { in_port: inPort } }));
    leftOver(2);
    leftOver(3);
    const before = await bed.flows();
    expect(before).toHaveLength(3);
    await bed.apply(document('shop', [fromUp]), { prune: true, confirmMs: 5000 });
    expect(await bed.flows()).toEqual(['priority=6,in_port=1 actions=NORMAL']);
    bed.switch.say(flowMod({ priority: 5, match: { in_port: 3 } }));
    bed.clock.advance(5000);
    await bed.settled();
    expect(await bed.flows()).toEqual(before.map((flow) => flow.replace(/(in_port=3 actions=).*/, '$1drop')));
    expect(bed.documents.list()).toMatchObject([{ name: 'shop', problem: '' }]);
  });

  it('is undone where what it pruned cannot come back, and holds up nothing after that', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('up', 1);
    const { plan } = await bed.apply(document('shop', [arp]));
    const { cookie } = plan!.changes[0]!.message as { cookie: bigint };
    const group = { groupType: 0, groupId: 77, buckets: [] };
    await bed.switch.say({ type: 'group_mod', command: 0, ...group });
    const leftOver = (priority: number, action: Parameters<typeof applying>[0]) =>
      bed.switch.say(flowMod({ instructions: [applying(action)], cookie, priority, match: { in_port: 2 } }));
    await leftOver(5, { type: 'group', groupId: 77 });
    await leftOver(4, output(1));
    expect(await bed.flows()).toHaveLength(3);
    const { token } = await bed.apply(document('shop', [fromUp]), { prune: true, confirmMs: 5000 });
    expect(await bed.flows()).toHaveLength(1);
    await bed.switch.say({ type: 'group_mod', command: 2, ...group });
    bed.clock.advance(5000);
    await bed.settled();
    expect(await bed.flows()).toEqual(['priority=4,in_port=2 actions=output:1', 'priority=7,arp actions=NORMAL']);
    expect(bed.documents.list()).toMatchObject([{ name: 'shop', problem: '' }]);
    await expect(bed.documents.confirm(token!)).rejects.toThrow(/is undone: .* came back: .*BAD_OUT_GROUP.*group:77/);
    await bed.apply(document('more', [fromUp]));
    expect(await bed.flows()).toHaveLength(3);
  });

  it('is said to be undone only once it is', async () => {
    const bed = await withWeb();
    const { token } = await bed.apply(document('shop', [fromWeb]), { confirmMs: 5000 });
    const foreign = { cookie: 5n, priority: 9, match: { in_port: 1 } };
    await bed.switch.say(flowMod(foreign));
    bed.clock.advance(5000);
    await bed.settled();
    expect(bed.documents.list()).toMatchObject([{ problem: expect.stringContaining("somebody else's flow") }]);
    await expect(bed.documents.confirm(token!)).rejects.toThrow('is to be undone');
    await bed.switch.say(flowMod({ ...foreign, cookie: 0n, command: 4 }));
    bed.clock.advance(10_000);
    await bed.settled();
    expect(await bed.flows()).toEqual(twoGuests);
    await expect(bed.documents.confirm(token!)).rejects.toThrow('is undone');
  });

  it('is undone where a rule had moved to another owner', async () => {
    const bed = await withWeb();
    const before = await bed.flows();
    await bed.apply([document('shop', [fromWeb]), document('moved', [toWeb], { owner: 'others' })], {
      confirmMs: 30_000,
    });
    bed.clock.advance(30_000);
    await bed.settled();
    expect(await bed.flows()).toEqual(before);
    expect(bed.documents.list()).toMatchObject([{ name: 'shop', problem: '' }]);
  });

  it('stays when it is confirmed', async () => {
    const bed = await withWeb();
    const { token } = await bed.apply(document('shop', [arp]), { confirmMs: 5000 });
    await expect(bed.documents.confirm('x')).rejects.toThrow('another one waits');
    await bed.documents.confirm(token!);
    await expect(bed.documents.confirm(token!)).rejects.toThrow(`change ${token} is confirmed already`);
    bed.clock.advance(10_000);
    await bed.settled();
    expect(await bed.flows()).toEqual(['priority=7,arp actions=NORMAL']);
    expect(await (await DocumentsBed.open(bed.path)).flows()).toEqual(['priority=7,arp actions=NORMAL']);
  });
});

describe('groups', () => {
  const grouped = (bucket: string) =>
    document('shop', ['{name: r, priority: 9, do: [{group: g}]}'], {
      rest: `  groups:
    - {name: g, id: 5, type: all, buckets: [{do: [${bucket}]}]}
`,
    });

  it('of controllers are not overruled', async () => {
    const bed = await DocumentsBed.open();
    const group = { groupType: 0, groupId: 5, buckets: [] };
    bed.switch.say({ type: 'group_mod', command: 0, ...group });
    await expect(bed.apply(grouped('drop'))).rejects.toThrow("somebody else's group");
  });

  it('that lead to each other go in the order that lets them go', async () => {
    const bed = await DocumentsBed.open();
    for (const [n, vm] of ['client', 'server', 'fw'].entries()) bed.plug(vm, n + 1);
    await bed.apply(`apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: chain}
spec:
  classifiers: [{from: client/0, match: {tcp_dst: 80}}]
  hops: [{name: fw, fallback: open, instances: [{ingress: fw/0, egress: server/0}]}]
  exit: normal
`);
    expect((await bed.flows()).length).toBeGreaterThan(0);
    await bed.documents.remove(['chain']);
    expect(await bed.flows()).toEqual([]);
    expect((await bed.switch.stats({ type: 'group_desc' }))[0]!.entries).toEqual([]);
  });
});

describe('a router', () => {
  it('sends to the ports of a subnet that are there', async () => {
    const bed = await DocumentsBed.open();
    bed.plug('red', 1);
    await bed.apply(`apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: router}
spec:
  subnets: [{name: red, gateway: 10.0.1.1/24, ports: [red/0, gone/0]}]
`);
    const described = (await bed.switch.stats({ type: 'group_desc' }))[0]!.entries;
    expect(described.map(({ buckets }) => buckets.length)).toEqual([1]);
    expect((await bed.flows()).filter((flow) => flow.includes('group:'))).toHaveLength(1);
  });
});

describe('what cannot be put into force', () => {
  it('is tried again, and ports that change do not wait for that', async () => {
    const bed = await withWeb();
    const foreign = flowMod({ cookie: 5n, priority: 8, match: { in_port: 3 } });
    await bed.switch.say(foreign);
    bed.unplug('web');
    bed.plug('web', 3);
    await bed.settled();
    expect(bed.documents.list()).toMatchObject([{ problem: expect.stringContaining("somebody else's flow") }]);
    bed.unplug('web');
    bed.plug('web', 2);
    await bed.settled();
    expect(bed.documents.list()).toMatchObject([{ problem: '' }]);
    bed.unplug('web');
    bed.plug('web', 3);
    await bed.settled();
    await bed.switch.say(flowMod({ command: 4, cookie: 0n, priority: 8, match: { in_port: 3 } }));
    bed.clock.advance(10_000);
    await bed.settled();
    expect(bed.documents.list()).toMatchObject([{ problem: '' }]);
    expect(await bed.flows()).toContain('priority=8,in_port=3 actions=NORMAL');
  });
});
