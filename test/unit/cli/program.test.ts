import { CommanderError } from 'commander';
import { describe, expect, it, vi } from 'vitest';
import type { ApiClient } from '../../../src/api/client.js';
import { CommandFailed } from '../../../src/cli/context.js';
import { createProgram, type GlobalOptions } from '../../../src/cli/program.js';

/** Runs a command line against a daemon that answers every call with `reply`. */
async function run(line: string, reply: object = {}) {
  const call = vi.fn(async (_name: string, _request: object, _timeoutMs?: number) => reply);
  const printed: string[] = [];
  let options: GlobalOptions | undefined;
  const program = createProgram('1.2.3', async (given, command) => {
    options = given;
    await command({
      api: { call } as unknown as ApiClient,
      json: given.json,
      print: (text) => printed.push(text),
      untilInterrupted: () => AbortSignal.abort(),
    });
  });
  const silence = { writeOut: (text: string) => printed.push(text), writeErr: (text: string) => printed.push(text) };
  const configure = (command: typeof program): void => {
    command.configureOutput(silence);
    for (const child of command.commands) configure(child as typeof program);
  };
  configure(program);
  let error: unknown;
  await program.parseAsync(['node', 'xvif', ...line.split(' ')]).catch((caught: unknown) => {
    error = caught;
  });
  return { call, printed: printed.join('\n'), options, error };
}

describe('xvif command lines', () => {
  it('a change to be confirmed has time for that', async () => {
    const { error, call, printed } = await run('apply --confirm 0s f.yaml');
    expect(error).toBeInstanceOf(CommanderError);
    expect(printed).toContain('expected a time above 0.');
    expect(call).not.toHaveBeenCalled();
  });

  it('port set hands settings over as they stand, port show none', async () => {
    const reply = { settings: [{ name: 'rate', value: '62500,50000' }] };
    const set = await run('port set vif5.0 rate=10Mb/s vlan=trunk:1,2 mtu=toolstack', reply);
    expect(set.call.mock.calls[0]!.slice(0, 2)).toEqual([
      'setPort',
      {
        port: 'vif5.0',
        settings: [
          { name: 'rate', value: '10Mb/s' },
          { name: 'vlan', value: 'trunk:1,2' },
          { name: 'mtu', value: 'toolstack' },
        ],
      },
    ]);
    expect(set.printed).toMatch(/rate +62500,50000/);
    const show = await run('port show p', { settings: [] });
    expect(show.call.mock.calls[0]!.slice(0, 2)).toEqual(['setPort', { port: 'p', settings: [] }]);
    expect(show.printed).toBe('no settings');
  });

  it('table set hands over what it is told, table show nothing', async () => {
    const reply = { settings: [{ name: 'limit', value: '9' }] };
    const set = await run(
      'table set br0 3 --limit 9 --overflow-policy evict --groups in_port,nw_src[8..31] --name acl',
      reply,
    );
    expect(set.call.mock.calls[0]!.slice(0, 2)).toEqual([
      'setTable',
      {
        bridge: 'br0',
        table: 3,
        settings: [
          { name: 'limit', value: '9' },
          { name: 'overflow-policy', value: 'evict' },
          { name: 'groups', value: 'in_port,nw_src[8..31]' },
          { name: 'name', value: 'acl' },
        ],
      },
    ]);
    expect(set.printed).toMatch(/limit +9/);
    const show = await run('table show br0 3', reply);
    expect(show.call.mock.calls[0]!.slice(0, 2)).toEqual(['setTable', { bridge: 'br0', table: 3, settings: [] }]);
  });

  it.each([
    'port set p',
    'table set br0',
    'table set br0 254',
    'table set br0 1 --limit x',
    'port set p rate',
    'port set p rate=',
    'port set p =1',
  ])('%s is wrong use', async (line) => {
    const { call, error } = await run(line);
    expect(error).toBeInstanceOf(CommanderError);
    expect(call).not.toHaveBeenCalled();
  });

  it('guest add hands over everything', async () => {
    const guest = {
      name: 'g1',
      domid: 1,
      bridge: 'br0',
      port: 'xvif1i0',
      mac: 'm',
      ip: '',
      tap: 't0',
      state: 'connected',
    };
    const line = 'guest add g1 --bridge br0 --tap t0 --netns ns --queues 2 --no-sg --mtu 9000 --mac 00:16:3e:00:00:01';
    const { call, printed } = await run(line, guest);
    expect(call.mock.calls[0]!.slice(0, 2)).toEqual([
      'addGuest',
      {
        name: 'g1',
        bridge: 'br0',
        mac: '00:16:3e:00:00:01',
        ip: '',
        tap: 't0',
        netns: 'ns',
        queues: 2,
        noSg: true,
        noGso: false,
        mtu: 9000,
      },
    ]);
    expect(printed).toContain('xvif1i0');
  });

  it.each([
    'guest add g1',
    'guest add g1 --bridge br0',
    'guest add g1 --bridge br0 --ip 10.0.0.1/24 --tap t0',
    'guest add g1 --bridge br0 --ip 10.0.0.1/24 --netns n',
    'guest add g1 --bridge br0 --ip 10.0.0.1',
    'ping g1',
    'ping g1 10.0.0.2 -c 0',
    'nonsense',
    'show --wrong',
  ])('wrong use: %s', async (line) => {
    const { call, error } = await run(line);
    expect(error).toBeInstanceOf(CommanderError);
    expect((error as CommanderError).exitCode).not.toBe(0);
    expect(call).not.toHaveBeenCalled();
  });

  it('--version and --help are no failures', async () => {
    for (const line of ['--version', '--help', 'guest add --help']) {
      expect((await run(line)).error).toMatchObject({ exitCode: 0 });
    }
  });

  it('ping fails when nothing came back, and says what happened first', async () => {
    const { printed, error } = await run('ping g1 10.0.0.9 -c 3', { sent: 3, received: 0, rttUs: [] });
    expect(printed).toBe('g1 → 10.0.0.9: 3 sent, 0 received, 100% lost');
    expect(error).toBeInstanceOf(CommandFailed);
  });

  it('ping prints the round trips', async () => {
    const { call, printed } = await run('ping g1 10.0.0.2 -c 2 -i 0.2', { sent: 2, received: 2, rttUs: [100, 300] });
    expect(call.mock.calls[0]![1]).toMatchObject({ count: 2, intervalMs: 200, timeoutMs: 1000, size: 56 });
    expect(printed).toContain('min/avg/max 0.100/0.200/0.300 ms');
  });

  it('--json prints JSON and the socket is handed on', async () => {
    const { printed, options } = await run('--json --socket /tmp/s flows br0', { flows: [{ packets: 1n << 60n }] });
    expect(JSON.parse(printed)).toEqual([{ packets: String(1n << 60n) }]);
    expect(options).toEqual({ json: true, socket: '/tmp/s' });
  });
});
