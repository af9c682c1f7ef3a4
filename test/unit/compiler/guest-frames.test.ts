/** Frames that no test in a document can say, through chains and routers on the reference datapath. */
import { describe, expect, it } from 'vitest';
import { PortList } from '../../../src/compiler/index.js';
import { load } from '../../../src/simulator/run-tests.js';
import { Simulator } from '../../../src/simulator/simulator.js';
import { compiled, said } from './cases.js';

const [CLIENT, FIREWALL, BACK, SERVER] = [1, 2, 3, 4];
const ports = new PortList(
  [CLIENT, FIREWALL, BACK, SERVER].map((number) => ({ number, mac: `02:00:00:00:00:0${number}` })),
);

/** The ports that a frame leaves by. */
function switchOf(document: string): (port: number, frame: string) => number[] {
  const { program, diagnostics } = compiled(document, ports);
  expect(diagnostics.errors, said(diagnostics)).toBe(0);
  const simulator = new Simulator();
  load(simulator, program, diagnostics);
  expect(diagnostics.warnings, said(diagnostics)).toBe(0);
  return (port, frame) =>
    simulator.send(port, Buffer.from(frame.replaceAll(' ', '').padEnd(120, '0'), 'hex')).outputs.map((one) => one.port);
}

const hex = (value: number, bytes: number): string => value.toString(16).padStart(2 * bytes, '0');
const macs = '020000000004 020000000001';
const broadcast = 'ffffffffffff 020000000001';
const tag = (vlan: number): string => `8100${hex(vlan, 2)}`;
const udp = (port: number): string => `1388${hex(port, 2)} 000c0000 00000000`;
const ipv4 = (payload: string, place = 0, protocol = 17): string => {
  const length = 20 + payload.replaceAll(' ', '').length / 2;
  return `0800 4500${hex(length, 2)} 0001${hex(place, 2)} 40${hex(protocol, 1)}0000 0a000001 0a000004 ${payload}`;
};
const ipv6 = (next: number, payload: string): string => {
  const length = payload.replaceAll(' ', '').length / 2;
  const address = (host: number) => `fd00${'0'.repeat(26)}${hex(host, 1)}`;
  return `86dd 60000000 ${hex(length, 2)}${hex(next, 1)}40 ${address(1)} ${address(4)} ${payload}`;
};
const MORE = 0x2000;
const [FRAGMENT, DESTINATION_OPTIONS] = [44, 60];

describe('a chain for UDP to port 443', () => {
  const chain = `
apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: c}
spec:
  classifiers: [{name: quic, from: ${CLIENT}, match: {udp_dst: 443}}]
  hops: [{name: fw, instances: [{ingress: ${FIREWALL}, egress: ${BACK}}]}]
  exit: {port: ${SERVER}}
  next: drop
`;
  it.each([
    ['plain', `${macs} ${ipv4(udp(443))}`],
    ['a tag', `${macs} ${tag(0)} ${ipv4(udp(443))}`],
    ['two tags', `${macs} ${tag(0)} ${tag(0)} ${ipv4(udp(443))}`],
    ['a first fragment without ports', `${macs} ${ipv4('1388', MORE)}`],
    ['a first fragment with ports of others', `${macs} ${ipv4(udp(53), MORE)}`],
    ['a later fragment', `${macs} ${ipv4('0000000000000000', 1)}`],
    ['a later fragment behind a tag', `${macs} ${tag(5)} ${ipv4('0000000000000000', MORE | 9)}`],
    ['a later fragment of IPv6', `${macs} ${ipv6(FRAGMENT, '11000008 00000001 00000000 00000000')}`],
    ['headers of IPv6 that end before the ports', `${macs} ${ipv6(FRAGMENT, '3c000001 00000001 1101010a 00000000')}`],
    [
      'options of IPv6 that are not whole',
      `${macs} ${ipv6(DESTINATION_OPTIONS, '2c00010400000000 3c000001 00000001 11')}`,
    ],
  ])('leads %s to the firewall', (_, frame) => {
    expect(switchOf(chain)(CLIENT, frame)).toEqual([FIREWALL]);
  });

  it.each([
    ['UDP to another port', `${macs} ${ipv4(udp(53))}`],
    ['a fragment of TCP', `${macs} ${ipv4('0000000000000000', 1, 6)}`],
    ['a broadcast', `${broadcast} ${ipv4(udp(443))}`],
    ['a fragment in a broadcast', `${broadcast} ${ipv4('0000000000000000', 1)}`],
  ])('does not lead %s there', (_, frame) => {
    expect(switchOf(chain)(CLIENT, frame)).toEqual([]);
  });
});

describe('a router', () => {
  const router = `
apiVersion: xvif.dev/v1alpha1
kind: Router
metadata: {name: r}
spec:
  mac: 02:00:00:00:ff:01
  subnets:
  - {name: a, gateway: 10.0.0.254/24, ports: [${CLIENT}, {port: ${FIREWALL}, vlan: 100}]}
  lint: {allow: [icmp-errors]}
`;
  const arp = `0806 0001080006040001 020000000001 0a000001 000000000000 0a0000fe`;
  it.each([
    ['without a tag', CLIENT, '', [CLIENT]],
    ['with a priority tag', CLIENT, tag(0xe000), [CLIENT]],
    ['with two priority tags', CLIENT, `${tag(0)} ${tag(0)}`, [CLIENT]],
    ['with a VLAN behind a priority', CLIENT, `${tag(0)} ${tag(100)}`, []],
    ['in a VLAN where there is none', CLIENT, tag(100), []],
    ['in its VLAN', FIREWALL, tag(100), [FIREWALL]],
    ['in its VLAN, with another one behind', FIREWALL, `${tag(100)} ${tag(200)}`, []],
    ['in its VLAN, with a priority behind', FIREWALL, `${tag(100)} ${tag(0)}`, [FIREWALL]],
    ['without the VLAN of the port', FIREWALL, '', []],
  ])('answers ARP %s or not', (_, port, tags, outputs) => {
    expect(switchOf(router)(port, `${broadcast} ${tags} ${arp}`)).toEqual(outputs);
  });
});
