/**
 * NXT_RESUME (nicira-ext.h of Open vSwitch): a packet that an action with `pause` sent to a controller goes on. The
 * continuation that was told with it has to come back as it was; packet and pipeline fields may be others.
 */
import { type NxPacketIn2, neutralPair, type OxmKnown } from 'node-openflow';
import { align8, viewOf } from '../datapath/records.js';
import { niciraError, type OfError } from './of-error.js';
import type { PacketOuts } from './packet-outs.js';
import type { Seal } from './seal.js';
import { numberOf } from './translate-match.js';
import { widePort } from './translate-nicira.js';

/** Of the one property that a continuation is made of; Open vSwitch has others, from 0x8000 on, and its tools skip it. */
const PROPERTY = 0xf000;
const PROPERTY_HEADER = 4;

/** A sealed continuation as it is told. */
export function continuationData(sealed: Uint8Array): Uint8Array {
  const length = PROPERTY_HEADER + sealed.length;
  const data = new Uint8Array(align8(length));
  const view = viewOf(data);
  view.setUint16(0, PROPERTY);
  view.setUint16(2, length);
  data.set(sealed, PROPERTY_HEADER);
  return data;
}

/** Empty for what is none. */
function sealedOf(data: Uint8Array): Uint8Array {
  if (data.length < PROPERTY_HEADER) return data.subarray(0, 0);
  const view = viewOf(data);
  const length = view.getUint16(2);
  const isOurs = view.getUint16(0) === PROPERTY && length >= PROPERTY_HEADER && align8(length) === data.length;
  return isOurs ? data.subarray(PROPERTY_HEADER, length) : data.subarray(0, 0);
}

/** Carries one out; returns why it was refused. */
export function resume({ properties }: NxPacketIn2, packetOuts: PacketOuts, seal: Seal): OfError | undefined {
  const bytesOf = (type: 'packet' | 'continuation') => {
    const found = properties.find((property) => property.type === type);
    return found !== undefined && 'data' in found ? found.data : new Uint8Array(0);
  };
  const unknown = properties.some(({ type }) => type === 'unknown');
  if (unknown) return neutralPair('OFPBPC_BAD_TYPE');
  const continuation = seal.open(sealedOf(bytesOf('continuation')));
  if (continuation === undefined) return niciraError('NXR_STALE');
  const frame = bytesOf('packet');
  const fields = properties.flatMap((property) => (property.type === 'metadata' ? property.match : []));
  const port = fields.find(({ field }) => field === 'in_port' || field === 'nxm_of_in_port') as OxmKnown | undefined;
  if (port === undefined) return neutralPair('OFPBRC_BAD_PORT');
  const number = numberOf(port.value);
  const rest = fields.filter((tlv) => tlv !== port && tlv.field !== 'in_phy_port');
  return packetOuts.resume(port.field === 'in_port' ? number : widePort(number), frame, rest, continuation);
}
