/** The match fields of a version with Open vSwitch's, which it has in all versions; in structures of 1.0 and 1.1 too. */
import { type OxmTable, oxmTableOf } from '../codec/protocol.js';
import type { OxmFacts } from '../of13/oxm-fields.js';
import { packetType } from '../of15/oxm-fields.js';
import { niciraFields } from './fields.js';

/** packet_type is OpenFlow 1.5's; Open vSwitch has it in all versions. */
export function withNicira(standard: readonly OxmFacts[]): OxmTable {
  const others = standard.includes(packetType) ? [] : [packetType];
  return oxmTableOf([...standard, ...others, ...niciraFields]);
}
