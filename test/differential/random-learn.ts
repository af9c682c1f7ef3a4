/** Random learn actions, whose flows match what later packets have. */
import type { ActionRecord, LearnSpecRecord, SubfieldRecord } from '../../src/datapath/records.js';
import { fields, firstRegister, LearnFlag } from '../../src/datapath/schema.gen.js';
import type { Random } from './random.js';
import { fieldNumber } from './rules.js';

/** Above those of other rules, and each action's own: which of two overlapping flows is taken is nobody's promise. */
const FIRST_PRIORITY = 4000;
const PRIORITIES = 60_000;
let made = 0;

type Name = (typeof fields)[number]['name'];
const whole = (name: Name): SubfieldRecord => {
  const field = fieldNumber(name);
  return { field, offset: 0, bits: fields[field]!.bits };
};
const same = (name: Name): LearnSpecRecord => ({ use: 'match', to: whole(name), from: whole(name) });
const is = (name: Name, value: bigint): LearnSpecRecord => ({ use: 'match', to: whole(name), from: value });
const register = (random: Random, bits: number): SubfieldRecord => {
  const field = firstRegister + random.below(28);
  return { field, offset: random.below(fields[field]!.bits - bits + 1), bits };
};

function matchSpecs(random: Random): LearnSpecRecord[] {
  switch (random.below(6)) {
    case 0:
      return [is('eth_type', 0x800n), { use: 'match', to: whole('ipv4_dst'), from: whole('ipv4_src') }];
    case 1:
      return [is('eth_type', 0x800n), is('ip_proto', 6n), same('tcp_dst')];
    case 2:
      return [same('eth_type'), same('vlan_vid')];
    case 3:
      return [{ use: 'match', to: register(random, 8), from: register(random, 8) }];
    case 4:
      return [{ use: 'match', to: { ...whole('in_port'), bits: 16 }, from: { ...whole('in_port'), bits: 16 } }];
    default:
      return [{ use: 'match', to: whole('eth_dst'), from: whole(random.pick(['eth_src', 'eth_dst'])) }];
  }
}

function actionSpecs(random: Random): LearnSpecRecord[] {
  switch (random.below(4)) {
    case 0:
      return [{ use: 'output', from: random.pick([whole('in_port'), { ...whole('reg0'), bits: 16 }]) }];
    case 1:
      return [{ use: 'load', to: register(random, 16), from: random.bits(16) }];
    case 2:
      return [{ use: 'load', to: whole('eth_src'), from: whole('eth_dst') }];
    default:
      return [];
  }
}

export function randomLearn(random: Random, tables: number): ActionRecord {
  const writes = random.chance(30);
  return {
    kind: 'learn',
    idle: random.pick([0, 600]),
    hard: random.pick([0, 900]),
    priority: FIRST_PRIORITY + (made++ % PRIORITIES),
    cookie: random.pick([0n, 1n, 0xffffffffffffffffn]),
    flags:
      (random.chance(30) ? LearnFlag.sendFlowRem : 0) |
      (random.chance(20) ? LearnFlag.deleteLearned : 0) |
      (writes ? LearnFlag.writeResult : 0),
    table: random.below(tables),
    finIdle: random.pick([0, 0, 30]),
    finHard: random.pick([0, 0, 40]),
    limit: random.pick([0, 0, 1, 3]),
    result: writes ? { field: firstRegister, offset: random.below(3), bits: 1 } : undefined,
    specs: [...matchSpecs(random), ...(random.chance(50) ? matchSpecs(random) : []), ...actionSpecs(random)],
  };
}
