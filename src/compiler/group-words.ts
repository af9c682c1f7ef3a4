/** Groups in the words of ovs-ofctl. */
import type { At } from './at.js';
import { MappedText } from './mapped-text.js';

export const groupWords = (id: number, type: string, buckets: readonly string[], at: At): MappedText =>
  new MappedText().add(`group_id=${id},type=${type}${buckets.map((bucket) => `,bucket=${bucket}`).join('')}`, at);
