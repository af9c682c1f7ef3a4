/** What a Nicira action's codec is: a codec for what follows the vendor id and the subtype. */
import type { Codec } from '../../codec/protocol.js';
import type { NiciraAction } from '../action-types.js';

export interface NiciraCodec<A extends NiciraAction = NiciraAction>
  extends Pick<Codec<A>, 'type' | 'decode' | 'encode'> {
  readonly subtype: number;
  /** First and last version byte of OpenFlow that has it; absent: no limit. */
  readonly since?: number;
  readonly until?: number;
}

/** type, length, vendor id and subtype: 10 bytes of every action before what these codecs read. */
export const headLength = 10;
