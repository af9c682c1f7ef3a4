/** Random rules, groups and meters. Rules are made from frames, so that many of them match something. */
import { parseFrame } from '../../src/datapath/model-packet.js';
import {
  type ActionRecord,
  encodeActions,
  encodeMatch,
  fieldOnes,
  type GroupModRecord,
  type InstructionRecord,
  type MatchEntry,
  type MeterModRecord,
  type SelectionRecord,
  type SubfieldRecord,
} from '../../src/datapath/records.js';
import {
  allBuckets,
  allTables,
  FlowCommand,
  fields,
  firstBucket,
  firstRegister,
  GroupType,
  lastBucket,
  MeterFlag,
  ModCommand,
  matchFields,
  ReservedPort,
  SelectionMethod,
  Stat,
} from '../../src/datapath/schema.gen.js';
import type { Random } from './random.js';
import { randomLearn } from './random-learn.js';
import { randomTypeAction, randomTypeActions } from './random-types.js';
import type { Rule } from './rules.js';

export const PORTS = [1, 2, 3, 4, 5];
const GROUPS = [1, 2, 3, 4];
const METERS = [1, 2];
/** Reached by goto; a resubmit may also lead to the one behind them. */
const TABLES = 4;
/** Others depend on their exact value. */
const exact = ['in_port', 'in_phy_port', 'eth_type', 'ip_proto', 'icmpv6_type', 'actset_output', 'packet_type'];
const unset = ['in_port', 'in_phy_port', 'tunnel_id', 'conj_id'];
const PACKET_TYPE = fields.findIndex(({ name }) => name === 'packet_type');
const ETH_TYPE = fields.findIndex(({ name }) => name === 'eth_type');
const ofEthernet = ['eth_dst', 'eth_src', 'vlan_vid', 'vlan_pcp'];
const ACTSET_OUTPUT = fields.findIndex(({ name }) => name === 'actset_output');

/** A match that the frame, come in at `inPort`, satisfies (but for metadata). */
export function randomMatch(random: Random, frame: Uint8Array, inPort: number): MatchEntry[] {
  const values = [...parseFrame(frame).fields];
  values[0] = BigInt(inPort);
  values[2] = BigInt(random.below(4));
  values[ACTSET_OUTPUT] = BigInt(random.chance(50) ? ReservedPort.unset : random.pick(PORTS));
  // Small numbers, so that what actions load is hit; most registers are 0.
  for (let id = firstRegister; id < matchFields; id++) values[id] = random.chance(70) ? 0n : BigInt(random.below(3));
  const chosen = new Set<number>();
  // What is left of it without its Ethernet header.
  if (random.chance(15)) {
    values[PACKET_TYPE] = 0x10000n | values[ETH_TYPE]!;
    for (const name of ofEthernet) values[fields.findIndex((field) => field.name === name)] = 0n;
    chosen.add(PACKET_TYPE);
  }
  const add = (id: number): boolean => {
    for (const wanted of fields[id]!.prerequisites) {
      const other = fields.findIndex(({ name }) => name === wanted.field);
      const legal = wanted.values.length === 0 || wanted.values.includes(Number(values[other]));
      if (!legal || (wanted.field === 'vlan_vid' && values[other] === 0n) || !add(other)) return false;
    }
    chosen.add(id);
    return true;
  };
  for (let i = random.below(5); i > 0; i--) {
    const id = random.below(matchFields);
    if (!unset.slice(1).includes(fields[id]!.name)) add(id);
  }
  const depended = new Set([...chosen].flatMap((id) => fields[id]!.prerequisites.map(({ field }) => field)));
  return [...chosen]
    .sort((a, b) => a - b)
    .map((field) => {
      const { name, bits } = fields[field]!;
      if (exact.includes(name) || depended.has(name) || random.chance(60)) {
        return { field, value: values[field]!, mask: undefined };
      }
      const mask = random.chance(50)
        ? (fieldOnes(field) << BigInt(random.below(bits))) & fieldOnes(field)
        : random.bits(bits);
      if (mask === 0n || mask === fieldOnes(field)) return { field, value: values[field]!, mask: undefined };
      return { field, value: values[field]! & mask, mask };
    });
}

