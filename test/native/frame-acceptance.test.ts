/**
 * Which frames of a guest are taken: port security, VLANs and reserved addresses, end to end over real rings. A third
 * guest sends what it should not, while the first two talk and must not notice.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PortNo, PortSettings } from '../../src/datapath/datapath.js';
import { decodeDropAnswers, encodeQuery } from '../../src/datapath/records.js';
import { Drop, Query } from '../../src/datapath/schema.gen.js';
import type { EmulatedGuest } from '../../src/guest/index.js';
import * as f from '../differential/frames.js';
import { tcpFrame } from '../lab/frames.js';
import { eventually } from '../lab/process.js';
import { address, XenHost } from '../lab/xen-host.js';

const ATTACKER = 3;
const BROADCAST = 'ff:ff:ff:ff:ff:ff';
const ping = { count: 50, intervalMs: 1, timeoutMs: 5000, size: 56 };

let xen: XenHost;
let guests: EmulatedGuest[];

beforeEach(async () => {
  xen = await XenHost.start(2);
  guests = [];
  // Guest n is port n: 10.0.0.n.
  for (const n of [1, 2, ATTACKER]) guests[n] = await xen.guest(n);
});
afterEach(() => xen.stop());

const native = (n: number) => guests[n]!.vifs[0]!.native!;
/** The toolstack's choice: from domain and handle. */
const macOf = (n: number) => {
  const { domid } = guests[n]!;
  return `00:16:3e:${[domid >> 8, domid & 255, 0].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
};
const configure = (n: number, settings: PortSettings) => xen.datapath.portConfigure(n as PortNo, settings);
const locked = (n: number): PortSettings => ({
  sources: { mac: macOf(n), ipv4: [address(n)], ipv6: [`fd00::${n}`] },
});

function dropped(port: number, reason: number): number {
  const { data } = xen.datapath.read(encodeQuery({ query: Query.drops }));
  const answer = decodeDropAnswers(data, Object.values(Drop).length).find((one) => one.port === port);
  return Number(answer!.rx[reason]);
}

async function reaches(from: number, to: number, options = ping): Promise<boolean> {
  const { sent, received } = await native(from).ping(address(to), options);
  return received === sent;
}

/** Does `attack` again and again while guests 1 and 2 ping each other; none of that may be lost. */
async function meanwhile(attack: () => void): Promise<void> {
  let over = false;
  const talking = (async () => {
    for (let i = 0; i < 4; i++) expect(await reaches(1 + (i % 2), 2 - (i % 2))).toBe(true);
  })().finally(() => {
    over = true;
  });
  while (!over) {
    attack();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await talking;
}

/** Sends from the attacker, until the ring has room. */
async function send(frame: Uint8Array): Promise<void> {
  await eventually('the ring has room', async () => native(ATTACKER).sendFrame(frame), 15_000);
}

/** Whether guest n got the frame, as it was sent. Frames before it came through already. */
async function got(n: number, frame: Uint8Array): Promise<boolean> {
  const wanted = Buffer.from(frame);
  return native(n)
    .takeFrames()
    .some((taken) => wanted.equals(taken.frame));
}

const arp = (sha: string, spa: string, src = sha) =>
  f.ethernet({
    dst: BROADCAST,
    src,
    type: 0x0806,
    payload: [...f.arp({ op: 2, sha, spa, tha: BROADCAST, tpa: spa }), ...new Array<number>(18).fill(0)],
  });
const ipv4From = (src: string, ip: string) => f.tcpFrame({ src, dst: macOf(2) }, { src: ip, dst: address(2) });
const advertisement = (src: string, target: string, link: string) =>
  f.ethernet({
    src,
    dst: macOf(2),
    type: 0x86dd,
    payload: f.ipv6({ src: 'fd00:0:0:0:0:0:0:3', proto: 58, hopLimit: 255, l4: f.neighbour(136, target, link) }),
  });

describe('§4.2 item 29: source addresses', () => {
  it('§4.2 item 29: a locked guest that claims to be another is not heard, and the other is', async () => {
    configure(ATTACKER, locked(ATTACKER));
    expect(await reaches(ATTACKER, 2), 'what is allowed passes').toBe(true);
    native(2).takeFrames();
    const own = macOf(ATTACKER);
    const claims = [
      arp(macOf(1), address(1)),
      arp(own, address(1)),
      arp(macOf(1), address(ATTACKER), own),
      ipv4From(macOf(1), address(1)),
      ipv4From(own, address(1)),
      advertisement(own, 'fd00:0:0:0:0:0:0:1', own),
      advertisement(own, 'fd00:0:0:0:0:0:0:3', macOf(1)),
    ];
    const before = dropped(ATTACKER, Drop.spoofed);
    let sent = 0;
    await meanwhile(() => {
      for (const claim of claims) if (native(ATTACKER).sendFrame(claim)) sent++;
    });
    expect(sent).toBeGreaterThan(claims.length);
    await eventually('all were refused', async () => dropped(ATTACKER, Drop.spoofed) === before + sent, 15_000);
    const arrived = native(2).takeFrames();
    for (const claim of claims) expect(arrived.some(({ frame }) => Buffer.from(claim).equals(frame))).toBe(false);
    expect(await reaches(ATTACKER, 2), 'what is allowed passes still').toBe(true);
  });

  it('§4.2 item 29: settings are in force while traffic flows, both ways', async () => {
    const claim = ipv4From(macOf(ATTACKER), '10.0.0.77');
    native(2).takeFrames();
    await send(claim);
    await eventually('an unlocked guest is heard', () => got(2, claim));
    configure(ATTACKER, locked(ATTACKER));
    await send(claim);
    await eventually('it is refused', async () => dropped(ATTACKER, Drop.spoofed) === 1);
    configure(ATTACKER, { disabled: true });
    expect((await native(2).ping(address(ATTACKER), { ...ping, count: 3, timeoutMs: 300 })).received).toBe(0);
    configure(ATTACKER, {});
    expect(await reaches(2, ATTACKER)).toBe(true);
  });

  it('§4.2 item 29: a large frame with blank checksum of a locked guest arrives whole', async () => {
    configure(1, { sources: { mac: macOf(1), ipv4: ['10.0.0.1'], ipv6: [] }, vlan: { tag: 10, trunks: [] } });
    configure(2, { vlan: { tag: 10, trunks: [] } });
    const payload = Buffer.from(Array.from({ length: 60_000 }, (_, i) => (i * 7) & 0xff));
    const frame = tcpFrame({ family: 4, destinationMac: macOf(2), sourceMac: macOf(1), payload, blank: true });
    for (const n of [2, ATTACKER]) native(n).takeFrames();
    expect(native(1).sendFrame(frame, { csumBlank: true, gsoSize: 1448, gsoType: 1 })).toBe(true);
    const frames: ReturnType<ReturnType<typeof native>['takeFrames']> = [];
    const large = () => frames.filter((one) => one.frame.length > 10_000);
    await eventually('it arrives', async () => {
      frames.push(...native(2).takeFrames());
      return large().length === 1;
    });
    expect(Buffer.from(large()[0]!.frame).equals(frame)).toBe(true);
    // The attacker's port is a trunk of all VLANs: it would get the frame, were guest 2 unknown, with a tag.
    const flooded = tcpFrame({
      family: 4,
      destinationMac: '02:00:00:00:00:77',
      sourceMac: macOf(1),
      payload,
      blank: true,
    });
    expect(native(1).sendFrame(flooded, { csumBlank: true, gsoSize: 1448, gsoType: 1 })).toBe(true);
    const tag = Buffer.from([0x81, 0, 0, 10]);
    const tagged = Buffer.concat([flooded.subarray(0, 12), tag, flooded.subarray(12)]);
    await eventually('it is flooded to the trunk with its tag', () => got(ATTACKER, tagged));
    await eventually('and to the access port without', () => got(2, flooded));
  });
});

describe('§4.2 item 29: 802.1Q depth', () => {
  const deep = (n: number, tags: readonly number[]) =>
    f.tcpFrame({ src: macOf(ATTACKER), dst: macOf(n), tags: tags.map((vid) => ({ vid })) });

  it('§4.2 item 29: tags do not lead out of the VLAN of an access port', async () => {
    for (const n of [1, 2]) configure(n, { vlan: { tag: 10, trunks: [] } });
    configure(ATTACKER, { vlan: { tag: 20, trunks: [] } });
    const frames = [deep(2, [10]), deep(2, [20]), deep(2, [20, 10]), deep(2, [0, 10]), deep(2, [])];
    for (const n of [1, 2]) native(n).takeFrames();
    let sent = 0;
    await meanwhile(() => {
      for (const frame of frames) if (native(ATTACKER).sendFrame(frame)) sent++;
    });
    expect(sent).toBeGreaterThan(frames.length);
    await eventually(
      'tagged ones were refused',
      async () => dropped(ATTACKER, Drop.vlan) >= (sent * 3) / 5 - 3,
      15_000,
    );
    for (const n of [1, 2]) {
      const from = native(n)
        .takeFrames()
        .filter(({ frame }) =>
          Buffer.from(frame)
            .subarray(6, 12)
            .equals(Buffer.from(f.mac(macOf(ATTACKER)))),
        );
      expect(from).toEqual([]);
    }
    expect((await native(ATTACKER).ping(address(2), { ...ping, count: 3, timeoutMs: 300 })).received).toBe(0);
  });

  it('§4.2 item 29: a second tag does not reach an access port from a trunk', async () => {
    expect(await reaches(ATTACKER, 2), 'what its own stack had to say is said').toBe(true);
    for (const n of [1, 2]) configure(n, { vlan: { tag: 10, trunks: [] } });
    configure(ATTACKER, { vlan: { tag: undefined, trunks: [10] } });
    native(2).takeFrames();
    await send(deep(2, [10, 30]));
    await send(deep(2, [30]));
    await send(deep(2, [10]));
    const from: Buffer[] = [];
    await eventually('what is of the VLAN arrives', async () => {
      from.push(
        ...native(2)
          .takeFrames()
          .map(({ frame }) => Buffer.from(frame)),
      );
      return from.length > 0;
    });
    // A frame does not get shorter than Ethernet's 60 bytes by losing a tag.
    const bare = Buffer.from(deep(2, []));
    expect(from).toEqual([Buffer.concat([bare, Buffer.alloc(60 - bare.length)])]);
    // Guest 2 is not known in the VLAN: what no port carries goes nowhere.
    expect([dropped(ATTACKER, Drop.vlan), dropped(ATTACKER, Drop.noOutput)]).toEqual([1, 1]);
  });

  it('§4.2 item 29: tags as deep as the frame harm nobody', async () => {
    const depths = [1, 2, 3, 16, 58, 59, 60, 61, 62, 300].map((count) => new Array<number>(count).fill(5));
    await meanwhile(() => {
      for (const tags of depths) native(ATTACKER).sendFrame(deep(2, tags));
    });
    configure(ATTACKER, locked(ATTACKER));
    await eventually('the ring is empty', () => reaches(ATTACKER, 2));
    for (const tags of depths) await send(deep(2, tags));
    await eventually('all were refused', async () => dropped(ATTACKER, Drop.spoofed) === depths.length);
  });
});

describe('§4.2 item 29: frames for bridges', () => {
  /** Spanning tree (802.3 with LLC), LACP, 802.1X, LLDP. */
  const frames = () => [
    f.ethernet({
      src: macOf(ATTACKER),
      dst: '01:80:c2:00:00:00',
      type: 38,
      payload: [0x42, 0x42, 3, ...new Array<number>(43).fill(0)],
    }),
    ...(
      [
        ['01:80:c2:00:00:02', 0x8809],
        ['01:80:c2:00:00:03', 0x888e],
        ['01:80:c2:00:00:0e', 0x88cc],
        ['01:80:c2:00:00:0f', 0x0800],
      ] as const
    ).map(([dst, type]) => f.ethernet({ src: macOf(ATTACKER), dst, type, payload: new Array<number>(46).fill(0) })),
  ];

  it.each([
    ['are not forwarded by NORMAL', {}, Drop.reservedMac],
    ['of a locked guest end at its port', 'locked', Drop.spoofed],
  ] as const)('§4.2 item 29: LLDP, LACP and BPDUs %s', async (_, settings, reason) => {
    configure(ATTACKER, settings === 'locked' ? locked(ATTACKER) : settings);
    for (const n of [1, 2]) native(n).takeFrames();
    let sent = 0;
    await meanwhile(() => {
      for (const frame of frames()) if (native(ATTACKER).sendFrame(frame)) sent++;
    });
    expect(sent).toBeGreaterThan(frames().length);
    await eventually('all were dropped', async () => dropped(ATTACKER, reason) === sent, 15_000);
    for (const n of [1, 2]) {
      const reserved = native(n)
        .takeFrames()
        .filter(({ frame }) => Buffer.from(frame).readUIntBE(0, 5) === 0x0180c20000);
      expect(reserved).toEqual([]);
    }
  });
});
