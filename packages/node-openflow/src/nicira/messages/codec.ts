/** What the codec of one of Nicira's messages is: a codec for what follows the subtype. */
import type { MessageCodec } from '../../codec/protocol.js';
import type { NiciraMessage } from '../message-types.js';

export interface NiciraMessageCodec<M extends NiciraMessage = NiciraMessage>
  extends Pick<MessageCodec<M>, 'type' | 'decode' | 'encode'> {
  readonly subtype: number;
  /** First and last version byte of OpenFlow that has it; absent: no limit. */
  readonly since?: number;
  readonly until?: number;
}
