/** Changes of the daemon itself, as they go into the tables. */
import { type Outgoing, of13 } from 'node-openflow';
import { parseFlow } from 'node-openflow/text';
import { describe, expect, it } from 'vitest';
import { atOnce } from '../../../src/base/slices.js';
import { encodeChanges } from '../../../src/bridge/encoded-changes.js';

function flow(text: string): Outgoing {
  const parsed = parseFlow(text);
  if (!parsed.ok) throw new Error(parsed.error.message);
  return parsed.value;
}
const usual = (n: number): Outgoing => flow(`priority=${n},tcp,tp_dst=${n} actions=output:2`);
const rare = flow('priority=9 actions=learn(table=1,NXM_OF_ETH_DST[]=NXM_OF_ETH_SRC[],output:NXM_OF_IN_PORT[])');
const group: Outgoing = { type: 'group_mod', command: 0, groupType: of13.OFPGT.ALL, groupId: 5, buckets: [] };

describe('changes', () => {
  it('stay bytes where they are flows of the usual kind, in their order among the others', () => {
    const { changes, refused } = atOnce(encodeChanges([group, usual(1), usual(2), rare, usual(3)]));
    expect(refused).toBeUndefined();
    expect(changes.map((change) => (change.type === 'plain_run' ? change.count : change.type))).toEqual([
      'group_mod',
      2,
      'flow_mod',
      1,
    ]);
    expect(changes.flatMap((change) => (change.type === 'plain_run' ? [] : [change.xid]))).toEqual([0, 3]);
  });

  it('are none where one is nothing that a controller could send', () => {
    const twice = { field: 'eth_type', value: new Uint8Array([8, 0]) } as const;
    const bad = { ...usual(4), match: [twice, twice] } as Outgoing;
    const { changes, refused } = atOnce(encodeChanges([usual(1), bad]));
    expect(changes).toEqual([]);
    expect(refused).toMatchObject({ index: 1, reason: expect.stringContaining('eth_type') });
  });
});
