/** The daemon under test in Dom0, as a backend of guests' vifs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { ApiClient } from '../../../src/api/client.js';
import type { Port } from '../../../src/api/messages.js';
import { type Backend, macOf } from './backends.js';
import type { Guest } from './guest.js';
import { eventually, sh } from './shell.js';

export const projectRoot = process.env.XVIF ?? '/payload/xvif';
export const results = process.env.RESULTS ?? '/run/lab/results';

/** What xl runs for a vif that xvifd serves. */
export const hotplugScript = join(projectRoot, 'scripts/host/vif-xvif');

export const LOCAL = 0xfffffffe;

export interface XvifdOptions {
  readonly workers?: number;
  readonly args?: readonly string[];
}

/** Rejects when nobody listens. */
async function accepts(path: string): Promise<void> {
  const socket = connect(path);
  try {
    await once(socket, 'connect');
  } finally {
    socket.destroy();
  }
}

export class Xvifd implements Backend {
  readonly title = 'xvifd';
  readonly bridge = 'br0';
  readonly runDir = '/run/xvif';
  readonly log: string;
  readonly #options: XvifdOptions;
  #process: ChildProcess | undefined;
  #api: ApiClient | undefined;

  constructor(options: XvifdOptions = {}) {
    this.#options = options;
    this.log = join(results, 'xvifd.log');
  }

  vif(n: number, ...keys: readonly string[]): string {
    return [`mac=${macOf(n)}`, 'bridge=br0', `script=${hotplugScript}`, ...keys].join(',');
  }

  /** Starts the daemon and waits until its API answers. */
  async start(): Promise<void> {
    // Where there is udev, the device node for TAP devices loads the module.
    await sh('modprobe', 'tun');
    this.spawn();
    await this.answers();
  }

  /** Starts the process and does not wait. */
  spawn(): void {
    mkdirSync(results, { recursive: true });
    const output = openSync(this.log, 'a');
    const { workers = 1, args = [] } = this.#options;
    this.#process = spawn(
      process.execPath,
      [
        join(projectRoot, 'dist/bin/xvifd.js'),
        ...['--hypervisor', 'xen', '--workers', `${workers}`, '--bridge', this.bridge, ...args],
      ],
      { stdio: ['ignore', output, output] },
    );
  }

  async answers(seconds = 300): Promise<void> {
    await eventually(
      'xvifd answers',
      async () => {
        if (!this.running) return true;
        const path = join(this.runDir, 'xvifd.sock');
        // gRPC's channels go on connecting when they are closed while they do.
        if (this.#api === undefined) await accepts(path);
        this.#api ??= new ApiClient(path);
        return (await this.#api.call('show', {})).pid > 0;
      },
      seconds,
    );
    if (!this.running) throw new Error(`xvifd ended:\n${this.logEnd()}`);
  }

  get running(): boolean {
    const child = this.#process;
    return child !== undefined && child.exitCode === null && child.signalCode === null;
  }

  get pid(): number {
    if (this.#process?.pid === undefined) throw new Error('xvifd does not run');
    return this.#process.pid;
  }

  get api(): ApiClient {
    if (this.#api === undefined) throw new Error('xvifd does not run');
    return this.#api;
  }

  /** Ends the daemon; gives its exit code, or rejects when it has to be killed. */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.#api?.close();
    this.#api = undefined;
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exit = once(child, 'exit');
    child.kill(signal);
    const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
    await exit;
    clearTimeout(late);
    if (child.signalCode === 'SIGKILL' && signal !== 'SIGKILL') throw new Error('xvifd did not end within 60 s');
    return child.exitCode;
  }

  async stop(): Promise<void> {
    await this.end();
  }

  ofctl(command: string, ...args: readonly string[]): Promise<string> {
    return sh('ovs-ofctl', '-O', 'OpenFlow13', command, `unix:${this.runDir}/${this.bridge}.mgmt`, ...args);
  }

  async ports(): Promise<readonly Port[]> {
    return (await this.api.call('listPorts', { bridge: this.bridge })).ports;
  }

  /** The port of a guest's vif, once it is up. */
  portOf(guest: Guest, handle = 0, seconds = 240): Promise<Port> {
    return eventually(
      `port of ${guest.name}'s vif ${handle} is up`,
      async () =>
        (await this.ports()).find(
          ({ vif, state }) => vif?.domid === guest.domid && vif.handle === handle && state === 'up',
        ),
      seconds,
    );
  }

  /** The latest lines of its log. */
  logEnd(lines = 8): string {
    try {
      return readFileSync(this.log, 'utf8')
        .trimEnd()
        .split('\n')
        .filter((line) => !line.includes('ECONNREFUSED'))
        .slice(-lines)
        .join('\n');
    } catch {
      return '';
    }
  }

  /** Resident memory in KiB. */
  residentKiB(): number {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.pid}/status`, 'utf8'))?.[1] ?? 0);
  }

  /** What its descriptors are: paths, or kinds such as "socket". */
  openFiles(): string[] {
    const folder = `/proc/${this.pid}/fd`;
    return readdirSync(folder).flatMap((fd) => {
      try {
        return [readlinkSync(`${folder}/${fd}`).replace(/:\[\d+\]$/, '')];
      } catch {
        return []; // closed in between
      }
    });
  }

  /** Mappings of granted pages. */
  grantMappings(): number {
    return readFileSync(`/proc/${this.pid}/maps`, 'utf8')
      .split('\n')
      .filter((line) => line.includes('gntdev')).length;
  }
}
