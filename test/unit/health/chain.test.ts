/** What answers of a chain's instances, and their want, do to their state and to traffic. */
import { describe, expect, it, vi } from 'vitest';
import { ACK, type Probe, RST, SYN } from '../../../src/health/frames.js';
import { LOOK_WHILE_DOWN_MS, WRITE_RETRY_MS } from '../../../src/health/limits.js';
import { ARP, atAddress, chain, HealthBed, isAt, MAC, SOURCE, turned } from './bed.js';

describe('by arp', () => {
  const text = atAddress(ARP);

  it('an instance that answers is up, one that does not is down, and gets no traffic', async () => {
    const bed = await HealthBed.open(text);
    expect(await bed.states()).toEqual(['a unknown', 'b unknown']);
    expect(bed.web()).toEqual([2]);
    await bed.passes(100);
    const [asked] = bed.probes(3);
    expect(asked).toMatchObject({ kind: 'arp', operation: 1, source: '10.0.0.200', target: '10.0.0.8' });
    await bed.sends(3, isAt(asked!));
    await bed.passes(1000);
    expect(await bed.states()).toEqual(['a down: no answer to ARP', 'b up']);
    expect(bed.web()).toEqual([3]);
  });

  it('it is up again when it answers again', async () => {
    const bed = await HealthBed.open(text);
    await bed.passes(1500);
    expect(bed.web()).toEqual([]);
    bed.outputs.length = 0;
    await bed.passes(1000);
    await bed.sends(2, isAt(bed.probes(2)[0]!));
    expect((await bed.states())[0]).toBe('a up: no answer to ARP');
    expect(bed.web()).toEqual([2]);
  });

  it('what another port answers does not count, nor what nobody asked', async () => {
    const bed = await HealthBed.open(text);
    await bed.passes(100);
    const [asked] = bed.probes(2);
    await bed.sends(1, isAt(asked!));
    await bed.sends(3, isAt(asked!));
    await bed.passes(1000);
    expect((await bed.states())[0]).toBe('a down: no answer to ARP');
    // It is late.
    await bed.sends(2, isAt(asked!));
    expect((await bed.states())[0]).toBe('a down: no answer to ARP');
  });
});

describe('by icmp', () => {
  const text = atAddress(`{type: icmp, interval: 2, timeout: 1, down: 2, ${SOURCE}}`);
  const reply = (asked: Probe, over: object = {}): Probe => ({ ...asked, ...turned(asked), type: 0, ...over }) as Probe;

  it('asks where it is, then there; and says who we are when it asks', async () => {
    const bed = await HealthBed.open(text);
    await bed.passes(10);
    await bed.sends(2, isAt(bed.probes(2)[0]!));
    const [echo] = bed.probes(2);
    expect(echo).toMatchObject({ kind: 'echo', type: 8, source: '10.0.0.200', target: '10.0.0.7', targetMac: MAC });
    const whoAreYou = { ...turned(echo!), targetMac: '00:00:00:00:00:00' };
    await bed.sends(2, { ...whoAreYou, kind: 'arp', operation: 1, frameTo: 'ff:ff:ff:ff:ff:ff' });
    expect(bed.probes(2)).toMatchObject([{ kind: 'arp', operation: 2, source: '10.0.0.200', frameTo: MAC }]);
    await bed.sends(2, reply(echo!, { sequence: 1 + (echo as { sequence: number }).sequence }));
    expect((await bed.states())[0]).toBe('a unknown');
    bed.documents.clock.advance(3);
    await bed.sends(2, reply(echo!));
    expect((await bed.states())[0]).toBe('a up');
    const [line] = await bed.documents.health.lines();
    expect(line!.latency).toEqual({ minMs: 3, averageMs: 3, samples: 1 });
    // Where it is it has said already.
    await bed.passes(2000);
    expect(bed.probes(2)).toMatchObject([{ kind: 'echo' }]);
  });

  it('one answer that is missing is not two', async () => {
    const bed = await HealthBed.open(text);
    await bed.passes(1500);
    expect((await bed.states())[0]).toBe('a unknown: no answer to ARP');
    await bed.passes(2000);
    expect((await bed.states())[0]).toBe('a down: no answer to ARP');
  });
});

