/**
 * What OpenFlow 1.5 says in other words than 1.3 and 1.4: moves and loads of fields have actions of its own (1.5.1 §7.2.6.7,
 * §7.2.6.8), and metering is an action (§7.2.6.9), which the codec sees to where something is sent.
 */
import {
  type Action,
  bytesToBigint,
  type FlowStats,
  type GroupDesc,
  type Instruction,
  type Outgoing,
  type OxmFieldName,
  type OxmId,
  type OxmTlv,
  oxm,
  oxmFacts,
  type SubfieldStart,
} from 'node-openflow';

/** Of a load (NXAST_REG_LOAD). */
const LOAD_BITS_MAX = 64;

const ones = (bits: number): bigint => (1n << BigInt(bits)) - 1n;
const end = ({ field }: SubfieldStart) => ({ field, hasMask: false }) as const;

const inApplied = (one: Instruction, words: (action: Action) => Action): Instruction =>
  one.type === 'apply_actions' || one.type === 'write_actions' ? { ...one, actions: one.actions.map(words) } : one;

function actionIn15(action: Action): Action {
  switch (action.type) {
    case 'nx_clone':
      return { ...action, actions: action.actions.map(actionIn15) };
    case 'nx_reg_move': {
      const { bits, source, destination } = action;
      const offsets = { srcOffset: source.offset, dstOffset: destination.offset };
      return { type: 'copy_field', nBits: bits, ...offsets, src: end(source), dst: end(destination) };
    }
    case 'nx_reg_load': {
      const { field, offset, bits } = action.destination;
      const [value, mask] = [action.value << BigInt(offset), ones(bits) << BigInt(offset)];
      return {
        type: 'set_field',
        oxm: mask === ones(oxmFacts(field).bits) ? oxm(field, value) : oxm(field, { value, mask }),
      };
    }
    case 'nx_reg_load2':
      return { type: 'set_field', oxm: action.oxm };
    default:
      return action;
  }
}

/** A message for a switch of 1.3, for one of 1.5. */
export function messageIn15(message: Outgoing): Outgoing {
  if (message.type === 'flow_mod') {
    return { ...message, instructions: message.instructions.map((one) => inApplied(one, actionIn15)) };
  }
  if (message.type !== 'group_mod') return message;
  const buckets = message.buckets.map((bucket) => ({ ...bucket, actions: bucket.actions.map(actionIn15) }));
  return { ...message, buckets };
}

/** A set of bits that stand together is a load, of fields for whose header that has room. */
function loadOf(one: OxmTlv): Action {
  if (!('value' in one) || one.mask === undefined) return { type: 'set_field', oxm: one };
  const { experimenter, variable } = oxmFacts(one.field);
  if (experimenter !== undefined || variable) return { type: 'nx_reg_load2', oxm: one };
  const mask = bytesToBigint(one.mask);
  const offset = mask.toString(2).length - mask.toString(2).lastIndexOf('1') - 1;
  const bits = (mask >> BigInt(offset)).toString(2).length;
  const runs = mask === ones(bits) << BigInt(offset) && bits <= LOAD_BITS_MAX;
  if (mask === 0n || !runs) return { type: 'nx_reg_load2', oxm: one };
  const value = (bytesToBigint(one.value) & mask) >> BigInt(offset);
  return { type: 'nx_reg_load', destination: { field: one.field, offset, bits }, value };
}

const isNamed = (id: OxmId): id is Extract<OxmId, { readonly field: OxmFieldName }> =>
  id.field !== 'raw' && id.field !== 'experimenter';

function actionFrom15(action: Action): Action {
  switch (action.type) {
    case 'nx_clone':
      return { ...action, actions: action.actions.map(actionFrom15) };
    case 'copy_field': {
      const { nBits, src, srcOffset, dst, dstOffset } = action;
      if (!isNamed(src) || !isNamed(dst)) return action;
      const source = { field: src.field, offset: srcOffset };
      return { type: 'nx_reg_move', bits: nBits, source, destination: { field: dst.field, offset: dstOffset } };
    }
    case 'set_field':
      return loadOf(action.oxm);
    default:
      return action;
  }
}

/** A meter that comes first is what the instruction of 1.3 does. */
function instructionsFrom15(one: Instruction): Instruction[] {
  if (one.type !== 'apply_actions' && one.type !== 'write_actions') return [one];
  const [first, ...rest] = one.actions;
  if (one.type === 'write_actions' || first?.type !== 'meter') return [inApplied(one, actionFrom15)];
  const applied = inApplied({ ...one, actions: rest }, actionFrom15);
  return [{ type: 'meter', meterId: first.meterId }, ...(rest.length === 0 ? [] : [applied])];
}

export const flowFrom15 = (flow: FlowStats): FlowStats => ({
  ...flow,
  instructions: flow.instructions.flatMap(instructionsFrom15),
});

/** Buckets have numbers in 1.5, which nothing is said about. */
export const groupFrom15 = (group: GroupDesc): GroupDesc => ({
  ...group,
  buckets: group.buckets.map(({ weight, watchPort, watchGroup, actions }) => {
    return { weight, watchPort, watchGroup, actions: actions.map(actionFrom15) };
  }),
});
