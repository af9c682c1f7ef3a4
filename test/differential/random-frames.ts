/** Random frames of every kind that the tables can tell apart, few enough values that rules are hit. */
import * as f from './frames.js';
import type { Random } from './random.js';
import { serviceHeader } from './random-types.js';

const macs = ['02:00:00:00:00:01', '02:00:00:00:00:02', '02:00:00:00:00:03', 'ff:ff:ff:ff:ff:ff', '01:00:5e:00:00:01'];
const ip4s = ['10.0.0.1', '10.0.0.2', '10.1.0.3', '192.168.0.1'];
const ip6s = ['fd00::', 'fd00:0:0:1::', 'fe80::', '2001:db8:1:2:3:4:5:6'];
const ports = [0, 53, 80, 443, 8080, 65535];

function l4(random: Random, v6: boolean): { proto: number; l4: ReturnType<typeof f.tcp> } {
  const [src, dst] = [random.pick(ports), random.pick(ports)];
  const data = Array.from({ length: random.below(90) }, () => random.below(256));
  switch (random.below(v6 ? 7 : 6)) {
    case 0:
    case 1:
      return { proto: 6, l4: f.tcp(src, dst, data) };
    case 2:
      return { proto: 17, l4: f.udp(src, dst, data, v6 || random.chance(70)) };
    case 3:
      return { proto: 132, l4: f.sctp(src, dst, random.next(), data) };
    case 4: {
      const [type, code] = [random.pick([0, 3, 8]), random.below(3)];
      if (v6) return { proto: 58, l4: f.icmpv6(type + 125, code, [0, 0, 0, 0, ...data]) };
      return { proto: 1, l4: f.icmp(type, code, [0, 0, 0, 0, ...data]) };
    }
    case 5:
      return { proto: random.pick([2, 47, 50, 59]), l4: () => data };
    default:
      return { proto: 58, l4: f.neighbour(random.pick([135, 136]), random.pick(ip6s), random.pick(macs)) };
  }
}

function ipv4(random: Random): f.Bytes {
  const fragment = random.chance(85) ? 0 : random.pick([0x2000, 0x2001, 0x0010, 0x4000]);
  const common = { tos: random.pick([0, 40, 184, 255]), ttl: random.pick([0, 1, 2, 64, 255]), fragment };
  return f.ipv4({ src: random.pick(ip4s), dst: random.pick(ip4s), ...common, ...l4(random, false) });
}

const zeros = (count: number) => new Array<number>(count).fill(0);

function extensions(random: Random) {
  if (random.chance(60)) return [];
  const kinds = [
    { proto: 0, body: zeros(6) },
    { proto: 60, body: zeros(14) },
    { proto: 43, body: [0, random.below(2), ...zeros(4)] },
    {
      proto: 44,
      body: random
        .pick([
          [0, 0],
          [0, 1],
          [0, 9],
        ])
        .concat(zeros(4)),
    },
    { proto: 51, body: zeros(10) },
  ];
  return Array.from({ length: 1 + random.below(4) }, () => random.pick(kinds));
}

function ipv6(random: Random): f.Bytes {
  const common = { trafficClass: random.pick([0, 40, 255]), flowLabel: random.pick([0, 0x12345, 0xfffff]) };
  const addresses = { src: random.pick(ip6s), dst: random.pick(ip6s), hopLimit: random.pick([0, 1, 64]) };
  return f.ipv6({ ...common, ...addresses, extensions: extensions(random), ...l4(random, true) });
}

function payload(random: Random): { type: number; payload: f.Bytes } {
  switch (random.below(8)) {
    case 0:
    case 1:
    case 2:
      return { type: 0x0800, payload: ipv4(random) };
    case 3:
    case 4:
      return { type: 0x86dd, payload: ipv6(random) };
    case 5: {
      const [sha, tha] = [random.pick(macs), random.pick(macs)];
      const arp = f.arp({ op: random.pick([1, 2]), sha, spa: random.pick(ip4s), tha, tpa: random.pick(ip4s) });
      return { type: 0x0806, payload: [...arp, ...zeros(18)] };
    }
    case 6:
      return { type: random.pick([0x88cc, 0x1234, 46]), payload: zeros(46) };
    default: {
      const snap = [0xaa, 0xaa, 3, 0, 0, 0, 8, 0, ...ipv4(random)];
      return { type: snap.length, payload: snap };
    }
  }
}

/** IEEE 802.1ah: addresses and a service of its own before the frame. */
function withServiceTag(random: Random, frame: Uint8Array): Uint8Array {
  const tci = [random.pick([0x00, 0x08, 0x6f, 0xff]), 0, random.pick([0, 1]), random.pick([0, 100, 255])];
  const payload = [...tci, ...frame];
  const tags = random.chance(40) ? [{ tpid: 0x88a8, vid: random.pick([1, 100]), pcp: random.below(8) }] : [];
  return f.ethernet({ dst: random.pick(macs), src: random.pick(macs.slice(0, 3)), tags, type: 0x88e7, payload });
}

export function randomFrame(random: Random): Uint8Array {
  const tags = random.chance(70)
    ? []
    : Array.from({ length: 1 + random.below(2) }, () => {
        return { tpid: random.pick([0x8100, 0x88a8]), vid: random.pick([0, 1, 100, 4095]), pcp: random.below(8) };
      });
  const labels = random.chance(80)
    ? []
    : Array.from({ length: 1 + random.below(2) }, () => {
        return { label: random.pick([0, 16, 1048575]), tc: random.below(8), ttl: random.pick([0, 1, 2, 64]) };
      });
  const plain = f.ethernet({
    dst: random.pick(macs),
    src: random.pick(macs.slice(0, 3)),
    tags,
    labels,
    ...payload(random),
  });
  const tagged = random.chance(10) ? withServiceTag(random, plain) : plain;
  const frame = random.chance(12)
    ? f.ethernet({
        dst: random.pick(macs),
        src: random.pick(macs.slice(0, 3)),
        tags: random.chance(80) ? [] : [{ tpid: 0x8100, vid: 1, pcp: 0 }],
        type: 0x894f,
        payload: serviceHeader(random, tagged),
      })
    : tagged;
  // Now and then a frame that ends too soon, or has something behind.
  if (random.chance(5)) return frame.slice(0, 14 + random.below(frame.length - 13));
  return random.chance(5) ? Uint8Array.from([...frame, ...zeros(random.below(20))]) : frame;
}
