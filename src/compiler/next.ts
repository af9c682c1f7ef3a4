/** `next` of a document, in the words of ovs-ofctl. */
import type { At } from './at.js';
import type { Scope } from './scope.js';

/** `normal`, `drop` or `goto_table:N`; by default normal, and drop where it names a table that is not there, which is said. */
export function nextActions(at: At, scope: Scope): string {
  if (typeof at.value !== 'object') return String(at.value ?? 'normal');
  const to = scope.number('table', at.key('goto'));
  return to === undefined ? 'drop' : `goto_table:${to}`;
}
