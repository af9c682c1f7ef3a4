/** What 1.3 and 1.5 say in different words: sent in those of 1.5, and read back as what it was. */
import { decodeMessage, encodeMessage, type Message, of13 } from 'node-openflow';
import { describe, expect, it } from 'vitest';
import { flowActions, groupText } from '../../../src/reconcile/normal.js';
import { flowFrom15, groupFrom15, messageIn15 } from '../../../src/reconcile/words15.js';
import { compiled, said } from '../compiler/cases.js';

const VERSION_15 = 6;

const programOf = (rules: string) => {
  const text = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: f}
spec:
  tables:
  - name: in
    flows: |
      ${rules}
  groups: [{name: g, type: select, buckets: [{weight: 2, do: ["move:NXM_NX_REG0[]->NXM_NX_REG1[]", {output: 1}]}, {do: [{output: 2}]}]}]
  meters: [{name: m, kbps: 100}]
`;
  const { program, diagnostics } = compiled(text);
  expect(diagnostics.errors, said(diagnostics)).toBe(0);
  return program;
};

/** Through the codec of 1.5. */
function sent<T extends Message['type']>(message: Parameters<typeof messageIn15>[0], type: T) {
  const bytes = encodeMessage({ ...messageIn15(message), version: VERSION_15, xid: 1 } as Message);
  const decoded = decodeMessage(bytes, { version: VERSION_15, unknown: 'refuse' });
  if (!decoded.ok) throw new Error(decoded.error.reason);
  expect(decoded.message.type).toBe(type);
  return decoded.message as Extract<Message, { readonly type: T }>;
}

describe('words of 1.5', () => {
  it.each([
    ['a move', 'move:NXM_OF_IN_PORT[]->NXM_NX_REG7[0..15],normal', ['copy_field', 'output']],
    ['a load of some bits', 'load:5->NXM_NX_REG1[8..15],normal', ['set_field', 'output']],
    ['a load of all bits', 'load:5->NXM_NX_REG1[],normal', ['set_field', 'output']],
    ['a set of bits here and there', 'set_field:0x11/0xf1->reg2,normal', ['set_field', 'set_field', 'output']],
    ['a load of a bit', 'load:1->NXM_NX_REG6[31],normal', ['set_field', 'output']],
    ['what is cloned', 'clone(move:NXM_NX_REG0[]->NXM_NX_REG1[],output:1)', ['nx_clone']],
    ['a meter and more', 'meter:1,output:1', ['meter', 'output']],
    ['a meter alone', 'meter:1', ['meter']],
  ])('%s', (_, actions, types) => {
    const [flow] = programOf(`priority=1,in_port=3 actions=${actions}`).flows;
    const { instructions } = sent(flow!.mod, 'flow_mod');
    expect(
      instructions.flatMap((one) => (one.type === 'apply_actions' ? one.actions : [])).map(({ type }) => type),
    ).toEqual(types);
    const counters = { durationSec: 0, durationNsec: 0, packetCount: 0n, byteCount: 0n };
    const back = flowFrom15({ ...flow!.mod, ...counters, instructions });
    expect(flowActions(back)).toBe(flowActions(flow!.mod));
  });

  it.each([
    ['nsh_c1', 'dl_type=0x894f', 'set_field:0x5/0xff->nsh_c1'],
    ['tun_metadata0', 'in_port=3', 'set_field:0x5/0xff->tun_metadata0'],
  ])('bits of %s, whose header a load has no room for', (_, match, action) => {
    const [flow] = programOf(`priority=1,${match} actions=${action},normal`).flows;
    const { instructions } = sent(flow!.mod, 'flow_mod');
    const counters = { durationSec: 0, durationNsec: 0, packetCount: 0n, byteCount: 0n };
    const back = flowFrom15({ ...flow!.mod, ...counters, instructions });
    expect(flowActions(back)).toBe(flowActions(flow!.mod));
    expect(flowActions(back)).toContain(action);
  });

  it('buckets have numbers, and do the same', () => {
    const [group] = programOf('actions=drop').groups;
    const { buckets, groupId, groupType } = sent(group!.mod, 'group_mod');
    expect(buckets.map(({ bucketId }) => bucketId)).toEqual([0, 1]);
    expect(buckets[0]!.actions[0]!.type).toBe('copy_field');
    expect(groupText(groupFrom15({ groupId, groupType, buckets }))).toBe(groupText(group!.mod));
  });

  it('meters are as they were', () => {
    const [meter] = programOf('actions=drop').meters;
    expect(messageIn15({ ...meter!.mod, command: of13.OFPMC.ADD })).toEqual({ ...meter!.mod, command: of13.OFPMC.ADD });
  });
});
