/** What changes, as people and programs read it; from a plan of ours, or one of the daemon's. */
import type { Change } from '../api/messages.js';
import type { CommandContext } from './context.js';
import { counted } from './read-files.js';
import { formatJson } from './units.js';

export interface PlanView {
  readonly changes: readonly Change[];
  readonly unchanged: number | bigint;
  readonly stale: readonly string[];
  /** Documents that are not kept any more; of xvifd. */
  readonly removed?: readonly string[];
  /** Ports that are not there; of xvifd. */
  readonly waiting?: readonly string[];
}

const signs: Readonly<Record<string, string>> = { add: '+', change: '~', delete: '-' };

function changeText({ kind, what, text, before, rule, file, line }: Change): string {
  const from = rule === '' ? '' : `  # ${file}:${line} ${rule}`;
  return `${signs[kind]} ${what} ${text}${from}${before === '' ? '' : `\n    was ${before}`}`;
}

function summary({ changes, unchanged, stale }: PlanView): string {
  const count = (kind: string) => changes.filter((change) => change.kind === kind).length;
  const left = stale.length === 0 ? '' : `; ${counted(stale.length, 'own flow')} in no file, which --prune deletes`;
  return `${count('add')} to add, ${count('change')} to change, ${count('delete')} to delete, ${unchanged} unchanged${left}`;
}

/** What is not said is left out for programs. */
const jsonOf = ({ before, rule, file, line, ...rest }: Change) => ({
  ...rest,
  ...(before === '' ? {} : { before }),
  ...(rule === '' ? {} : { file, line, rule }),
});

/** `token`: with which it is to be confirmed. */
export function printPlan({ json, print }: CommandContext, plan: PlanView, token?: string): void {
  const { changes, unchanged, stale, removed, waiting } = plan;
  if (json) {
    print(formatJson({ changes: changes.map(jsonOf), unchanged, stale, removed, waiting, token }));
    return;
  }
  if (changes.length > 0) print(changes.map(changeText).join('\n'));
  if (removed !== undefined && removed.length > 0) print(`documents that go: ${removed.join(', ')}`);
  print(summary(plan));
  if (waiting !== undefined && waiting.length > 0) print(`waiting for ports: ${waiting.join(', ')}`);
}
