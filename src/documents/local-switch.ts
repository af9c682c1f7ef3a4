/** Plans made from, and carried out on, the tables of one of our own bridges: at once, and only on what was looked at. */
import { of13 } from 'node-openflow';
import { inSlices, type Steps } from '../base/slices.js';
import type { LocalTables } from '../bridge/local-tables.js';
import { Refusal } from '../bridge/refusal.js';
import { type Change, type Plan, type SwitchState, stages } from '../reconcile/index.js';
import { READ_TRIES } from './limits.js';

const { OFPG, OFPM, OFPP, OFPTT } = of13;

async function stateOf(tables: LocalTables): Promise<SwitchState> {
  const all = { tableId: OFPTT.ALL, outPort: OFPP.ANY, outGroup: OFPG.ANY, match: [] };
  const flows = await tables.ask({ type: 'flow', ...all, cookie: 0n, cookieMask: 0n });
  const groups = await tables.ask({ type: 'group_desc' });
  const meters = await tables.ask({ type: 'meter_config', meterId: OFPM.ALL });
  return {
    flows: flows.flatMap((part) => (part.type === 'flow' ? part.entries : [])),
    groups: groups.flatMap((part) => (part.type === 'group_desc' ? part.entries : [])),
    meters: meters.flatMap((part) => (part.type === 'meter_config' ? part.entries : [])),
  };
}

/**
 * Makes a plan of what the tables hold and carries it out, unless `approve` throws. Where others change the tables all the
 * time the last try is made with what they held a moment ago. Rejects with {@link Refusal}; nothing has changed then.
 */
export async function carryOut(
  tables: LocalTables,
  make: (state: SwitchState) => Steps<Plan>,
  approve: (plan: Plan) => void = () => {},
): Promise<Plan> {
  for (let tries = 1; ; tries++) {
    const before = tables.revision();
    const plan = await inSlices(make(await stateOf(tables)));
    approve(plan);
    if (tables.revision() === before || tries === READ_TRIES) {
      commit(tables, inOrder(plan));
      return plan;
    }
  }
}

/** The plan alone. */
export const lookAt = async (tables: LocalTables, make: (state: SwitchState) => Steps<Plan>): Promise<Plan> =>
  inSlices(make(await stateOf(tables)));

function inOrder(plan: Plan): Change[] {
  const { before, bundled, after } = stages(plan);
  return [...before, ...bundled, ...after];
}

function commit(tables: LocalTables, changes: readonly Change[]): void {
  if (changes.length === 0) return;
  const refused = tables.commit(changes.map(({ message }) => message));
  if (refused === undefined) return;
  const { what, text, origin } = changes[refused.index]!;
  const whose = origin === undefined ? '' : ` of ${origin.document}/${origin.name}`;
  throw new Refusal('unavailable', `${refused.reason}: ${what}${whose} ${text}`);
}
