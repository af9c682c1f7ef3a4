/** Plans made from, and carried out on, the tables of one of our own bridges: at once, and only on what was looked at. */
import { type MultipartReplyBody, type Outgoing, of13 } from 'node-openflow';
import { atOnce, inSlices, type Steps } from '../base/slices.js';
import { type EncodedChanges, encodeChanges } from '../bridge/encoded-changes.js';
import type { TablesAlone } from '../bridge/local-tables.js';
import { Refusal } from '../bridge/refusal.js';
import { type Change, type Plan, putBackSteps, type SwitchState, stages } from '../reconcile/index.js';
import { PUT_BACK_AT_ONCE, READ_TRIES } from './limits.js';

const { OFPG, OFPM, OFPP, OFPTT } = of13;

const all = { tableId: OFPTT.ALL, outPort: OFPP.ANY, outGroup: OFPG.ANY, match: [], cookie: 0n, cookieMask: 0n };
const questions = {
  flows: { type: 'flow', ...all },
  groups: { type: 'group_desc' },
  meters: { type: 'meter_config', meterId: OFPM.ALL },
} as const;
type Answers = readonly MultipartReplyBody[];

/** What the tables hold. */
export async function stateOf(tables: TablesAlone): Promise<SwitchState> {
  const flows = await tables.ask(questions.flows);
  const groups = await tables.ask(questions.groups);
  const meters = await tables.ask(questions.meters);
  return stateIn(flows, groups, meters);
}

/** The same, before others have their turn. */
const stateNow = (tables: TablesAlone): SwitchState =>
  stateIn(tables.askNow(questions.flows), tables.askNow(questions.groups), tables.askNow(questions.meters));

function stateIn(flows: Answers, groups: Answers, meters: Answers): SwitchState {
  return {
    flows: flows.flatMap((part) => (part.type === 'flow' ? part.entries : [])),
    groups: groups.flatMap((part) => (part.type === 'group_desc' ? part.entries : [])),
    meters: meters.flatMap((part) => (part.type === 'meter_config' ? part.entries : [])),
  };
}

/** A plan, and its changes in order and as they go into the tables. */
interface Ready {
  readonly plan: Plan;
  readonly changes: readonly Change[];
  readonly encoded: EncodedChanges;
}

function* readied(steps: Steps<Plan>): Steps<Ready> {
  const plan = yield* steps;
  const changes = inOrder(plan);
  return { plan, changes, encoded: yield* encodeChanges(changes.map(({ message }) => message)) };
}

/**
 * Makes a plan of what the tables hold, and does with it what is to be done, before others have their turn. Where others
 * change the tables all the time the last one is read for, made and carried out in one go.
 */
async function withPlan<Result>(
  tables: TablesAlone,
  make: (state: SwitchState) => Steps<Plan>,
  act: (ready: Ready) => Result,
): Promise<Result> {
  for (let tries = 1; ; tries++) {
    if (tries === READ_TRIES) return act(atOnce(readied(make(stateNow(tables)))));
    const before = tables.revision();
    const ready = await inSlices(readied(make(await stateOf(tables))));
    if (tables.revision() === before) return act(ready);
  }
}

/** Carries out a plan of what the tables hold, unless `approve` throws. Rejects with {@link Refusal}; nothing has changed then. */
export const carryOut = (
  tables: TablesAlone,
  make: (state: SwitchState) => Steps<Plan>,
  approve: (plan: Plan) => void = () => {},
): Promise<Plan> =>
  withPlan(tables, make, (ready) => {
    const { plan } = ready;
    approve(plan);
    const reason = refusalOf(tables, ready);
    if (reason !== undefined) throw new Refusal('unavailable', reason);
    return plan;
  });

/**
 * Brings back those of `lost` in whose place nothing is: all at once, or where one is refused each by itself. What was
 * refused, in words.
 */
export async function putBack(tables: TablesAlone, lost: readonly Change[]): Promise<string[]> {
  const free = (some: readonly Change[]) => (state: SwitchState) => putBackSteps(some, state);
  const all = await withPlan(tables, free(lost), (ready) => refusalOf(tables, ready));
  if (all === undefined) return [];
  const ordered = inOrder({ changes: lost, unchanged: 0, stale: [], conflicts: [] });
  const refused: string[] = [];
  for (let from = 0; from < ordered.length; from += PUT_BACK_AT_ONCE) {
    await withPlan(tables, free(ordered.slice(from, from + PUT_BACK_AT_ONCE)), ({ changes }) => {
      for (const change of changes) {
        const reason = refusalOf(tables, { changes: [change], encoded: [change.message] });
        if (reason !== undefined) refused.push(reason);
      }
    });
  }
  return refused;
}

/** The plan alone. */
export const lookAt = async (tables: TablesAlone, make: (state: SwitchState) => Steps<Plan>): Promise<Plan> =>
  inSlices(make(await stateOf(tables)));

function inOrder(plan: Plan): Change[] {
  const { before, bundled, after } = stages(plan);
  return [...before, ...bundled, ...after];
}

/** Carries them out, all or none; why none of them were. */
function refusalOf(
  tables: TablesAlone,
  { changes, encoded }: Pick<Ready, 'changes'> & { readonly encoded: EncodedChanges | readonly Outgoing[] },
): string | undefined {
  if (changes.length === 0) return undefined;
  const refused = tables.commit(encoded);
  if (refused === undefined) return undefined;
  const { what, text, origin } = changes[refused.index]!;
  const whose = origin === undefined ? '' : ` of ${origin.document}/${origin.name}`;
  return `${refused.reason}: ${what}${whose} ${text}`;
}
