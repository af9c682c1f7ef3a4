/** NXAST_SAMPLE, NXAST_SAMPLE2, NXAST_SAMPLE3: IPFIX samples. */
import { OFPBAC, OFPET } from '../../of13/errors.js';
import { WireError } from '../../wire/error.js';
import type { WireReader } from '../../wire/reader.js';
import type { WireWriter } from '../../wire/writer.js';
import type { NxSample, NxSample2 } from '../action-types.js';
import { NX_ACTION_SAMPLE } from '../constants.js';
import { expectZeros } from '../subfield.js';
import type { NiciraCodec } from './codec.js';

const bad = (reason: string): WireError => new WireError(OFPET.BAD_ACTION, OFPBAC.BAD_ARGUMENT, reason);

function decodeHead(r: WireReader): Omit<NxSample, 'type'> {
  const probability = r.u16();
  if (probability === 0) throw bad('sample of probability 0');
  return { probability, collectorSetId: r.u32(), obsDomainId: r.u32(), obsPointId: r.u32() };
}

function encodeHead(w: WireWriter, action: Omit<NxSample, 'type'>): void {
  w.u16(action.probability);
  w.u32(action.collectorSetId);
  w.u32(action.obsDomainId);
  w.u32(action.obsPointId);
}

const sample: NiciraCodec<NxSample> = {
  subtype: 29,
  type: 'nx_sample',
  decode: (r) => ({ type: 'nx_sample', ...decodeHead(r) }),
  encode: encodeHead,
};

const sample2: NiciraCodec<NxSample2> = {
  subtype: 38,
  type: 'nx_sample2',
  decode(r) {
    const head = decodeHead(r);
    const samplingPort = r.u16();
    r.skip(6);
    return { type: 'nx_sample2', ...head, samplingPort };
  },
  encode(w, action) {
    encodeHead(w, action);
    w.u16(action.samplingPort);
    w.zero(6);
  },
};

const sample3: NiciraCodec<NxSample2> = {
  subtype: 41,
  type: 'nx_sample3',
  decode(r) {
    const head = decodeHead(r);
    const samplingPort = r.u16();
    const direction = r.u8();
    if (direction > NX_ACTION_SAMPLE.EGRESS) throw bad(`sample in direction ${direction}`);
    expectZeros(r, 5);
    return { type: 'nx_sample3', ...head, samplingPort, direction };
  },
  encode(w, action) {
    encodeHead(w, action);
    w.u16(action.samplingPort);
    w.u8(action.direction ?? NX_ACTION_SAMPLE.DEFAULT);
    w.zero(5);
  },
};

export const sampleActions: readonly NiciraCodec[] = [sample, sample2, sample3] as readonly NiciraCodec[];
