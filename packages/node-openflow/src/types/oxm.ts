/** Match fields as values (OpenFlow 1.3.5 §7.2.3). Values and masks are the bytes of the wire, in network order. */
import type { NiciraFieldName } from '../nicira/fields.js';
import type { Oxm13FieldName } from '../of13/oxm-fields.js';

/** Name of a match field that the tables know: OpenFlow 1.3's and those of Open vSwitch. */
export type OxmFieldName = Oxm13FieldName | NiciraFieldName;

/** A field the table knows; `value.length` is the field's width, and so is `mask.length`. */
export interface OxmKnown {
  readonly field: OxmFieldName;
  readonly value: Uint8Array;
  readonly mask?: Uint8Array;
}

/** A field of class 0xffff (§7.2.3.8), not interpreted: `data` is what follows the experimenter id. */
export interface OxmExperimenter {
  readonly field: 'experimenter';
  readonly experimenter: number;
  readonly oxmField: number;
  readonly hasMask: boolean;
  readonly data: Uint8Array;
}

/** A field of a class or number that no table knows; of the basic class only where unknown things are kept, of an unknown number. */
export interface OxmRaw {
  readonly field: 'raw';
  readonly oxmClass: number;
  readonly oxmField: number;
  readonly hasMask: boolean;
  readonly data: Uint8Array;
}

export type OxmTlv = OxmKnown | OxmExperimenter | OxmRaw;

/** The fields in the order of the wire: a field's prerequisites stand before it. Empty matches everything. */
export type Match = readonly OxmTlv[];

/** A field's header alone, as table features list them (§7.3.5.5.2). */
export type OxmId =
  | { readonly field: OxmFieldName; readonly hasMask: boolean }
  | {
      readonly field: 'experimenter';
      readonly experimenter: number;
      readonly oxmField: number;
      readonly hasMask: boolean;
      /** The oxm_length of the header: bytes after the header, experimenter id included. */
      readonly length: number;
    }
  | {
      readonly field: 'raw';
      readonly oxmClass: number;
      readonly oxmField: number;
      readonly hasMask: boolean;
      readonly length: number;
    };
