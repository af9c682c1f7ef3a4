/**
 * Messages of experimenters as a table of codecs, for any version of OpenFlow that has the experimenter's id and a
 * 32-bit type behind the header (OpenFlow 1.0's vendor message with Nicira's subtype included).
 */
import type { MessageCodec } from '../../codec/protocol.js';
import { OFPBRC, OFPET } from '../../of13/errors.js';
import type { Experimenter, Message } from '../../types/message.js';
import { WireError } from '../../wire/error.js';
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

function coded(codec: NiciraMessageCodec): MessageCodec {
  return {
    code: experimenterCode,
    type: codec.type,
    decode: (r, head, ctx) => codec.decode(r, head, ctx),
    encode(w, message, ctx) {
      w.u32(NX_VENDOR_ID);
      w.u32(codec.subtype);
      codec.encode(w, message as NiciraMessage, ctx);
    },
  };
}

/** The entries of a version's message table that have code 4; the last one decodes them all. */
export function experimenterMessages(version: number): readonly MessageCodec[] {
  const codecs = all.filter(({ since = 0, until = 0xff }) => version >= since && version <= until);
  const bySubtype = new Map(codecs.map((codec) => [codec.subtype, codec]));
  const dispatch: MessageCodec<Experimenter> = {
    code: experimenterCode,
    type: 'experimenter',
    decode(r, head, ctx) {
      const experimenter = r.u32();
      const expType = r.u32();
      const codec = experimenter === NX_VENDOR_ID ? bySubtype.get(expType) : undefined;
      if (codec !== undefined) return codec.decode(r, head, ctx) as Message as Experimenter;
      if (experimenter === NX_VENDOR_ID && !ctx.keepUnknown) {
        throw new WireError(OFPET.BAD_REQUEST, OFPBRC.BAD_EXP_TYPE, `unknown Nicira message ${expType}`);
      }
      return { version: head.version, xid: head.xid, type: 'experimenter', experimenter, expType, data: r.rest() };
    },
    encode(w, message) {
      w.u32(message.experimenter);
      w.u32(message.expType);
      w.bytes(message.data);
    },
  };
  return [...codecs.map(coded), dispatch as MessageCodec];
}