function randomSubfield(random: Random, bits: number, allowed: (id: number) => boolean): SubfieldRecord {
  const wide = fields.filter(({ id, bits: width }) => width >= bits && allowed(id));
  // Registers and their views half of the time.
  const registers = wide.filter(({ id }) => id >= firstRegister);
  const { id, bits: width } = random.pick(random.chance(50) ? registers : wide);
  return { field: id, offset: random.chance(50) ? 0 : random.below(width - bits + 1), bits };
}
const readable = (id: number) => fields[id]!.name !== 'conj_id';
const writable = (id: number) =>
  id >= firstRegister || fields[id]!.name === 'in_port' || (fields[id]!.settable && fields[id]!.name !== 'tunnel_id');

/** Of Nicira's, those that change fields or send the packet somewhere. */
function randomNicira(random: Random, nesting: number): ActionRecord {
  const bits = random.pick([1, 3, 8, 16, 32]);
  switch (random.below(20)) {
    case 0:
    case 1: {
      // Whole registers with small numbers are what matches look for.
      const to = { field: firstRegister + random.below(16), offset: 0, bits: 32 };
      return { kind: 'load', to, value: BigInt(random.below(3)) };
    }
    case 2: {
      const to = randomSubfield(random, bits, writable);
      return { kind: 'load', to, value: random.bits(bits) };
    }
    case 3:
    case 4:
      return {
        kind: 'move',
        from: randomSubfield(random, bits, readable),
        to: randomSubfield(random, bits, writable),
      };
    case 5:
      return { kind: 'output_reg', from: { field: firstRegister + random.below(4), offset: 0, bits: 16 }, maxLen: 99 };
    case 6:
      return { kind: 'stack_push', from: randomSubfield(random, bits, readable) };
    case 7:
      return { kind: 'stack_pop', to: randomSubfield(random, bits, writable) };
    case 8:
      return { kind: 'check_pkt_larger', bytes: random.pick([60, 100]), to: randomSubfield(random, 1, writable) };
    case 9:
      if (nesting > 2) return { kind: 'exit' };
      return {
        kind: 'clone',
        actions: Array.from({ length: random.below(4) }, () => randomAction(random, false, nesting + 1)),
      };
    case 10:
      return random.chance(30) ? { kind: 'exit' } : { kind: 'note', note: Uint8Array.from([1, 2, 3]) };
    case 11: {
      const userdata = Uint8Array.from({ length: random.below(12) }, () => random.below(256));
      return {
        kind: 'controller',
        maxLen: 0xffff,
        id: random.below(3),
        reason: random.below(3),
        userdata,
        meter: random.pick([0, 9]),
      };
    }
    case 13:
      // Which of several is chosen is the datapath's own business.
      return {
        kind: 'multipath',
        hashFields: random.below(7),
        basis: 0,
        algorithm: random.below(4),
        maxLink: 0,
        argument: random.below(9),
        to: randomSubfield(random, 3, writable),
      };
    case 14: {
      const members = [random.pick(PORTS), random.pick([...PORTS, 9])];
      const [hashFields, algorithm] = [random.below(7), random.below(2)];
      const to = random.chance(50) ? undefined : randomSubfield(random, 16, writable);
      return { kind: 'bundle', hashFields, basis: 0, algorithm, members: members.slice(algorithm), to };
    }
    case 16:
      return {
        kind: 'output_trunc',
        port: random.pick([...PORTS, ReservedPort.inPort]),
        bytes: 14 + random.below(100),
      };
    case 17:
      return { kind: 'fin_timeout', idle: random.pick([0, 50, 700]), hard: random.pick([0, 60, 800]) };
    case 18:
      return randomLearn(random, TABLES + 1);
    case 19: {
      // Which packets others take is up to chance.
      const [probability, collectorSet] = [0xffff, random.below(3)];
      const where = { obsDomain: 1, obsPoint: 2, samplingPort: 0xffff, direction: random.below(3), form: 3 };
      return { kind: 'sample', probability, collectorSet, ...where };
    }
    case 12:
      return { kind: 'dec_nw_ttl_ids', ids: random.pick([[], [0], [1, 7]]) };
    default: {
      // Up the tables mostly: circles end only when the limit is reached.
      const table = random.chance(97) ? TABLES : random.pick([...Array(TABLES).keys(), allTables]);
      return { kind: 'resubmit', port: random.pick([ReservedPort.inPort, ...PORTS]), table };
    }
  }
}

