/** Switches that service chains are tried on, with a wire for each port. Needs root. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApiClient } from '../../../src/api/client.js';
import { apiSocketPath } from '../../../src/api/run-dir.js';
import type { ChainTrace } from '../../../src/simulator/trace-chain.js';
import type { TraceReport } from '../../../src/simulator/trace-report.js';
import { run } from '../../e2e/programs.js';
import { OpenVswitch } from '../../lab/open-vswitch.js';
import { eventually, sh } from '../../lab/process.js';
import { TestSwitch } from '../../lab/switch.js';

export const WAIT_MS = 120_000;

/** Packets of an instance of a hop in one direction; out and lost are undefined of taps. */
export interface Counted {
  readonly hop: string;
  readonly direction: string;
  readonly instance: string;
  readonly in: number;
  readonly out: number | undefined;
  readonly lost: number | undefined;
  /** Undefined: nobody asks. */
  readonly state: string | undefined;
}

export interface ChainPeer {
  /** For ovs-ofctl. */
  readonly target: string;
  /** Numbers of ports by name. */
  readonly numbers: ReadonlyMap<string, number>;
  /** Whether it keeps documents and looks after their instances. */
  readonly keeps: boolean;
  /** Puts a document in the place of the one before. */
  apply(text: string): Promise<void>;
  counts(): Promise<Counted[]>;
  /** Resolves when packets are treated as its flows say, which may change a moment before. */
  inForce(): Promise<void>;
  /** What `xvif trace` and `xvif chain trace` say of its tables. */
  trace(packet: string): Promise<TraceReport>;
  /** A machine 10.0.0.N with a kernel of its own in a network namespace. */
  machine(name: string, n: number): Promise<string>;
  stop(): Promise<void>;
}

interface Json {
  readonly hop: string;
  readonly direction: string;
  readonly instance: string;
  readonly packetsIn: string | number;
  readonly packetsOut?: string | number;
  readonly lost?: string | number;
}

/** Numbers of ports by the names of their devices. */
async function numbersOf(target: string): Promise<Map<string, number>> {
  const shown = await sh('ovs-ofctl', '-O', 'OpenFlow13', 'show', target);
  return new Map([...shown.matchAll(/^ (\d+)\(([^)]+)\)/gm)].map(([, number, name]) => [name!, Number(number)]));
}

export class XvifdPeer implements ChainPeer {
  readonly keeps = true;
  #applied: string | undefined;

  private constructor(
    readonly daemon: TestSwitch,
    readonly api: ApiClient,
    readonly numbers: ReadonlyMap<string, number>,
  ) {}

  static async start(devices: ReadonlyMap<string, string>, args: readonly string[] = []): Promise<XvifdPeer> {
    const ports = [...devices].flatMap(([name, device]) => ['--port', `${name}=packet:${device}`]);
    const daemon = await TestSwitch.start({
      bridge: `cb${process.pid}`,
      args: ['--local', 'null', ...ports, ...args],
    });
    const api = new ApiClient(apiSocketPath(daemon.runDir));
    return new XvifdPeer(daemon, api, await numbersOf(daemon.target));
  }

  get target(): string {
    return this.daemon.target;
  }

