import { CommanderError } from 'commander';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { parseOptions } from '../../../src/xvifd/options.js';

const parse = (line: string, uid = 1000, xen = false) =>
  parseOptions(line === '' ? [] : line.split(' '), '1.2.3', { env: {}, uid, xen });

describe('xvifd command lines', () => {
  beforeEach(() => {
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  });
  afterEach(() => vi.restoreAllMocks());

  it('defaults', () => {
    expect(parse('')).toEqual({
      config: {
        runDir: '/tmp/xvif-1000',
        stateDir: '/tmp/xvif-1000/state',
        workers: 1,
        hypervisor: 'emulated',
        bridges: [
          {
            name: 'br0',
            datapathId: undefined,
            failMode: 'secure',
            controllers: [],
            listen: [],
            tableLimits: [],
            local: 'null',
            ports: [],
          },
        ],
      },
      logLevel: 'info',
    });
    expect(parse('', 0).config.bridges[0]!.local).toBe('tap');
  });

  it('metrics', () => {
    expect(parse('').config.metrics).toBeUndefined();
    expect(parse('--metrics 127.0.0.1:9476').config.metrics).toEqual({ host: '127.0.0.1', port: 9476 });
    expect(parse('--metrics [::1]:0').config.metrics).toEqual({ host: '::1', port: 0 });
    for (const wrong of ['9476', '127.0.0.1:', '::1:9476', 'h:65536', ':1'])
      expect(() => parse(`--metrics ${wrong}`)).toThrow(CommanderError);
  });

  it('what tables take', () => {
    const { bridges } = parse('--bridge a --bridge b --table all=1000 --table b/3=5,evict').config;
    const all = { tableId: undefined, maxEntries: 1000, evicts: false };
    expect(bridges.map(({ tableLimits }) => tableLimits)).toEqual([
      [all],
      [all, { tableId: 3, maxEntries: 5, evicts: true }],
    ]);
    for (const bad of ['', '3', '3=', '254=1', '3=4000001', '3=1,evict,', 'x=1', 'c/3=1']) {
      expect(() => parse(`--table=${bad}`), bad).toThrow(CommanderError);
    }
  });

  it('state outlives the run directory, unless that one was chosen', () => {
    expect(parse('', 0).config.stateDir).toBe('/var/lib/xvif');
    expect(parse('--run-dir /a', 0).config.stateDir).toBe('/a/state');
    expect(parse('--run-dir /a --state-dir /b', 0).config.stateDir).toBe('/b');
  });

  it('versions of OpenFlow', () => {
    expect(parse('--auxiliary-connections 3').config.bridges[0]!.auxiliaries).toBe(3);
    expect(() => parse('--auxiliary-connections 16')).toThrow(CommanderError);
    expect(parse('').config.bridges[0]!.protocols).toBeUndefined();
    expect(parse('--protocols OpenFlow13').config.bridges[0]!.protocols).toEqual([4]);
    for (const bad of ['', 'OpenFlow16', 'openflow13', 'OpenFlow13,', 'c/OpenFlow13', 'br0/']) {
      expect(() => parse(`--protocols=${bad}`), bad).toThrow(CommanderError);
    }
  });

  it('versions of OpenFlow of one bridge', () => {
    const { bridges } = parse(
      '--bridge a --bridge b --protocols OpenFlow13 --protocols b/OpenFlow10,OpenFlow15',
    ).config;
    expect(bridges.map(({ protocols }) => protocols)).toEqual([[4], [1, 6]]);
  });

  it('controllers of one bridge, and with versions of their own', () => {
    const { bridges } = parse(
      '--bridge a --bridge b --controller tcp:h,OpenFlow10 --controller b/unix:/run/c,1,OpenFlow13,OpenFlow14 ' +
        '--listen a/ptcp:6653 --listen b/punix:/run/b,OpenFlow11 --listen b/ptcp:6654:[::1]',
    ).config;
    const everywhere = { target: 'tcp:h', versions: [1] };
    expect(bridges.map(({ controllers, listen }) => ({ controllers, listen }))).toEqual([
      { controllers: [everywhere], listen: ['ptcp:6653'] },
      {
        controllers: [everywhere, { target: 'unix:/run/c,1', versions: [4, 5] }],
        listen: [{ target: 'punix:/run/b', versions: [2] }, 'ptcp:6654:[::1]'],
      },
    ]);
  });

  it('files for TLS', () => {
    const files = '--private-key k --certificate c';
    const expected = { privateKey: 'k', certificate: 'c', caCert: 'a', bootstrap: false };
    expect(parse('').config.tls).toBeUndefined();
    expect(parse(`${files} --ca-cert a --controller ssl:h`).config.tls).toEqual(expected);
    expect(parse('-p k -c c -C a --listen pssl:').config.tls).toEqual(expected);
    expect(parse(`${files} --bootstrap-ca-cert a`).config.tls).toEqual({ ...expected, bootstrap: true });
    for (const bad of [
      '--controller ssl:h',
      '--listen pssl:',
      files,
      '--ca-cert a',
      `${files} --ca-cert a --bootstrap-ca-cert b`,
    ]) {
      expect(() => parse(bad), bad).toThrow(CommanderError);
    }
  });

  it('somebody to become', () => {
    expect(parse('--user xvif').config.runAs).toEqual({ user: 'xvif', group: undefined, keep: [] });
    expect(parse('--user 99:nogroup --keep-capability net_raw --keep-capability net_admin').config.runAs).toEqual({
      user: '99',
      group: 'nogroup',
      keep: ['net_raw', 'net_admin'],
    });
    for (const bad of [
      '--user :g',
      '--user a:b:c',
      '--user a --keep-capability sys_admin',
      '--keep-capability net_raw',
    ]) {
      expect(() => parse(bad), bad).toThrow(CommanderError);
    }
  });

  it('several bridges share controllers; ports go where they say', () => {
    const { bridges } = parse(
      '--bridge a --bridge b --controller tcp:h:6653 --controller tcp:[::1]:1 --port up=packet:eth1 --port b/t=tap:t0,netns=n',
    ).config;
    expect(bridges.map(({ name, ports, controllers }) => ({ name, ports, controllers }))).toEqual([
      {
        name: 'a',
        controllers: ['tcp:h:6653', 'tcp:[::1]:1'],
        ports: [{ name: 'up', spec: { kind: 'packet', device: 'eth1' } }],
      },
      {
        name: 'b',
        controllers: ['tcp:h:6653', 'tcp:[::1]:1'],
        ports: [{ name: 't', spec: { kind: 'tap', device: 't0', netns: 'n' } }],
      },
    ]);
  });

  it.each([
    ['p=null', { kind: 'null' }],
    ['p=pcap:in.pcap', { kind: 'pcap', loop: false, input: 'in.pcap' }],
    ['p=pcap:in.pcap,loop,output=out.pcap', { kind: 'pcap', loop: true, input: 'in.pcap', output: 'out.pcap' }],
    ['p=pcap:,output=out.pcap', { kind: 'pcap', loop: false, output: 'out.pcap' }],
  ])('--port %s', (text, spec) =>
    expect(parse(`--port ${text}`).config.bridges[0]!.ports).toEqual([{ name: 'p', spec }]),
  );

  it('a datapath id in either form', () => {
    for (const text of ['1', '0x0000000000000001', '00:00:00:00:00:00:00:01']) {
      expect(parse(`--datapath-id ${text}`).config.bridges[0]!.datapathId).toBe(1n);
    }
  });

  it.each([
    '--bridge ../x',
    '--bridge a --bridge a',
    '--bridge a --bridge b --datapath-id 1',
    '--bridge a --bridge b --listen ptcp:6653', // which one?
    '--datapath-id 0',
    '--controller nonsense',
    '--controller ptcp:6653',
    '--controller ssl:h:6653',
    '--controller tcp:h:65536',
    '--controller c/tcp:h',
    '--controller br0/',
    '--controller tcp:h,OpenFlow16',
    '--controller tcp:h,openflow13',
    '--listen tcp:h:6653',
    '--listen c/ptcp:6653',
    '--listen br0/pssl:6653',
    '--listen ptcp:6653,OpenFlow',
    '--fail-mode maybe',
    '--hypervisor kvm',
    '--workers 0',
    '--port p',
    '--port p=packet',
    '--port p=null:x',
    '--port p=tap:t,wrong=1',
    '--port p=pcap:',
    '--port c/p=null',
    'superfluous',
  ])('wrong use: %s', (line) => {
    let error: unknown;
    try {
      parse(line);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(CommanderError);
    expect((error as CommanderError).exitCode).not.toBe(0);
  });

  it('picks Xen where its devices are, unless told otherwise', () => {
    expect(parse('', 0, true).config.hypervisor).toBe('xen');
    expect(parse('', 0, false).config.hypervisor).toBe('emulated');
    expect(parse('--hypervisor emulated', 0, true).config.hypervisor).toBe('emulated');
    expect(parse('--hypervisor xen', 0, false).config.hypervisor).toBe('xen');
  });
});