describe('by tcp', () => {
  const text = atAddress(`{type: tcp, port: 443, interval: 2, timeout: 1, ${SOURCE}}`);
  const answer = (asked: Probe, flags: number): Probe => {
    if (asked.kind !== 'tcp') throw new Error('no SYN');
    const { sourcePort, targetPort, sequence } = asked;
    const ports = { sourcePort: targetPort, targetPort: sourcePort };
    return { ...asked, ...turned(asked), ...ports, sequence: 5, acknowledgement: (sequence + 1) >>> 0, flags };
  };

  it('who accepts is up, and gets a reset; who refuses is down', async () => {
    const bed = await HealthBed.open(text);
    await bed.passes(100);
    for (const port of [2, 3]) {
      const [asked] = bed.probes(port);
      const spoken = port === 2 ? '10.0.0.7' : '10.0.0.8';
      expect(asked).toMatchObject({ target: spoken });
      await bed.sends(port, isAt(asked!));
    }
    const [syn] = bed.probes(2);
    expect(syn).toMatchObject({ flags: SYN, targetPort: 443, target: '10.0.0.7' });
    await bed.sends(2, answer(syn!, SYN | ACK));
    expect(bed.probes(2)).toMatchObject([{ flags: RST, sequence: ((syn as { sequence: number }).sequence + 1) >>> 0 }]);
    await bed.sends(3, answer(bed.probes(3)[0]!, RST | ACK));
    expect(await bed.states()).toEqual(['a up', 'b down: port 443 is closed']);
  });
});

describe('through an instance', () => {
  const text = (type: string, more = '') =>
    chain({
      health: `{type: ${type}, interval: 1, timeout: 0.5, down: 2}`,
      instances: ['{name: a, ingress: 2, egress: 3}'],
      hop: 'fallback: open',
      more,
    });

  it.each(['arp', 'icmp', 'tcp, port: 80'])('a probe that comes out unchanged says that it works: %s', async (type) => {
    const bed = await HealthBed.open(text(type));
    await bed.passes(0);
    const [probe] = bed.probes(2);
    expect(probe).toMatchObject({ source: '169.254.88.1', target: '169.254.88.2' });
    bed.documents.clock.advance(4);
    await bed.sends(3, probe!);
    expect((await bed.states())[0]).toBe('a up');
    const [line] = await bed.documents.health.lines();
    expect(line!.latency).toEqual({ minMs: 4, averageMs: 4, samples: 1 });
    expect(bed.outputs.filter(({ port }) => port !== 2)).toEqual([]);
  });

  it('one that comes back where it went in, an older one, or none says that it does not', async () => {
    const bed = await HealthBed.open(text('icmp'));
    await bed.passes(10);
    const [first] = bed.probes(2);
    await bed.sends(2, first!);
    await bed.passes(1000);
    await bed.sends(3, first!);
    await bed.passes(500);
    expect((await bed.states())[0]).toBe('a down: the probe did not come out');
    // Open: the hop is skipped.
    bed.outputs.length = 0;
    bed.web();
    expect(await bed.states()).toEqual(['a down: the probe did not come out', '(skipped) -']);
    const [, skipped] = await bed.documents.health.lines();
    expect(skipped!.packetsIn).toBe(1n);
  });

  it('carries the tag by which the chain knows what comes back', async () => {
    const bed = await HealthBed.open(text('icmp', '  correlation: vlan\n'));
    await bed.passes(10);
    const [{ frame } = { frame: undefined }] = bed.outputs.splice(0);
    expect(Buffer.from(frame!).toString('hex', 12, 16)).toBe('81000bb8');
    await bed.brings(3, frame!);
    expect((await bed.states())[0]).toBe('a up');
  });
});

