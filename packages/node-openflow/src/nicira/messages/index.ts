/** Nicira's messages as extensions, for any version of OpenFlow; in 1.0 they are vendor messages. */
import type { Extension, MessageCodec } from '../../codec/protocol.js';
import { NX_VENDOR_ID } from '../constants.js';
import type { NiciraMessage } from '../message-types.js';
import type { NiciraMessageCodec } from './codec.js';
import { ctMessages } from './ct-flush.js';
import { flowMessages } from './flow.js';
import { packetIn2Messages } from './packet-in2.js';
import { settingMessages } from './settings.js';

const all: readonly NiciraMessageCodec[] = [...flowMessages, ...packetIn2Messages, ...ctMessages, ...settingMessages];
/** OFPT_EXPERIMENTER, in OpenFlow 1.0 OFPT_VENDOR. */
const experimenterCode = 4;

/** Nicira's messages of a version: what follows the vendor id and the subtype. */
export function niciraMessages(version: number): readonly Extension<MessageCodec>[] {
  return all
    .filter(({ since = 0, until = 0xff }) => version >= since && version <= until)
    .map((codec) => ({
      experimenter: NX_VENDOR_ID,
      expType: codec.subtype,
      codec: {
        code: experimenterCode,
        type: codec.type,
        decode: (r, head, ctx) => codec.decode(r, head, ctx),
        encode: (w, message, ctx) => codec.encode(w, message as NiciraMessage, ctx),
      },
    }));
}
