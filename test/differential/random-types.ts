/** Random headers around packets and off them, and service headers (RFC 8300) as guests may send them. */
import type { ActionRecord } from '../../src/datapath/records.js';
import { fields, packetTypeNext, ReservedPort } from '../../src/datapath/schema.gen.js';
import type { Random } from './random.js';

const NSH = 0x1894f;
const MPLS = [0x18847, 0x18848];
const encap = (packetType: number, mdType = 0, context: readonly number[] = []): ActionRecord => ({
  kind: 'encap',
  packetType,
  mdType,
  context: Uint8Array.from(context),
});
/** Context headers: right ones, those that leave no room for an Ethernet header, and wrong ones. */
const contexts = [[], [0, 1, 2, 4, 1, 2, 3, 4], [255, 246, 1, 3, 9, 9, 9, 0, 0, 0, 5, 0], Array(40).fill(0), [0, 0, 0]];

function encapService(random: Random): ActionRecord {
  const mdType = random.pick([0, 1, 2, 2]);
  return encap(NSH, mdType, random.chance(95) ? random.pick(contexts.slice(0, 4)) : random.pick(contexts));
}

export function randomTypeAction(random: Random): ActionRecord {
  switch (random.below(8)) {
    case 0:
    case 1:
      return encapService(random);
    case 2:
      return encap(0);
    case 3:
      return encap(random.pick([...MPLS, random.chance(10) ? 0x10800 : 0]));
    case 4:
      return { kind: 'dec_nsh_ttl' };
    default: {
      const packetType = random.pick([packetTypeNext, packetTypeNext, 0, 0x10800, 0x186dd, 0x18100, 0x10005]);
      return { kind: 'decap', packetType };
    }
  }
}

const services = fields.filter(({ name, settable }) => name.startsWith('nsh_') && settable);

function setService(random: Random): ActionRecord {
  const { id, bits } = random.pick(services);
  return { kind: 'set_field', field: id, value: random.chance(50) ? BigInt(random.below(3)) : random.bits(bits) };
}

/** Several that make sense together. */
export function randomTypeActions(random: Random, ports: readonly number[]): ActionRecord[] {
  const end: ActionRecord[] = random.chance(80)
    ? [{ kind: 'output', port: random.pick([...ports, ReservedPort.inPort, ReservedPort.controller]), maxLen: 0xffff }]
    : [];
  const ethernet = random.chance(70) ? [encap(0)] : [];
  const next: ActionRecord = { kind: 'decap', packetType: packetTypeNext };
  switch (random.below(4)) {
    case 0:
      return [encapService(random), setService(random), setService(random), ...ethernet, ...end];
    case 1:
      return [next, next, ...end];
    case 2:
      return [next, encapService(random), { kind: 'dec_nsh_ttl' }, ...ethernet, ...end];
    default:
      return [encap(random.pick(MPLS)), { kind: 'decap', packetType: random.pick([0, 0x10800]) }, ...ethernet, ...end];
  }
}

/** A frame with a service header before what is given, and its ethertype. */
export function serviceHeader(random: Random, frame: Uint8Array): number[] {
  const type = ((frame[12] ?? 0) << 8) | (frame[13] ?? 0);
  const carried = [
    ...(type === 0x0800 ? [[1, frame.slice(14)] as const] : []),
    ...(type === 0x86dd ? [[2, frame.slice(14)] as const] : []),
    [3, frame] as const,
    [random.pick([0, 4, 5, 9]), frame] as const,
  ];
  const [next, inner] = random.pick(carried);
  const mdType = random.pick([1, 1, 1, 2, 0, 15]);
  const words = mdType === 1 && random.chance(90) ? 6 : random.pick([1, 2, 3, 6]);
  const context = Array.from({ length: Math.max(0, words * 4 - 8) }, () => random.below(3));
  const first = (random.chance(95) ? 0 : 0x4000) | (random.below(4) << 12) | (random.pick([0, 1, 2, 63]) << 6) | words;
  const path = [0, 0, random.below(3), random.pick([0, 1, 254, 255])];
  return [first >> 8, first & 0xff, mdType, next, ...path, ...context, ...inner];
}
