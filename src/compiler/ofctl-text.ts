/** A program in the words of ovs-ofctl, each line with the file and line that it came from. */
import { formatFlow, formatGroup, formatMeter } from 'node-openflow/text';
import type { Origin, Program } from './program.js';

/** For `ovs-ofctl bundle`, `add-flows`, `add-groups`; meters one by one for `add-meter`. */
export const ofctlForms = ['bundle', 'flows', 'groups', 'meters'] as const;
export type OfctlForm = (typeof ofctlForms)[number];

function comment({ at, owner, document, name }: Origin): string {
  const whose = owner === document ? owner : `${owner} ${document}`;
  return `# ${at.file.name}:${at.place().line} ${whose}/${name}`;
}

export function ofctlText(program: Program, form: OfctlForm): string[] {
  const word = (text: string) => (form === 'bundle' ? `${text} ` : '');
  const flows = program.flows.map(({ mod, origin }) => `${word('flow add')}${formatFlow(mod)} ${comment(origin)}`);
  const groups = program.groups.map(({ mod, origin }) => `${word('group add')}${formatGroup(mod)} ${comment(origin)}`);
  const meters = program.meters.map(({ mod, origin }) => `${formatMeter(mod)} ${comment(origin)}`);
  switch (form) {
    case 'flows':
      return flows;
    case 'groups':
      return groups;
    case 'meters':
      return meters;
    case 'bundle':
      // A bundle has no meters in OpenFlow 1.3; they are there to be added before.
      return [...meters.map((meter) => `# ovs-ofctl add-meter: ${meter}`), ...groups, ...flows];
  }
}
