/**
 * The table of tunnel options (NXT_TLV_TABLE_MOD of Open vSwitch's nicira-ext.h): which option the field tun_metadata<n>
 * stands for. It is kept and told; there are no tunnels yet whose options it could be about.
 */
import { type NxTlvTableMod, nicira, type TlvMap } from 'node-openflow';
import { TLV_FIELDS_MAX, TLV_OPTION_BYTES_MAX, TLV_SPACE_MAX } from './limits.js';
import { niciraError, type OfError } from './of-error.js';

const { NXTTMC } = nicira;
const ALIGNMENT = 4;

const sameOption = (a: TlvMap, b: TlvMap): boolean => a.optionClass === b.optionClass && a.optionType === b.optionType;

export class TlvTable {
  #mappings: readonly TlvMap[] = [];

  /** By index. */
  get mappings(): readonly TlvMap[] {
    return [...this.#mappings].sort((a, b) => a.index - b.index);
  }

  /** Carries all of it out, or nothing. */
  modify({ command, mappings }: NxTlvTableMod): OfError | undefined {
    if (command > NXTTMC.CLEAR) return niciraError('NXTTMFC_BAD_COMMAND');
    for (const { index, optionLength } of mappings) {
      if (index >= TLV_FIELDS_MAX) return niciraError('NXTTMFC_BAD_FIELD_IDX');
      const legal = optionLength > 0 && optionLength <= TLV_OPTION_BYTES_MAX && optionLength % ALIGNMENT === 0;
      if (command === NXTTMC.ADD && !legal) return niciraError('NXTTMFC_BAD_OPT_LEN');
    }
    switch (command) {
      case NXTTMC.ADD:
        return this.#add(mappings);
      case NXTTMC.DELETE:
        this.#mappings = this.#mappings.filter(({ index }) => !mappings.some((gone) => gone.index === index));
        return undefined;
      default:
        this.#mappings = [];
        return undefined;
    }
  }

  #add(mappings: readonly TlvMap[]): OfError | undefined {
    const all = [...this.#mappings];
    for (const map of mappings) {
      if (all.some(({ index }) => index === map.index)) return niciraError('NXTTMFC_ALREADY_MAPPED');
      if (all.some((other) => sameOption(other, map))) return niciraError('NXTTMFC_DUP_ENTRY');
      all.push(map);
    }
    const space = all.reduce((sum, { optionLength }) => sum + optionLength, 0);
    if (space > TLV_SPACE_MAX) return niciraError('NXTTMFC_TABLE_FULL');
    this.#mappings = all;
    return undefined;
  }
}