describe('by counters', () => {
  const counted = (...instances: readonly string[]) =>
    chain({ health: '{type: counters, interval: 1, packets: 3, retry: 10}', instances });
  const packet = {
    kind: 'tcp',
    sourceMac: '02:00:00:00:00:01',
    targetMac: '02:00:00:00:00:09',
    source: '10.0.0.1',
    target: '10.0.0.9',
    sourcePort: 1000,
    targetPort: 80,
    sequence: 1,
    acknowledgement: 0,
    flags: SYN,
  } as const;

  it('who gets packets and gives none out is down, and is tried again later', async () => {
    const bed = await HealthBed.open(counted('{name: a, ingress: 2}', '{name: b, ingress: 3}'));
    await bed.passes(100);
    bed.web();
    await bed.sends(2, packet);
    await bed.passes(1000);
    expect(await bed.states()).toEqual(['a up', 'b unknown']);
    // Too few to tell, then enough.
    for (const count of [2, 1]) {
      for (let i = 0; i < count; i++) expect(bed.web()).toEqual([2]);
      await bed.passes(1000);
    }
    expect(await bed.states()).toEqual(['a down: 3 packets went in and none came out', 'b unknown']);
    expect(bed.web()).toEqual([3]);
    await bed.passes(9000);
    expect((await bed.states())[0]).toContain('a down');
    await bed.passes(1000);
    expect((await bed.states())[0]).toContain('a unknown');
    expect(bed.web()).toEqual([2]);
  });

  it('reads the counters of a hop once for all of its instances', async () => {
    const bed = await HealthBed.open(counted('{name: a, ingress: 2}', '{name: b, ingress: 3}'));
    await bed.passes(100);
    const { asked } = bed.documents;
    asked.length = 0;
    await bed.passes(1000);
    const kinds = asked.map(({ type }) => type);
    const groups = new Set(asked.flatMap((one) => (one.type === 'group' ? [one.groupId] : [])));
    expect(kinds.filter((kind) => kind === 'group')).toHaveLength(groups.size);
    expect(kinds.filter((kind) => kind === 'flow')).toHaveLength(1);
    expect(kinds.filter((kind) => kind === 'port_desc')).toHaveLength(1);
  });

  it('of what is shown, only the table is read where packets come back', async () => {
    const bed = await HealthBed.open(counted('{name: a, ingress: 2, egress: 3}'));
    for (const port of [1000, 1001]) expect(bed.web(port)).toEqual([2]);
    await bed.sends(3, packet);
    const { asked } = bed.documents;
    asked.length = 0;
    expect(await bed.documents.health.lines()).toMatchObject([{ packetsIn: 2n, packetsOut: 1n, lost: 1n }]);
    const tables = asked.flatMap((one) => (one.type === 'flow' ? [one.tableId] : []));
    expect(tables).toEqual([expect.any(Number)]);
    expect(tables[0]).toBeLessThan(254);
  });

  it('who is down gets its traffic back when the port of the other is gone', async () => {
    const bed = await HealthBed.open(
      chain({
        health: '{type: counters, interval: 60, packets: 3, retry: 600}',
        instances: ['{name: p2, ingress: 2}', '{name: p3, ingress: 3}'],
      }),
    );
    await bed.passes(1000);
    for (let i = 0; i < 3; i++) expect(bed.web()).toEqual([2]);
    await bed.passes(60_000);
    expect(bed.web()).toEqual([3]);
    bed.documents.pull(3);
    expect((await bed.states())[1]).toBe('p3 down: its ingress port is down');
    await bed.passes(LOOK_WHILE_DOWN_MS);
    expect(bed.web()).toEqual([2]);
  });

  it('the last one that is left stays, as what it refuses does not come out either', async () => {
    const bed = await HealthBed.open(counted('{name: a, ingress: 2}', '{name: b, ingress: 3}'));
    await bed.passes(100);
    for (const expected of [2, 2, 2]) expect(bed.web()).toEqual([expected]);
    await bed.passes(1000);
    for (const expected of [3, 3, 3, 3]) expect(bed.web()).toEqual([expected]);
    await bed.passes(1000);
    expect(await bed.states()).toEqual([
      'a down: 3 packets went in and none came out',
      'b unknown: 4 packets went in and none came out; it stays, as the last one',
    ]);
    expect(bed.web()).toEqual([3]);
  });

  it('one stays also when all are found to give nothing out at the same time', async () => {
    const instances = ['{name: a, ingress: 2}', '{name: b, ingress: 3}'];
    const health = '{type: counters, interval: 1, packets: 3, retry: 10}';
    const bed = await HealthBed.open(chain({ health, instances, hop: 'behaviour: balance' }));
    await bed.passes(100);
    const reached = Array.from({ length: 64 }, (_, i) => bed.web(1000 + i)[0]);
    expect(new Set(reached)).toEqual(new Set([2, 3]));
    await bed.passes(1000);
    const [a, b] = await bed.states();
    expect(a).toMatch(/^a down/);
    expect(b).toMatch(/^b unknown: .*; it stays, as the last one$/);
    expect(bed.web()).toEqual([3]);
  });
});

