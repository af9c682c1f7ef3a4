/** What Prometheus reads of service chains, and how it is served. */
import { request } from 'node:http';
import { connect } from 'node:net';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { metricsText } from '../../../src/api/metrics.js';
import { type MetricsLimits, MetricsServer } from '../../../src/api/metrics-server.js';
import { silentLogger } from '../../../src/base/logger.js';
import { ARP, atAddress, chain, HealthBed, isAt } from '../health/bed.js';

const textOf = async ({ documents }: HealthBed): Promise<string[]> => {
  const lines = await documents.health.lines();
  return (await metricsText(lines.map((line) => ({ ...line, bridge: 'br0' })))).split('\n');
};
const of = (metric: string, instance: string) =>
  `xvif_chain_instance_${metric}{bridge="br0",chain="c",hop="fw",instance="${instance}"}`;

describe('metrics of chains', () => {
  it('say who works, and how often that was asked and changed', async () => {
    const bed = await HealthBed.open(atAddress(ARP));
    expect(await textOf(bed)).not.toContain('# TYPE xvif_chain_instance_up gauge');
    await bed.passes(100);
    await bed.sends(3, isAt(bed.probes(3)[0]!));
    await bed.passes(1000);
    const text = await textOf(bed);
    expect(text).toContain('# TYPE xvif_chain_instance_up gauge');
    expect(text).toContain('# TYPE xvif_chain_instance_probes_total counter');
    for (const [instance, up, failures] of [
      ['a', 0, 1],
      ['b', 1, 0],
    ] as const) {
      expect(text).toContain(`${of('up', instance)} ${up}`);
      expect(text).toContain(`${of('probes_total', instance)} 1`);
      expect(text).toContain(`${of('failures_total', instance)} ${failures}`);
      expect(text).toContain(`${of('transitions_total', instance)} 1`);
    }
    await bed.passes(2000);
    expect(await textOf(bed)).toContain(`${of('failures_total', 'a')} 2`);
    // A document that is applied again goes on counting.
    await bed.documents.apply(atAddress(ARP, { more: '  table: 3\n' }));
    const after = await textOf(bed);
    expect(after).toContain(`${of('failures_total', 'a')} 2`);
    expect(after).toContain(`${of('transitions_total', 'b')} 2`);
  });

  it('count packets by direction, and of instances that nobody asks no checks', async () => {
    const bed = await HealthBed.open(
      chain({ health: '{type: port-state}', instances: ['{name: a, ingress: 2, egress: 3}'] }),
    );
    for (const port of [1000, 1001]) expect(bed.web(port)).toEqual([2]);
    const text = await textOf(bed);
    const packets = (name: string) =>
      `xvif_chain_packets_${name}{bridge="br0",chain="c",hop="fw",direction="forward",instance="a"}`;
    expect(text).toContain(`${packets('in_total')} 2`);
    expect(text).toContain(`${packets('out_total')} 0`);
    expect(text).toContain(`${packets('lost')} 2`);
    expect(text).toContain(`${of('up', 'a')} 1`);
    expect(text.join('\n')).not.toContain('probes');
  });

  it('escape what names may contain', async () => {
    const line = {
      ...({ bridge: 'b', chain: 'a"b\\c\nd', hop: 'h', direction: 'forward', mode: 'tap', instance: 'i' } as const),
      ...{ groups: [], packetsIn: 1n << 50n, state: undefined, sinceMs: 0, reason: '', latency: undefined },
      checks: undefined,
    };
    expect(await metricsText([line])).toContain(
      'xvif_chain_packets_in_total{bridge="b",chain="a\\"b\\\\c\\nd",hop="h",direction="forward",instance="i"} 1125899906842624\n',
    );
    expect((await metricsText([])).trim()).toBe('');
  });
});

