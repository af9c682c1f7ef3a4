/** Changes of a plan in the words of xvif.proto. */
import type { Origin } from '../compiler/index.js';
import type { Change as PlannedChange } from '../reconcile/index.js';
import type { Change } from './messages.js';

/** Of a flow, group or meter; undefined: of no document. */
export const place = (origin: Origin | undefined): Pick<Change, 'rule' | 'file' | 'line'> =>
  origin === undefined
    ? { rule: '', file: '', line: 0 }
    : { rule: `${origin.document}/${origin.name}`, file: origin.at.file.name, line: origin.at.place().line };

export const changeView = ({ kind, what, text, before = '', origin }: PlannedChange): Change => ({
  kind,
  what,
  text,
  before,
  ...place(origin),
});
