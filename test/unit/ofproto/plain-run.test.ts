/** Flow_mods that a bundle keeps as bytes are carried out in their place, atomically, and refused by name. */
import { encodeMessage, type Message } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { xidsOf } from '../../../src/ofproto/commit.js';
import { PlainRun } from '../../../src/ofproto/plain-run.js';
import { ANY, apply, Bed, type FlowSpec, flowMod, output } from './bed.js';

const bytes = (xid: number, spec: FlowSpec): Uint8Array =>
  encodeMessage({ ...flowMod(spec), version: 4, xid } as Message);
function run(...specs: FlowSpec[]): PlainRun {
  const made = new PlainRun();
  for (const [i, spec] of specs.entries()) expect(made.append(bytes(i + 1, spec))).toBe(true);
  return made;
}
const group = (groupId: number) => ({
  ...({ type: 'group_mod', version: 4, xid: 50, command: 0, groupType: 0, groupId } as const),
  buckets: [{ weight: 0, watchPort: ANY, watchGroup: ANY, actions: [output(1)] }],
});
const toGroup = apply({ type: 'group', groupId: 9 } as const);
const all = { type: 'flow', tableId: 255, outPort: ANY, outGroup: ANY, cookie: 0n, cookieMask: 0n, match: [] } as const;
const priorities = async (bed: Bed) => (await bed.stats(all)).flatMap(({ entries }) => entries.map((e) => e.priority));

describe('a run of flow_mods', () => {
  it('keeps what it can write as records, however many', () => {
    const many = new PlainRun();
    for (let n = 0; n < 1000; n++) expect(many.append(bytes(n, { priority: n }))).toBe(true);
    expect(many.append(bytes(1, { match: { vlan_vid: 0x1005, vlan_pcp: 3 } }))).toBe(false);
    expect(many.count).toBe(1000);
    expect([...many].map((message) => Buffer.from(message).toString('hex'))).toEqual(
      Array.from({ length: 1000 }, (_, n) => Buffer.from(bytes(n, { priority: n })).toString('hex')),
    );
    const xidOf = xidsOf([group(1), many, group(2)]);
    expect([0, 1, 1000, 1001, 1002, 1].map(xidOf)).toEqual([50, 0, 999, 50, 0, 0]);
  });

  it('stands between other changes', async () => {
    const bed = new Bed();
    const before = run({ priority: 1 }, { priority: 2, command: 3 }, { priority: 3 });
    const after = run({ priority: 4, instructions: [toGroup] });
    expect(bed.ofproto.commit(bed.controller, [before, group(9), after])).toBeUndefined();
    expect(await priorities(bed)).toEqual(expect.arrayContaining([3, 4]));
  });

  it('is refused as a whole, with the message that was wrong', async () => {
    const bed = new Bed();
    const wrong = run({ priority: 1 }, { priority: 2, instructions: [toGroup] }, { priority: 3 });
    const refused = bed.ofproto.commit(bed.controller, [wrong]);
    expect(refused).toMatchObject({ message: { type: 'flow_mod', xid: 2 }, error: { type: 2, code: 9 } });
    expect(await priorities(bed)).toEqual([]);
  });

  it('is looked at again when it is carried out: tables may be gone by then', async () => {
    const bed = new Bed(4);
    const lost = run({ priority: 1 }, { tableId: 9, priority: 2 });
    const sets = { name: '', metadataMatch: 0n, metadataWrite: 0n, config: 0, maxEntries: 9, properties: [] };
    const body = { type: 'table_features', entries: [{ ...sets, tableId: 0 }] } as const;
    await bed.say({ type: 'multipart_request', flags: 0, body });
    const refused = bed.ofproto.commit(bed.controller, [lost]);
    expect(refused).toMatchObject({ message: { type: 'flow_mod', xid: 2 }, error: { type: 5, code: 2 } });
    expect(await priorities(bed)).toEqual([]);
  });
});