  async apply(text: string): Promise<void> {
    const { bridge } = this.daemon;
    // Counters begin anew.
    if (this.#applied !== undefined)
      await this.api.call('deleteDocuments', { bridge, names: [this.#applied] }, WAIT_MS);
    const files = [{ name: 'chain.yaml', text }];
    const reply = await this.api.call(
      'applyDocuments',
      { bridge, files, prune: false, confirmMs: 0, format: 'text' },
      WAIT_MS,
    );
    if (reply.errors > 0) throw new Error(reply.report);
    this.#applied = /name: ([\w-]+)/.exec(text)![1]!;
  }

  async inForce(): Promise<void> {
    // They are when they can be read.
  }

  async counts(): Promise<Counted[]> {
    const { instances } = await this.api.call('listChains', { bridge: this.daemon.bridge }, WAIT_MS);
    return instances.map(({ hop, direction, instance, packetsIn, returned, state }) => ({
      ...{ hop, direction, instance, in: Number(packetsIn), state },
      out: returned === null ? undefined : Number(returned.packetsOut),
      lost: returned === null ? undefined : Number(returned.lost),
    }));
  }

  async trace(packet: string): Promise<TraceReport> {
    const { report } = await this.api.call('trace', { bridge: this.daemon.bridge, packet }, WAIT_MS);
    return JSON.parse(report) as TraceReport;
  }

  async chainTrace(packet: string): Promise<ChainTrace> {
    const { report } = await this.api.call('traceChains', { bridge: this.daemon.bridge, packet }, WAIT_MS);
    return JSON.parse(report) as ChainTrace;
  }

  async machine(name: string, n: number): Promise<string> {
    return (await this.daemon.namedGuest(name, n)).netns;
  }

  async stop(): Promise<void> {
    this.api.close();
    await this.daemon.stop();
  }
}

export class OpenVswitchPeer implements ChainPeer {
  readonly keeps = false;
  readonly #folder = mkdtempSync(join(tmpdir(), 'xvif-chain-ovs-'));
  readonly #file = join(this.#folder, 'chain.yaml');
  readonly #namespaces: string[] = [];
  #applied = false;

  private constructor(
    readonly ovs: OpenVswitch,
    readonly bridge: string,
    readonly numbers: Map<string, number>,
  ) {}

  static async start(devices: ReadonlyMap<string, string>): Promise<OpenVswitchPeer> {
    const ovs = await OpenVswitch.start();
    const bridge = (await ovs.vsctl('list-br')).trim();
    const added = [...devices.values()].flatMap((device) => ['--', 'add-port', bridge, device]);
    await ovs.vsctl(...added.slice(1));
    const all = await eventually('all ports are there', async () => {
      const numbers = await numbersOf(ovs.target);
      return [...devices.values()].every((device) => numbers.has(device)) && numbers;
    });
    await sh('ovs-ofctl', 'del-flows', ovs.target);
    return new OpenVswitchPeer(ovs, bridge, new Map([...devices].map(([name, device]) => [name, all.get(device)!])));
  }

  get target(): string {
    return this.ovs.target;
  }

  async #xvif(...words: string[]): Promise<string> {
    const ports = [...this.numbers].flatMap(([name, number]) => ['--port', `${name}=${number}`]);
    const { code, output } = await run('xvif', ...words, '--switch', this.target, ...ports);
    if (code !== 0) throw new Error(`xvif ${words.join(' ')}: ${output}`);
    return output;
  }

  async apply(text: string): Promise<void> {
    if (this.#applied) await this.#xvif('delete', this.#file);
    writeFileSync(this.#file, text);
    await this.#xvif('apply', this.#file);
    this.#applied = true;
  }

  async inForce(): Promise<void> {
    // What is cached is looked at anew a while after flows have changed.
    await this.ovs.appctl('revalidator/wait');
  }

  async counts(): Promise<Counted[]> {
    const lines = JSON.parse(await this.#xvif('--json', 'chain', 'show', this.#file)) as Json[];
    const number = (value: string | number | undefined) => (value === undefined ? undefined : Number(value));
    return lines.map(({ hop, direction, instance, packetsIn, packetsOut, lost }) => ({
      ...{ hop, direction, instance, in: Number(packetsIn), state: undefined },
      out: number(packetsOut),
      lost: number(lost),
    }));
  }

  async trace(packet: string): Promise<TraceReport> {
    return JSON.parse(await this.#xvif('--json', 'trace', this.#file, packet)) as TraceReport;
  }

  async machine(name: string, n: number): Promise<string> {
    const netns = `${this.bridge}${name}`;
    const device = `${this.bridge}m${n}`;
    await sh('ip', 'netns', 'add', netns);
    this.#namespaces.push(netns);
    await sh('ip', 'link', 'add', device, 'type', 'veth', 'peer', 'name', 'eth0', 'netns', netns);
    await sh('sysctl', '-qw', `net.ipv6.conf.${device}.disable_ipv6=1`);
    await sh('ip', 'link', 'set', device, 'up');
    await sh('ip', 'netns', 'exec', netns, 'ethtool', '-K', 'eth0', 'tx', 'off');
    await this.ovs.vsctl('add-port', this.bridge, device);
    await sh('ip', '-n', netns, 'addr', 'add', `10.0.0.${n}/24`, 'dev', 'eth0');
    await sh('ip', '-n', netns, 'link', 'set', 'eth0', 'up');
    return netns;
  }

  async stop(): Promise<void> {
    await this.ovs.stop();
    for (const netns of this.#namespaces) await sh('ip', 'netns', 'del', netns).catch(() => undefined);
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