describe('groups', () => {
  it('that cannot be changed are tried again', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    bed.documents.refuses = 2;
    await bed.passes(1100);
    expect(await bed.states()).toEqual(['a down: no answer to ARP', 'b down: no answer to ARP']);
    expect(bed.documents.refuses).toBe(0);
    expect(bed.web()).toEqual([2]);
    await bed.passes(WRITE_RETRY_MS.firstMs);
    expect(bed.web()).toEqual([]);
  });

  it('are looked at once each, however many instances are down', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    await bed.passes(1500);
    const { health } = bed.documents;
    const following = vi.spyOn(health, 'follow');
    await bed.documents.apply(atAddress(ARP, { more: '  table: 3\n' }));
    const program = following.mock.lastCall![0];
    let looks = 0;
    const others = program.groups.filter(({ mod }) => program.checks.every(({ liveness }) => liveness !== mod.groupId));
    const all = [...Array.from({ length: 8 }, () => others).flat(), ...program.groups];
    expect(all.length).toBeGreaterThan(program.groups.length);
    const groups = new Proxy(all, {
      get: (of, key, self) => {
        if (typeof key === 'string' && /^\d+$/.test(key)) looks++;
        return Reflect.get(of, key, self);
      },
    });
    // None has a state that is to be written, then all have.
    health.follow({ ...program, groups });
    bed.documents.refuses = 2;
    health.altered({ ...program, checks: [] });
    health.follow({ ...program, groups });
    expect(bed.documents.refuses).toBe(0);
    expect(looks).toBe(2 * all.length);
  });

  it('keep sessions of healthy instances where they are', async () => {
    const text = atAddress(ARP, { hop: 'behaviour: balance' });
    const bed = await HealthBed.open(text);
    const answer = async (...ports: readonly number[]) => {
      bed.outputs.length = 0;
      await bed.passes(500);
      for (const port of ports) for (const asked of bed.probes(port)) await bed.sends(port, isAt(asked));
      await bed.passes(1400);
    };
    await answer(2, 3);
    const sessions = Array.from({ length: 64 }, (_, i) => 1000 + i);
    const before = sessions.map((session) => bed.web(session)[0]);
    expect(new Set(before)).toEqual(new Set([2, 3]));
    await answer(3);
    expect((await bed.states())[0]).toMatch(/^a down/);
    expect(sessions.map((session) => bed.web(session)[0])).toEqual(sessions.map(() => 3));
    await answer(2, 3);
    expect((await bed.states())[0]).toMatch(/^a up/);
    expect(sessions.map((session) => bed.web(session)[0])).toEqual(before);
  });

  it('say that an instance is down also after documents were compiled anew', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    await bed.passes(1500);
    expect(bed.web()).toEqual([]);
    const other = `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: o}
spec: {tables: [{name: t, id: 50, rules: [{match: {in_port: p1/0}, do: drop}]}]}`;
    await bed.documents.apply(other);
    expect(bed.web()).toEqual([]);
    expect(await bed.documents.apply(other)).toMatchObject({ plan: { changes: [] } });
  });

  it('say so also when the document says other things of the instance, until an answer comes', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    await bed.passes(1500);
    const since = async () => (await bed.documents.health.lines()).map(({ sinceMs }) => sinceMs);
    const before = await since();
    const renamed = ['{name: x, ingress: 3, address: 10.0.0.9}', '{name: y, ingress: 2, address: 10.0.0.7}'];
    await bed.documents.apply(
      atAddress(`{type: icmp, interval: 3, timeout: 1, ${SOURCE}}`, { instances: renamed, hop: 'behaviour: balance' }),
    );
    expect(await bed.states()).toEqual(['x down: no answer to ARP', 'y down: no answer to ARP']);
    expect((await since()).toReversed()).toEqual(before);
    expect(bed.web()).toEqual([]);
    await bed.documents.apply(atAddress(ARP));
    expect(bed.web()).toEqual([]);
    bed.outputs.length = 0;
    await bed.passes(100);
    await bed.sends(2, isAt(bed.probes(2)[0]!));
    expect((await bed.states())[0]).toBe('a up: no answer to ARP');
    expect(bed.web()).toEqual([2]);
  });

  it('know nothing of an instance at another port', async () => {
    const bed = await HealthBed.open(atAddress(ARP, { instances: ['{name: a, ingress: 2, address: 10.0.0.7}'] }));
    await bed.passes(1500);
    expect(await bed.states()).toEqual(['a down: no answer to ARP']);
    await bed.documents.apply(atAddress(ARP, { instances: ['{name: a, ingress: 3, address: 10.0.0.7}'] }));
    expect(await bed.states()).toEqual(['a unknown']);
    expect(bed.web()).toEqual([3]);
  });

  it('an instance whose port is not there is not asked, and is new when it comes back', async () => {
    const named = chain({
      health: ARP,
      instances: ['{ingress: p3/0, address: 10.0.0.7}'],
    });
    const bed = await HealthBed.open(named);
    await bed.passes(1500);
    expect(await bed.states()).toEqual(['1 down: no answer to ARP']);
    bed.documents.unplug('p3');
    await bed.documents.settled();
    bed.outputs.length = 0;
    await bed.passes(5000);
    expect(bed.outputs).toEqual([]);
    bed.documents.plug('p3', 2);
    await bed.documents.settled();
    await bed.passes(10);
    expect(bed.probes(2)).toMatchObject([{ kind: 'arp', target: '10.0.0.7' }]);
    expect(await bed.states()).toEqual(['1 unknown']);
    expect(bed.web()).toEqual([2]);
  });

  it('nobody asks when the chain is gone', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    await bed.documents.documents.remove(['c']);
    bed.outputs.length = 0;
    await bed.passes(5000);
    expect(bed.outputs).toEqual([]);
    expect(await bed.states()).toEqual([]);
  });
});
