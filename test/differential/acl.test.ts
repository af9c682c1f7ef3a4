/** Frames that hide from an Acl what they are, sent through the model and the native datapath. */
import { type Message, type Outgoing, of13 } from 'node-openflow';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { PortList } from '../../src/compiler/index.js';
import type { Datapath, PortNo } from '../../src/datapath/datapath.js';
import { ModelDatapath } from '../../src/datapath/model.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import { Ofproto } from '../../src/ofproto/index.js';
import { compiled, said } from '../unit/compiler/cases.js';
import { FakeController, output, packetOut } from '../unit/ofproto/bed.js';

const [WORLD, GUEST] = [1, 2];
const NUMBERS = [WORLD, GUEST];
const ports = new PortList(NUMBERS.map((number) => ({ number, mac: `02:00:00:00:00:0${number}` })));

const acl = (settings: string) => `
apiVersion: xvif.dev/v1alpha1
kind: Acl
metadata: {name: a}
spec:
  members: [{port: ${GUEST}, addresses: [10.0.0.2, "fd00::2"]}]
  ${settings}
`;
const denying = acl(`default: {ingress: allow, egress: allow}
  rules:
  - {direction: ingress, action: deny, protocol: tcp, ports: [22]}
  - {direction: ingress, action: deny, protocol: udp, ports: [22]}`);
const allowing = acl('rules: [{direction: ingress, protocol: tcp, ports: [0-1023]}]');
const nameless = denying.replace('{port: 2, addresses: [10.0.0.2, "fd00::2"]}', '2');

let runtime: NativeRuntime | undefined;
afterAll(() => runtime?.close());
const datapaths: readonly [string, () => Datapath][] = [
  ['model', () => new ModelDatapath()],
  [
    'native',
    () => {
      runtime ??= loadAddon().openRuntime({ workers: 1, hypervisor: 'emulated' });
      return new NativeDatapathAdapter(runtime);
    },
  ],
];

/** A switch with the flows of a document. */
class Bed {
  readonly #datapath: Datapath;
  readonly #ofproto: Ofproto;
  readonly #controller = new FakeController();
  readonly #outputs: { readonly port: number; readonly frame: string }[] = [];

  constructor(document: string, open: () => Datapath) {
    const { program, diagnostics } = compiled(document, ports);
    expect(diagnostics.errors, said(diagnostics)).toBe(0);
    this.#datapath = open();
    this.#ofproto = new Ofproto({
      datapath: this.#datapath,
      datapathId: 1n,
      description: { manufacturer: 'm', hardware: 'h', software: 's', serial: 'n', datapath: 'br0' },
      onPortOutput: (port, frame) => this.#outputs.push({ port, frame: Buffer.from(frame).toString('hex') }),
    });
    for (const number of NUMBERS) {
      this.#datapath.portAttach(number as PortNo, { kind: 'capture' });
      this.#ofproto.portAdded({ number, name: `p${number}`, mac: `02:00:00:00:00:0${number}` });
    }
    for (const { mod } of program.flows) this.#say(mod);
    expect(this.#controller.received).toEqual([]);
  }

  #say(message: Outgoing): void {
    void this.#ofproto.handle(this.#controller, { ...message, version: 4, xid: 1 } as Message);
    this.#ofproto.barrier();
  }

  /** Whether a frame from the world reaches the guest. One that certainly does comes after it. */
  async reaches(hex: string): Promise<boolean> {
    const frames = [hex, `ffffffffffff0200000000010806${'0'.repeat(92)}`].map((text) => padded(text));
    for (const frame of frames) {
      const data = Buffer.from(frame, 'hex');
      this.#say(packetOut({ inPort: WORLD, actions: [output(of13.OFPP.TABLE)], data }));
    }
    await vi.waitFor(() => expect(this.#outputs.some(({ frame }) => frame === frames[1])).toBe(true));
    return this.#outputs.some(({ port, frame }) => port === GUEST && frame === frames[0]);
  }

  close(): void {
    this.#ofproto.close();
    this.#datapath.close();
  }
}

const padded = (text: string): string => text.replaceAll(' ', '').padEnd(120, '0');
const hex = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, '0');
const to = (mac: string): string => `${mac} 020000000001`;
const [own, broadcast, multicast] = ['020000000002', 'ffffffffffff', '333300000001'].map(to) as [
  string,
  string,
  string,
];
const tcp = (port: number): string => `1388${hex(port, 2)} 00000001 00000000 50020000 00000000`;
const udp = (port: number): string => `1388${hex(port, 2)} 00080000`;
const size = (payload: string): number => payload.replaceAll(' ', '').length / 2;
const [TCP, UDP, FRAGMENT, OPTIONS] = [6, 17, 44, 60];
const MORE = 0x2000;
const ipv4 = (protocol: number, payload: string, { place = 0, host = '0a000002' } = {}): string =>
  `0800 4500${hex(20 + size(payload), 2)} 0001${hex(place, 2)} 40${hex(protocol, 1)}0000 0a000001 ${host} ${payload}`;
