/**
 * NXT_RESUME (nicira-ext.h of Open vSwitch): a packet that an action with `pause` sent to a controller goes on. The
 * continuation that was told with it has to come back as it was; packet and pipeline fields may be others.
 */
import { type NxPacketIn2, neutralPair, type OxmKnown } from 'node-openflow';
import { niciraError, type OfError } from './of-error.js';
import type { PacketOuts } from './packet-outs.js';
import type { Seal } from './seal.js';
import { numberOf } from './translate-match.js';
import { widePort } from './translate-nicira.js';

/** Carries one out; returns why it was refused. */
export function resume({ properties }: NxPacketIn2, packetOuts: PacketOuts, seal: Seal): OfError | undefined {
  const bytesOf = (type: 'packet' | 'continuation') => {
    const found = properties.find((property) => property.type === type);
    return found !== undefined && 'data' in found ? found.data : new Uint8Array(0);
  };
  const unknown = properties.some(({ type }) => type === 'unknown');
  if (unknown) return neutralPair('OFPBPC_BAD_TYPE');
  const continuation = seal.open(bytesOf('continuation'));
  if (continuation === undefined) return niciraError('NXR_STALE');
  const frame = bytesOf('packet');
  const fields = properties.flatMap((property) => (property.type === 'metadata' ? property.match : []));
  const port = fields.find(({ field }) => field === 'in_port' || field === 'nxm_of_in_port') as OxmKnown | undefined;
  if (port === undefined) return neutralPair('OFPBRC_BAD_PORT');
  const number = numberOf(port.value);
  const rest = fields.filter((tlv) => tlv !== port && tlv.field !== 'in_phy_port');
  return packetOuts.resume(port.field === 'in_port' ? number : widePort(number), frame, rest, continuation);
}
