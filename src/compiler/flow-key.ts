/** Which flow it is, as a text: table, priority and match are what makes a flow the one that it is (OpenFlow 1.3.5 §5.2). */
import type { OxmTlv } from 'node-openflow';
import { type FlowText, formatMatch } from 'node-openflow/text';

export type FlowIdentity = Pick<FlowText, 'tableId' | 'priority' | 'match'>;

const letters = String.fromCharCode;

/** Most values have one of these lengths, and there are very many of them. */
function latin1(bytes: Uint8Array): string {
  switch (bytes.length) {
    case 1:
      return letters(bytes[0]!);
    case 2:
      return letters(bytes[0]!, bytes[1]!);
    case 4:
      return letters(bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!);
    case 6:
      return letters(bytes[0]!, bytes[1]!, bytes[2]!, bytes[3]!, bytes[4]!, bytes[5]!);
    default:
      return letters(...bytes);
  }
}

function fieldKey(one: OxmTlv): string {
  if (!('value' in one)) return formatMatch([one]);
  const mask = one.mask === undefined ? '' : `/${latin1(one.mask)}`;
  return `${one.field}=${latin1(one.value)}${mask}`;
}

/** The same whatever the order of fields. */
export const keyOf = ({ tableId, priority, match }: FlowIdentity): string =>
  `${tableId} ${priority} ${match.map(fieldKey).sort().join(' ')}`;