const ipv6 = (next: number, payload: string, host = `fd00${'0'.repeat(27)}2`): string =>
  `86dd 60000000 ${hex(size(payload), 2)}${hex(next, 1)}40 fd00${'0'.repeat(27)}1 ${host} ${payload}`;
/** Fragment header of a first fragment (RFC 8200 §4.5). */
const first = (next: number): string => `${hex(next, 1)}00 0001 00000001`;

const cases: readonly (readonly [what: string, document: string, frame: string, reaches: boolean])[] = [
  ['a port that is denied', denying, `${own} ${ipv4(TCP, tcp(22))}`, false],
  ['another', denying, `${own} ${ipv4(TCP, tcp(80))}`, true],
  ['a first fragment with the port', denying, `${own} ${ipv4(TCP, tcp(22), { place: MORE })}`, false],
  ['a first fragment with another', denying, `${own} ${ipv4(TCP, tcp(80), { place: MORE })}`, true],
  ['a first fragment of 8 bytes', denying, `${own} ${ipv4(TCP, '1388001600000001', { place: MORE })}`, false],
  ['a first fragment of nothing', denying, `${own} ${ipv4(UDP, '', { place: MORE })}`, false],
  ['a first fragment of a protocol that no rule is about', denying, `${own} ${ipv4(132, '', { place: MORE })}`, true],
  ['a later fragment', denying, `${own} ${ipv4(TCP, '0000000000000000', { place: 1 })}`, true],
  ['IPv6 to the port', denying, `${own} ${ipv6(UDP, udp(22))}`, false],
  ['a first fragment of IPv6 with another', denying, `${own} ${ipv6(FRAGMENT, `${first(UDP)} ${udp(53)}`)}`, true],
  [
    'a first fragment of IPv6 without ports',
    denying,
    `${own} ${ipv6(FRAGMENT, `${first(TCP)} 0000000000000000`)}`,
    false,
  ],
  [
    'one whose options go on in the next',
    denying,
    `${own} ${ipv6(FRAGMENT, `${first(OPTIONS)} 110501040000 0000`)}`,
    false,
  ],
  ['a port of a range that is allowed', allowing, `${own} ${ipv4(TCP, tcp(80))}`, true],
  ['one beyond it', allowing, `${own} ${ipv4(TCP, tcp(8080))}`, false],
  ['a first fragment that could be of any port', allowing, `${own} ${ipv4(TCP, '', { place: MORE })}`, false],
  ['its address behind a broadcast', denying, `${broadcast} ${ipv4(UDP, udp(22))}`, false],
  ['a fragment behind a broadcast', denying, `${broadcast} ${ipv4(UDP, udp(22), { place: 1 })}`, false],
  ['its address behind a multicast', denying, `${multicast} ${ipv6(UDP, udp(22))}`, false],
  ['a link-local one', denying, `${multicast} ${ipv6(UDP, udp(22), `fe80${'0'.repeat(27)}2`)}`, false],
  ['a broadcast', denying, `${broadcast} ${ipv4(UDP, udp(22), { host: 'ffffffff' })}`, true],
  ['a broadcast of the subnet', denying, `${broadcast} ${ipv4(UDP, udp(22), { host: '0a0000ff' })}`, true],
  ['a multicast', denying, `${multicast} ${ipv6(UDP, udp(22), `ff02${'0'.repeat(27)}1`)}`, true],
  ['any address behind a broadcast', nameless, `${broadcast} ${ipv4(UDP, udp(22), { host: '0a0000ff' })}`, false],
  ['a broadcast', nameless, `${broadcast} ${ipv4(UDP, udp(22), { host: 'ffffffff' })}`, true],
  ['a multicast of IPv4', nameless, `${multicast} ${ipv4(UDP, udp(22), { host: 'e0000001' })}`, true],
  ['a multicast of IPv6', nameless, `${multicast} ${ipv6(UDP, udp(22), `ff02${'0'.repeat(27)}1`)}`, true],
];

describe.each(datapaths)('an Acl on the %s datapath', (_, open) => {
  it.each(cases)('%s: %#', async (_what, document, frame, reaches) => {
    const bed = new Bed(document, open);
    try {
      expect(await bed.reaches(frame)).toBe(reaches);
    } finally {
      bed.close();
    }
  });
});
