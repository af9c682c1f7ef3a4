/** What the Xen lab reads out of other programs' output, and how it counts. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { root } from '../../lab/process.js';
import { interdomainChannels, mappedGrants } from '../../xen/dom0/leaks.js';
import { mark } from '../../xen/dom0/report-line.js';
import { median, parseIperf } from '../../xen/dom0/traffic.js';
import { productionPackages } from '../../xen/host/payload.js';
import { Outcomes } from '../../xen/host/report.js';
import { longestGap } from '../../xen/scenarios/endurance.js';
import { countedBy } from '../../xen/scenarios/steering.js';

describe('payload', () => {
  it('has what run time needs and nothing that only development needs', () => {
    const packages = productionPackages(root);
    expect(packages).toContain('node_modules/@grpc/grpc-js');
    expect(packages).toContain('node_modules/node-openflow');
    expect(packages).not.toContain('node_modules/vitest');
    expect(packages).not.toContain('node_modules/typescript');
    for (const path of packages) expect(existsSync(join(root, path)), path).toBe(true);
  });
});

describe('outcomes', () => {
  beforeEach(() => {
    vi.spyOn(console, 'log').mockImplementation(() => undefined);
  });
  afterEach(() => vi.restoreAllMocks());

  it('count reported checks, whatever stands before the mark', () => {
    const outcomes = new Outcomes(false);
    const report = (ok: boolean) => JSON.stringify({ kind: 'check', check: 'pings', ok, seconds: 1, detail: '' });
    outcomes.line('wire', `${mark}${report(true)}`);
    outcomes.line('wire', `[ 12.3] some kernel message${mark}${report(false)}`);
    outcomes.line('wire', 'what a program printed');
    outcomes.line('bench', `${mark}${JSON.stringify({ kind: 'table', text: 'a table' })}`);
    expect([outcomes.passed, outcomes.failed]).toEqual([1, 1]);
    expect(outcomes.tables).toEqual([{ scenario: 'bench', text: 'a table' }]);
  });

  it('a report that cannot be read is a failure', () => {
    const outcomes = new Outcomes(false);
    outcomes.line('wire', `${mark}{"kind":"check","ok":tr`);
    expect([outcomes.passed, outcomes.failed]).toEqual([0, 1]);
  });
});

describe('figures', () => {
  it('iperf3: TCP counts at the receiver, UDP without what was lost', () => {
    const tcp = {
      end: { sum_sent: { bits_per_second: 9 }, sum_received: { bits_per_second: 8, bytes: 2, seconds: 1 } },
    };
    expect(parseIperf(`warning\n${JSON.stringify(tcp)}`)).toMatchObject({ bitsPerSecond: 8, bytes: 2, lostPercent: 0 });
    const udp = { end: { sum: { bits_per_second: 5, packets: 10, lost_packets: 4 } } };
    expect(parseIperf(JSON.stringify(udp))).toMatchObject({ packets: 6, lostPercent: 40 });
  });

  it('iperf3: an error is thrown with its words', () => {
    expect(() => parseIperf(JSON.stringify({ error: 'connection refused' }))).toThrow('connection refused');
    expect(() => parseIperf('command not found')).toThrow('command not found');
  });

  it('the longest pause of a ping', () => {
    const line = (time: number, text: string) => `[${time}] ${text}`;
    const answer = '64 bytes from 10.0.0.2: icmp_seq=1 ttl=64 time=1.5 ms';
    const text = [line(100.0, answer), line(100.2, answer), line(101, 'no answer yet'), line(104.7, answer)].join('\n');
    expect(longestGap(text)).toBeCloseTo(4500, 0);
    expect(longestGap('')).toBe(0);
  });

  it('the median', () => {
    expect(median([3, 1, 2])).toBe(2);
    expect(median([4, 1, 2, 3])).toBe(2.5);
    expect(median([])).toBeNaN();
  });

  it('packets of the flows under test only', () => {
    const dump = [
      ' cookie=0x0, duration=3s, table=0, n_packets=7, n_bytes=686, priority=100,icmp,in_port=1 actions=drop',
      ' cookie=0x0, duration=3s, table=0, n_packets=90, n_bytes=9000, priority=0 actions=NORMAL',
    ].join('\n');
    expect(countedBy(dump)).toBe(7);
  });
});

describe("Xen's own account", () => {
  it('grants that Dom0 has mapped', () => {
    const text = [
      '(XEN) grant-table for remote d1 (v1)',
      '(XEN)   2 frames (64 max), 0 maptrack frames (1024 max)',
      '(XEN) [0x008]      0 0x0f1a53 0x00000001          1 0x0f1a53 0x19',
      '(XEN) [0x009]      0 0x0f1a54 0x00000002          1 0x0f1a54 0x19',
      '(XEN) [0x00a]      3 0x0f1a55 0x00000001          1 0x0f1a55 0x19',
      '(XEN) gnttab_usage_print_all ] done',
    ].join('\n');
    expect(mappedGrants(text)).toBe(2);
  });

  it("Dom0's event channels that are bound to other domains", () => {
    const text = [
      '(XEN) Event channel information for domain 0:',
      '(XEN)     port [p/m/s]',
      '(XEN)        1 [0/0/  -   ]: s=5 n=0 x=0 v=0',
      '(XEN)       40 [0/1/  -   ]: s=3 n=0 x=0 d=1 p=3',
      '(XEN)       41 [0/0/  -   ]: s=3 n=0 x=0 d=2 p=9',
      '(XEN) Event channel information for domain 1:',
      '(XEN)        3 [0/0/  -   ]: s=3 n=0 x=0 d=0 p=40',
    ].join('\n');
    expect(interdomainChannels(text)).toBe(2);
  });
});
