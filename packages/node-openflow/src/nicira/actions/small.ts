/** Actions with a few numbers each. */
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { WireError } from '../../wire/error.js';
import type {
  NxConjunction,
  NxDecTtlCntIds,
  NxFinTimeout,
  NxNote,
  NxOutputTrunc,
  NxResubmit,
  NxResubmitTable,
  NxWriteMetadata,
} from '../action-types.js';
import { expectZeros } from '../subfield.js';
import { headLength, type NiciraCodec } from './codec.js';

const resubmit: NiciraCodec<NxResubmit> = {
  subtype: 1,
  type: 'nx_resubmit',
  decode(r) {
    const inPort = r.u16();
    r.skip(4);
    return { type: 'nx_resubmit', inPort };
  },
  encode(w, action) {
    w.u16(action.inPort);
    w.zero(4);
  },
};

function resubmitTable(subtype: number, type: NxResubmitTable['type']): NiciraCodec<NxResubmitTable> {
  return {
    subtype,
    type,
    decode(r) {
      const inPort = r.u16();
      const tableId = r.u8();
      expectZeros(r, 3);
      return { type, inPort, tableId };
    },
    encode(w, action) {
      w.u16(action.inPort);
      w.u8(action.tableId);
      w.zero(3);
    },
  };
}

const note: NiciraCodec<NxNote> = {
  subtype: 8,
  type: 'nx_note',
  decode: (r) => ({ type: 'nx_note', note: r.rest() }),
  encode(w, action) {
    const start = w.mark() - headLength;
    w.bytes(action.note);
    w.padTo8(start);
  },
};

const decTtlCntIds: NiciraCodec<NxDecTtlCntIds> = {
  subtype: 21,
  type: 'nx_dec_ttl_cnt_ids',
  decode(r) {
    const count = r.u16();
    expectZeros(r, 4);
    const controllers = Array.from({ length: count }, () => r.u16());
    r.skip(r.remaining & 7);
    return { type: 'nx_dec_ttl_cnt_ids', controllers };
  },
  encode(w, action) {
    const start = w.mark() - headLength;
    w.u16(action.controllers.length);
    w.zero(4);
    for (const id of action.controllers) w.u16(id);
    w.padTo8(start);
  },
};

const finTimeout: NiciraCodec<NxFinTimeout> = {
  subtype: 19,
  type: 'nx_fin_timeout',
  decode(r) {
    const idleTimeout = r.u16();
    const hardTimeout = r.u16();
    r.skip(2);
    return { type: 'nx_fin_timeout', idleTimeout, hardTimeout };
  },
  encode(w, action) {
    w.u16(action.idleTimeout);
    w.u16(action.hardTimeout);
    w.zero(2);
  },
};

const writeMetadata: NiciraCodec<NxWriteMetadata> = {
  subtype: 22,
  type: 'nx_write_metadata',
  decode(r) {
    expectZeros(r, 6);
    return { type: 'nx_write_metadata', metadata: r.u64(), metadataMask: r.u64() };
  },
  encode(w, action) {
    w.zero(6);
    w.u64(action.metadata);
    w.u64(action.metadataMask);
  },
};

const conjunction: NiciraCodec<NxConjunction> = {
  subtype: 34,
  type: 'nx_conjunction',
  decode(r) {
    const clause = r.u8();
    const clauses = r.u8();
    if (clauses < 2 || clauses > 64 || clause >= clauses) {
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `clause ${clause} of ${clauses}`);
    }
    return { type: 'nx_conjunction', id: r.u32(), clause, clauses };
  },
  encode(w, action) {
    w.u8(action.clause);
    w.u8(action.clauses);
    w.u32(action.id);
  },
};

/** A frame is never cut inside its Ethernet header. */
const leastTruncation = 14;

const outputTrunc: NiciraCodec<NxOutputTrunc> = {
  subtype: 39,
  type: 'nx_output_trunc',
  decode(r) {
    const port = r.u16();
    const maxLen = r.u32();
    if (maxLen < leastTruncation)
      throw new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, `output of ${maxLen} bytes`);
    return { type: 'nx_output_trunc', port, maxLen };
  },
  encode(w, action) {
    w.u16(action.port);
    w.u32(action.maxLen);
  },
};

export const smallActions: readonly NiciraCodec[] = [
  resubmit,
  resubmitTable(14, 'nx_resubmit_table'),
  resubmitTable(44, 'nx_resubmit_table_ct'),
  note,
  decTtlCntIds,
  finTimeout,
  writeMetadata,
  conjunction,
  outputTrunc,
] as readonly NiciraCodec[];
