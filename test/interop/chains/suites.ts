/** The switches that chains are tried on. Needs root. */
import { type ChainPeer, OpenVswitchPeer, XvifdPeer } from './peers.js';

export const chainPeers: [name: string, start: (devices: ReadonlyMap<string, string>) => Promise<ChainPeer>][] = [
  ['Open vSwitch', (devices) => OpenVswitchPeer.start(devices)],
  ['xvifd', (devices) => XvifdPeer.start(devices)],
];

/** A document with these lines of its spec. */
export const chainOf = (name: string, spec: string): string => `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: ${name}}
spec:
  classifiers: [{name: udp, match: {udp_dst: 443}}, {name: tcp, match: {tcp_dst: 443}}]
${spec}`;
