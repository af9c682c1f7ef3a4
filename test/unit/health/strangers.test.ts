/** Whose packets are taken for answers: chains that share an instance, and senders that make up what a prober would send. */
import { describe, expect, it } from 'vitest';
import { encodeProbe, type Probe } from '../../../src/health/frames.js';
import { chain, HealthBed, isAt, SOURCE, turned } from './bed.js';

const through = chain({
  health: '{type: icmp, interval: 1, timeout: 0.5}',
  instances: ['{name: a, ingress: 2, egress: 3}'],
});

describe('probes that others make up', () => {
  it('are dropped where they come in, and are no answers', async () => {
    const bed = await HealthBed.open(through);
    await bed.passes(10);
    const [probe] = bed.probes(2);
    await bed.sends(1, probe!);
    await bed.sends(1, { ...probe!, ...turned(probe!, probe!.targetMac) } as Probe);
    for (const forged of [{ sourceMac: '02:00:00:00:00:01' }, { targetMac: '02:00:00:00:00:01' }]) {
      await bed.sends(1, { ...probe!, ...forged } as Probe);
    }
    expect(bed.outputs).toEqual([]);
    expect(await bed.states()).toEqual(['a unknown']);
    await bed.sends(3, probe!);
    expect(await bed.states()).toEqual(['a up']);
  });

  it('do not make what an instance sends in their name come up', async () => {
    const bed = await HealthBed.open(through);
    await bed.passes(10);
    const [probe] = bed.probes(2);
    const others: Partial<Probe>[] = [{ source: '169.254.88.3' }, { target: '169.254.88.3' }];
    for (const other of others) await bed.sends(3, { ...probe!, ...other } as Probe);
    await bed.sends(3, { ...probe!, type: 0 } as Probe);
    // They are traffic of the chain, and leave it.
    expect(bed.documents.switch.ports()).toEqual([1, 1, 1]);
    expect(await bed.states()).toEqual(['a unknown']);
  });

  it('are dropped with the tag of a VLAN where an instance is asked at its address', async () => {
    const bed = await HealthBed.open(
      chain({
        health: `{type: icmp, interval: 2, timeout: 1, ${SOURCE}}`,
        instances: ['{ingress: 2, address: 10.0.0.7}'],
      }),
    );
    await bed.passes(10);
    const [asked] = bed.probes(2);
    const answer = Buffer.from(encodeProbe(isAt(asked!)));
    const tagged = Buffer.concat([answer.subarray(0, 12), Buffer.from('81000005', 'hex'), answer.subarray(12)]);
    await bed.brings(2, tagged);
    expect(bed.probes(2)).toEqual([]);
    await bed.brings(2, answer);
    expect(bed.probes(2)).toMatchObject([{ kind: 'echo' }]);
  });

  it('are not for those who ask where a prober is from elsewhere', async () => {
    const bed = await HealthBed.open(
      chain({
        health: `{type: icmp, interval: 2, timeout: 1, ${SOURCE}}`,
        instances: ['{ingress: 2, address: 10.0.0.7}'],
      }),
    );
    await bed.passes(10);
    const [asked] = bed.probes(2);
    bed.outputs.length = 0;
    const whoHas = { ...turned(asked!), kind: 'arp', operation: 1, frameTo: 'ff:ff:ff:ff:ff:ff' } as const;
    await bed.sends(1, whoHas);
    await bed.sends(3, whoHas);
    expect(bed.outputs).toEqual([]);
    await bed.sends(2, whoHas);
    expect(bed.probes(2)).toMatchObject([{ kind: 'arp', operation: 2 }]);
  });
});

describe('chains that share an instance', () => {
  const taps = (second: string) =>
    [
      { name: 'c', table: 0, next: '{goto: 40}', source: SOURCE },
      { name: 'd', table: 40, next: 'normal', source: second },
    ]
      .map(
        ({ name, table, next, source }) => `apiVersion: xvif.dev/v1alpha1
kind: ServiceChain
metadata: {name: ${name}}
spec:
  table: ${table}
  classifiers: [{name: web, from: 1, match: {tcp_dst: ${80 + table}}}]
  next: ${next}
  exit: {port: 3}
  hops:
  - name: ids
    mode: tap
    health: {type: icmp, interval: 2, timeout: 1, ${source}}
    instances: [{name: i, ingress: 2, address: 10.0.0.7}]
`,
      )
      .join('---\n');

  it.each([
    ['the same', SOURCE],
    ['another', 'source: {address: 10.0.0.201, mac: "02:58:56:00:00:0a"}'],
  ])('hear its answers each, with %s address of their own', async (_, second) => {
    const bed = await HealthBed.open(taps(second));
    for (let round = 0; round < 2; round++) {
      await bed.passes(100);
      for (const asked of bed.probes(2)) {
        const answer = { ...asked, ...turned(asked), type: 0 } as Probe;
        await bed.sends(2, asked.kind === 'arp' ? isAt(asked) : answer);
      }
    }
    for (const echo of bed.probes(2)) await bed.sends(2, { ...echo, ...turned(echo), type: 0 } as Probe);
    await bed.passes(1500);
    expect(await bed.states()).toEqual(['i up', 'i up']);
  });
});
