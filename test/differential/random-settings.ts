/** Random settings of ports, and frames of guests that try to be somebody else. */
import type { PortSettings, PortSources } from '../../src/datapath/datapath.js';
import * as f from './frames.js';
import type { Random } from './random.js';

export const GUEST = { mac: '02:00:00:00:00:01', ipv4: '10.0.0.1', ipv6: 'fd00:0:0:1::', linkLocal: 'fe80::ff:fe00:1' };
const macs = [GUEST.mac, GUEST.mac, GUEST.mac, '02:00:00:00:00:02'];
const ip4s = [GUEST.ipv4, GUEST.ipv4, '10.0.0.2', '0.0.0.0'];
/** In the form that frames.ts understands; the last group of zeros stands for `::`. */
const ip6s = [GUEST.ipv6, GUEST.ipv6, 'fe80:0:0:0:0:ff:fe00:1', 'fd00:0:0:2::', '0::'];
const destinations = ['02:00:00:00:00:02', '02:00:00:00:00:02', 'ff:ff:ff:ff:ff:ff', '01:80:c2:00:00:0e'];
const vlans = [0, 1, 100];

export function randomVlan(random: Random): Pick<PortSettings, 'vlan'> {
  if (random.chance(30)) return {};
  if (random.chance(50)) return { vlan: { tag: random.pick([1, 100]), trunks: random.chance(20) ? [1] : [] } };
  return { vlan: { tag: undefined, trunks: random.some([...vlans, 1, 4094], 50) } };
}

export function randomSettings(random: Random): PortSettings {
  return { ...randomVlan(random), ...(random.chance(8) ? { disabled: true } : {}) };
}

export function randomSources(random: Random): PortSources {
  const list = (own: string, others: readonly string[]) => {
    if (random.chance(20)) return undefined;
    return random.chance(10) ? [] : [...random.some(others, 40), own];
  };
  return {
    mac: GUEST.mac,
    ipv4: list(GUEST.ipv4, ['10.0.0.7', '192.168.0.1', '10.0.0.2']),
    ipv6: list(GUEST.ipv6, ['fd00:0:0:2::', '2001:db8::1', 'fe80::1']),
  };
}

const some = (random: Random, below: number) => Array.from({ length: random.below(below) }, () => random.below(256));

function option(random: Random): f.Bytes {
  if (random.chance(10)) return [random.below(4), random.below(3), ...some(random, 12)];
  if (random.chance(20)) return [5, 1, 0, 0, 0, 0, 5, 220];
  return [random.pick([1, 2]), 1, ...f.mac(random.pick(macs))];
}

function icmpv6(random: Random): ReturnType<typeof f.icmpv6> {
  const type = random.pick([128, 131, 133, 134, 135, 135, 135, 136, 136, 137, 143, 146, 151]);
  const target = f.ip6(random.pick(ip6s));
  const bodies: Record<number, f.Bytes> = {
    133: [0, 0, 0, 0],
    134: new Array<number>(12).fill(0),
    135: [0, 0, 0, 0, ...target],
    136: [0, 0, 0, 0, ...target],
    137: [0, 0, 0, 0, ...target, ...target],
  };
  const options = Array.from({ length: random.below(3) }, () => option(random)).flat();
  return f.icmpv6(type, random.chance(95) ? 0 : 1, [...(bodies[type] ?? some(random, 20)), ...options]);
}

const extensions = [
  { proto: 0, body: [1, 4, 0, 0, 0, 0] },
  { proto: 60, body: [1, 4, 0, 0, 0, 0] },
  { proto: 44, body: [0, 0, 0, 1, 0, 0, 0, 1].slice(0, 6) },
  { proto: 44, body: [0, 1, 0, 0, 0, 1] },
  { proto: 44, body: [0, 16, 0, 0, 0, 1] },
];

function ipv6(random: Random): f.Bytes {
  const upper = random.chance(75)
    ? { proto: 58, l4: icmpv6(random) }
    : random.pick([
        { proto: 17, l4: f.udp(1, 2) },
        { proto: 6, l4: f.tcp(1, 2) },
        { proto: 50, l4: () => [1, 2, 3, 4] },
        { proto: 59, l4: () => [] },
        { proto: 60, l4: () => [58] },
      ]);
  const chain = random.chance(70) ? [] : Array.from({ length: 1 + random.below(2) }, () => random.pick(extensions));
  return f.ipv6({ src: random.pick(ip6s), dst: 'fd00:0:0:2::', hopLimit: 255, extensions: chain, ...upper });
}

function ipv4(random: Random): f.Bytes {
  const fragment = random.chance(85) ? 0 : random.pick([0x2000, 0x0010]);
  const dhcp = random.chance(40);
  const l4 = dhcp ? f.udp(random.pick([68, 68, 1068]), random.pick([67, 67, 68])) : f.tcp(1000, 80);
  return f.ipv4({ src: random.pick(ip4s), dst: '10.0.0.2', proto: dhcp ? 17 : 6, fragment, l4 });
}

/** What a guest sends that may or may not keep to its addresses. */
export function randomClaim(random: Random): Uint8Array {
  const tags = random.chance(85) ? [] : [{ vid: random.pick([0, 0, 5]), tpid: random.pick([0x8100, 0x8100, 0x88a8]) }];
  if (tags.length > 0 && random.chance(20)) tags.push({ vid: 0, tpid: 0x8100 });
  const common = { src: random.pick(macs), dst: random.pick(destinations), tags };
  const addresses = { sha: random.pick(macs), spa: random.pick(ip4s), tha: '00:00:00:00:00:00', tpa: '10.0.0.2' };
  const kind = random.below(10);
  const [type, payload] =
    kind < 2
      ? [0x0806, f.arp({ op: random.pick([1, 2]), ...addresses })]
      : kind < 4
        ? [0x0800, ipv4(random)]
        : kind < 9
          ? [0x86dd, ipv6(random)]
          : [random.pick([0x88cc, 0x8847, 0x1234, 3]), some(random, 60)];
  const frame = f.ethernet({ ...common, type, payload });
  return random.chance(5) ? frame.slice(0, 14 + random.below(frame.length - 13)) : frame;
}