function randomAction(random: Random, inGroup: boolean, nesting = 0): ActionRecord {
  if (random.chance(6)) return randomTypeAction(random);
  switch (random.below(inGroup ? 18 : 23)) {
    case 0:
      return { kind: 'push_vlan', ethertype: random.pick([0x8100, 0x88a8]) };
    case 1:
      return { kind: 'pop_vlan' };
    case 2:
      return { kind: 'push_mpls', ethertype: random.pick([0x8847, 0x8848]) };
    case 3:
      return { kind: 'pop_mpls', ethertype: random.pick([0x0800, 0x86dd, 0x0806, 0x8847]) };
    case 4:
      return { kind: random.pick(['dec_nw_ttl', 'dec_mpls_ttl', 'copy_ttl_in', 'copy_ttl_out'] as const) };
    case 5:
      return { kind: random.pick(['set_nw_ttl', 'set_mpls_ttl'] as const), ttl: random.below(256) };
    case 6:
      return { kind: 'group', group: random.pick(GROUPS) };
    case 7:
      return { kind: 'set_queue', queue: random.below(4) };
    case 8:
    case 9:
    case 10:
    case 11: {
      const settable = fields.filter(({ name, settable: can }) => can && !unset.includes(name));
      const { id, bits } = random.pick(settable);
      return { kind: 'set_field', field: id, value: random.bits(bits) };
    }
    case 12:
      return random.chance(60) ? { kind: 'push_pbb', ethertype: 0x88e7 } : { kind: 'pop_pbb' };
    case 13: {
      const { id, bits } = random.pick(fields.filter((field) => writable(field.id)));
      const mask = random.bits(bits);
      return random.chance(80)
        ? { kind: 'set_masked', field: id, value: random.bits(bits) & mask, mask }
        : { kind: 'meter', meter: random.pick(METERS) };
    }
    case 18:
    case 19:
    case 20:
    case 21:
    case 22:
      return randomNicira(random, nesting);
    default: {
      const special = [ReservedPort.inPort, ReservedPort.all, ReservedPort.controller, ReservedPort.normal];
      const port = random.chance(75) ? random.pick(PORTS) : random.pick(inGroup ? special.slice(0, 3) : special);
      return { kind: 'output', port, maxLen: port === ReservedPort.controller ? 0xffff : 0 };
    }
  }
}

function randomActions(random: Random, inGroup = false): ActionRecord[] {
  if (random.chance(10)) return randomTypeActions(random, PORTS);
  return Array.from({ length: random.below(5) }, () => randomAction(random, inGroup));
}

function randomInstructions(random: Random, table: number): InstructionRecord[] {
  const list: InstructionRecord[] = [];
  if (random.chance(8)) list.push({ kind: 'meter', meter: random.pick(METERS) });
  if (random.chance(60)) list.push({ kind: 'apply', actions: randomActions(random) });
  if (random.chance(5)) list.push({ kind: 'clear' });
  if (random.chance(50)) list.push({ kind: 'write', actions: randomActions(random, random.chance(97)) });
  if (random.chance(20)) list.push({ kind: 'metadata', value: BigInt(random.below(4)), mask: 3n });
  if (table < TABLES - 1 && random.chance(60))
    list.push({ kind: 'goto', table: table + 1 + random.below(TABLES - 1 - table) });
  else if (random.chance(1)) list.push({ kind: 'goto', table });
  if (random.chance(10)) {
    const thresholds = [{ stat: Stat.packetCount, value: BigInt(random.below(6)) }];
    list.push({ kind: 'stat_trigger', flags: random.below(4), thresholds });
  }
  return list;
}

/**
 * Rules of one run. Which of two overlapping flows of the same priority a packet takes is nobody's promise, so each
 * match of a table has a priority of its own.
 */
export class RuleMaker {
  readonly #frames: readonly Uint8Array[];
  readonly #priorities = Array.from({ length: TABLES + 1 }, () => new Map<string, number>());
  readonly #matches = Array.from({ length: TABLES + 1 }, () => [] as MatchEntry[][]);

  constructor(frames: readonly Uint8Array[]) {
    this.#frames = frames;
  }

  /** Adds mostly, with the modifies and deletes that a controller would send now and then. */
  make(random: Random): Rule {
    const table = random.below(TABLES + 1);
    const match = this.#match(random, table);
    const command = random.chance(85) ? FlowCommand.add : 1 + random.below(4);
    const deletes = command === FlowCommand.delete || command === FlowCommand.deleteStrict;
    // These priorities are only ever used with a check for overlaps.
    const checks = command === FlowCommand.add && random.chance(15);
    return {
      command,
      table: deletes && random.chance(20) ? 255 : table,
      priority: checks ? 3000 + random.below(3) : this.#priority(random, table, match),
      cookie: BigInt(random.below(4)),
      cookieMask: command !== FlowCommand.add && random.chance(50) ? 3n : 0n,
      flags: checks ? 2 : random.pick([0, 0, 0, 1, 1, 4, 8, 16]),
      idle: random.pick([0, 600]),
      hard: random.pick([0, 900]),
      outPort: deletes && random.chance(30) ? random.pick(PORTS) : ReservedPort.any,
      outGroup: deletes && random.chance(10) ? random.pick(GROUPS) : 0xffffffff,
      match,
      instructions: randomInstructions(random, table),
    };
  }