describe('the endpoint', () => {
  const servers: MetricsServer[] = [];
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.close();
  });
  const listen = async (read: () => Promise<string>, limits?: MetricsLimits): Promise<MetricsServer> => {
    const server = await MetricsServer.listen({ host: '127.0.0.1', port: 0 }, read, silentLogger, limits);
    servers.push(server);
    return server;
  };
  const ask = (port: number, path: string, method = 'GET') =>
    new Promise<{ status: number; type: string | undefined; text: string }>((resolve, reject) => {
      request({ host: '127.0.0.1', port, path, method }, (response) => {
        let text = '';
        response.on('data', (chunk) => {
          text += chunk;
        });
        response.on('end', () =>
          resolve({ status: response.statusCode!, type: response.headers['content-type'], text }),
        );
      })
        .on('error', reject)
        .end();
    });

  it('answers with the text', async () => {
    const { port } = await listen(async () => 'a 1\n');
    const type = 'text/plain; version=0.0.4; charset=utf-8';
    expect(await ask(port, '/metrics?x')).toEqual({ status: 200, type, text: 'a 1\n' });
    expect(await ask(port, '/metrics', 'HEAD')).toEqual({ status: 200, type, text: '' });
  });

  it('reads once for all who ask meanwhile', async () => {
    let reads = 0;
    const { port } = await listen(async () => {
      reads++;
      await new Promise((resolve) => setImmediate(resolve));
      return `${reads} read\n`;
    });
    const client = connect(port, '127.0.0.1');
    // Both are there at once.
    client.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n'.repeat(2));
    let text = '';
    await new Promise<void>((resolve) => {
      client.on('data', (chunk) => {
        text += chunk;
        if (text.match(/ read\n/g)?.length === 2) resolve();
      });
    });
    client.destroy();
    expect(text.match(/\d+ read/g)).toEqual(['1 read', '1 read']);
  });

  it('reads again only when what was read is old', async () => {
    let reads = 0;
    const { port } = await listen(async () => `${++reads} read\n`, { freshMs: 200 });
    const texts = [await ask(port, '/metrics'), await ask(port, '/metrics')].map(({ text }) => text);
    expect(texts).toEqual(['1 read\n', '1 read\n']);
    await new Promise((resolve) => setTimeout(resolve, 250));
    expect((await ask(port, '/metrics')).text).toBe('2 read\n');
  });

  it.each([
    ['does not read', 0],
    ['reads a little at a time', 20],
  ])('is rid of who %s', async (_, everyMs) => {
    const { port } = await listen(async () => 'x'.repeat(1 << 26), { requestMs: 400 });
    const slow = connect(port, '127.0.0.1');
    slow.pause();
    slow.on('error', () => {});
    slow.write('GET /metrics HTTP/1.1\r\nhost: x\r\n\r\n');
    const reads = everyMs > 0 ? setInterval(() => slow.read(1), everyMs) : undefined;
    const [server] = servers;
    await vi.waitFor(async () => expect(await server!.connections()).toBe(1));
    await vi.waitFor(async () => expect(await server!.connections()).toBe(0), { timeout: 10_000 });
    clearInterval(reads);
    slow.destroy();
  });

  it('refuses all else in words of HTTP, and survives what is none', async () => {
    const { port } = await listen(() => Promise.reject(new Error('cannot be read')));
    expect((await ask(port, '/')).status).toBe(404);
    expect((await ask(port, '/metrics', 'POST')).status).toBe(405);
    expect((await ask(port, '/metrics')).status).toBe(500);
    const garbage = connect(port, '127.0.0.1');
    garbage.write(Buffer.from('00ff16030100\r\n\r\n', 'latin1'));
    const answer = await new Promise<string>((resolve) => garbage.once('data', (chunk) => resolve(String(chunk))));
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    garbage.destroy();
    expect((await ask(port, '/')).status).toBe(404);
  });

  it('says why it cannot listen', async () => {
    const { port } = await listen(async () => '');
    await expect(MetricsServer.listen({ host: '127.0.0.1', port }, async () => '', silentLogger)).rejects.toThrow(
      'EADDRINUSE',
    );
  });
});
