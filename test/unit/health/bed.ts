/**
 * Health of a chain's instances over an Ofproto on the reference datapath, with time by hand: instances are what stands
 * behind ports 2 and 3, the client behind port 1.
 */
import { expect } from 'vitest';
import { decodeProbe, encodeProbe, type Probe, SYN } from '../../../src/health/frames.js';
import { DocumentsBed } from '../documents/bed.js';

export const MAC = '02:00:00:00:00:07';

export interface Options {
  readonly health: string;
  readonly instances: readonly string[];
  readonly hop?: string;
  readonly more?: string;
}

export const chain = ({ health, instances, hop = 'behaviour: failover', more = '' }: Options): string =>
  `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: c}
spec:
  classifiers: [{name: web, from: 1, match: {tcp_dst: 80}}]
  exit: {port: 1}
${more}  hops:
  - name: fw
    ${hop}
    health: ${health}
    instances:
${instances.map((instance) => `    - ${instance}\n`).join('')}`;

/** Answers are sent to an address that instances can reach. */
export const SOURCE = 'source: {address: 10.0.0.200}';
export const ARP = `{type: arp, interval: 2, timeout: 1, ${SOURCE}}`;

/** Instances at an address have one leg each. */
export const atAddress = (health: string, rest: Partial<Options> = {}) =>
  chain({
    health,
    instances: ['{name: a, ingress: 2, address: 10.0.0.7}', '{name: b, ingress: 3, address: 10.0.0.8}'],
    ...rest,
  });

export class HealthBed {
  /** What came out of ports since the last look. */
  get outputs() {
    return this.documents.switch.outputs;
  }
  private constructor(readonly documents: DocumentsBed) {}

  static async open(text: string): Promise<HealthBed> {
    const documents = await DocumentsBed.open();
    for (const number of [1, 2, 3]) documents.plug(`p${number}`, number);
    const bed = new HealthBed(documents);
    await documents.settled();
    const { diagnostics } = await documents.apply(text);
    expect(diagnostics.errors, JSON.stringify(diagnostics.sorted().map(({ message }) => message))).toBe(0);
    // No controller is there.
    documents.switch.ofproto.controllersChanged(false);
    return bed;
  }

  /** Probes that came out of a port since the last look. */
  probes(port: number): Probe[] {
    const here = this.outputs.filter((output) => output.port === port);
    this.outputs.splice(0, this.outputs.length, ...this.outputs.filter((output) => output.port !== port));
    return here.map(({ frame }) => decodeProbe(frame)!);
  }
  async sends(port: number, probe: Probe): Promise<void> {
    await this.brings(port, encodeProbe(probe));
  }
  async brings(port: number, frame: Uint8Array): Promise<void> {
    this.documents.switch.inject(port, frame);
    await Promise.resolve();
  }
  async passes(ms: number): Promise<void> {
    this.documents.clock.advance(ms);
    // Counters are read over several turns.
    for (let i = 0; i < 50; i++) await Promise.resolve();
  }
  async states(): Promise<string[]> {
    const lines = await this.documents.health.lines();
    return lines.map(
      ({ instance, state = '-', reason }) => `${instance} ${state}${reason === '' ? '' : `: ${reason}`}`,
    );
  }
  /** Ports that a packet of the client goes to. */
  web(sourcePort = 1000): number[] {
    this.outputs.length = 0;
    const packet = {
      sourceMac: '02:00:00:00:00:01',
      targetMac: '02:00:00:00:00:09',
      source: '10.0.0.1',
      target: '10.0.0.9',
    };
    const tcp = { kind: 'tcp', sourcePort, targetPort: 80, sequence: 1, acknowledgement: 0, flags: SYN } as const;
    this.documents.switch.inject(1, encodeProbe({ ...packet, ...tcp }));
    return this.documents.switch.ports();
  }
}

export const turned = ({ source, target, sourceMac }: Probe, mac = MAC) => ({
  source: target,
  target: source,
  sourceMac: mac,
  targetMac: sourceMac,
});
export const isAt = (asked: Probe): Probe => ({
  ...turned(asked),
  kind: 'arp',
  operation: 2,
  frameTo: asked.sourceMac,
});