  #match(random: Random, table: number): MatchEntry[] {
    const known = this.#matches[table]!;
    if (known.length > 0 && random.chance(20)) return random.pick(known);
    const match = random.chance(10) ? [] : randomMatch(random, random.pick(this.#frames), random.pick(PORTS));
    known.push(match);
    return match;
  }

  #priority(random: Random, table: number, match: readonly MatchEntry[]): number {
    const priorities = this.#priorities[table]!;
    const key = Buffer.from(encodeMatch(match)).toString('hex');
    const used = new Set(priorities.values());
    let priority = priorities.get(key);
    while (priority === undefined) {
      // The match of every packet may as well be a table-miss flow.
      const wish = match.length === 0 && random.chance(70) ? 0 : 1 + random.below(2000);
      if (!used.has(wish)) priority = wish;
    }
    priorities.set(key, priority);
    return priority;
  }
}

export function randomGroup(random: Random): GroupModRecord {
  const type = random.pick([GroupType.all, GroupType.all, GroupType.indirect, GroupType.ff, GroupType.select]);
  // Which bucket a flow takes is the datapath's own business: select groups have one to choose from.
  const single = type === GroupType.indirect || type === GroupType.select;
  const buckets = Array.from({ length: single ? 1 : random.below(4) }, (_, i) => ({
    id: random.chance(5) ? random.below(3) : i,
    weight: type === GroupType.select ? 1 : 0,
    watchPort: type === GroupType.ff && random.chance(70) ? random.pick([...PORTS, 9]) : ReservedPort.any,
    watchGroup: type === GroupType.ff && random.chance(20) ? random.pick(GROUPS) : 0xffffffff,
    actions: encodeActions(randomActions(random, true)),
  }));
  const command = random.pick([ModCommand.add, ModCommand.add, ModCommand.modify, ModCommand.delete]);
  const selects = type === GroupType.select || random.chance(3);
  const selection = selects && random.chance(60) ? { selection: randomSelection(random) } : {};
  return { op: 'group_mod', command, type, group: random.pick(GROUPS), buckets, ...selection };
}

function randomSelection(random: Random): SelectionRecord {
  const counting = [...fields.keys()].filter((id) => id < matchFields && random.chance(8));
  return {
    method: random.pick([SelectionMethod.default, SelectionMethod.hash, SelectionMethod.dpHash]),
    parameter: BigInt(random.below(3)),
    fields: counting.map((field) => ({ field, mask: (1n << BigInt(1 + random.below(fields[field]!.bits))) - 1n })),
  };
}

/** A bucket more or less. One without weight is never taken by a group that selects, so that there is no choice. */
export function randomBucketMod(random: Random): GroupModRecord {
  const place = random.pick([0, 1, 2, 3, firstBucket, lastBucket, allBuckets]);
  const actions = encodeActions(randomActions(random, true));
  const id = random.below(6);
  const bucket = { id, weight: 0, watchPort: ReservedPort.any, watchGroup: 0xffffffff, actions };
  const inserts = random.chance(60);
  return {
    op: 'group_mod',
    command: inserts ? ModCommand.insertBucket : ModCommand.removeBucket,
    type: GroupType.all,
    group: random.pick(GROUPS),
    place,
    buckets: inserts ? [bucket] : [],
  };
}

/** A meter that lets everything pass, or nothing: what lies between depends on the time of day. */
export function randomMeter(random: Random): MeterModRecord {
  const never = random.chance(50);
  const band = { type: random.pick([1, 2]), precLevel: 1, rate: never ? 0xffffffff : 1, burst: never ? 0xffff : 0 };
  const flags = MeterFlag.pktps | MeterFlag.burst;
  const command = random.pick([ModCommand.add, ModCommand.add, ModCommand.modify, ModCommand.delete]);
  return { op: 'meter_mod', command, meter: random.pick(METERS), flags, bands: [band] };
}
