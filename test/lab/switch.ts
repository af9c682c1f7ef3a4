/** xvifd as a child, and guests whose stack is a real kernel's in a network namespace. Needs root. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, eventually, root, sh } from './process.js';

export interface SwitchOptions {
  readonly args?: readonly string[];
  readonly bridge?: string;
}

export interface TapGuest {
  readonly name: string;
  readonly netns: string;
  readonly ipv4: string;
  readonly ipv6: string;
}

/** xvifd with one bridge on the emulated hypervisor, and guests that stand in network namespaces. */
export class TestSwitch {
  readonly runDir = mkdtempSync(join(tmpdir(), 'xvif-interop-'));
  readonly bridge: string;
  readonly daemon: Child;
  readonly #namespaces: string[] = [];
  readonly #tag = Math.random().toString(36).slice(2, 6);

  private constructor(options: SwitchOptions) {
    this.bridge = options.bridge ?? 'br0';
    this.daemon = new Child(process.execPath, [
      join(root, 'dist/bin/xvifd.js'),
      '--run-dir',
      this.runDir,
      '--bridge',
      this.bridge,
      ...(options.args ?? []),
    ]);
  }

  static async start(options: SwitchOptions = {}): Promise<TestSwitch> {
    const self = new TestSwitch(options);
    try {
      await eventually(
        'xvifd answers',
        async () => {
          if (!self.daemon.running) throw new Error(`xvifd ended:\n${self.daemon.output}`);
          return (await self.xvif('show')).length > 0;
        },
        60_000,
      );
    } catch (error) {
      await self.stop();
      throw error;
    }
    return self;
  }

  /** Where ovs-ofctl finds the bridge. */
  get target(): string {
    return `unix:${join(this.runDir, `${this.bridge}.mgmt`)}`;
  }

  xvif(...args: string[]): Promise<string> {
    return sh(process.execPath, join(root, 'dist/bin/xvif.js'), '--run-dir', this.runDir, ...args);
  }

  ofctl(...args: string[]): Promise<string> {
    const [command, ...rest] = args;
    return sh('ovs-ofctl', '-O', 'OpenFlow13', command!, this.target, ...rest);
  }

  /** A guest whose frontend is joined to a TAP in a namespace of its own, with addresses 10.0.0.N and fd00::N. */
  tapGuest(n: number, ...options: string[]): Promise<TapGuest> {
    return this.namedGuest(`g${n}`, n, ...options);
  }

  /** The same by a name that documents know it by. */
  async namedGuest(name: string, n: number, ...options: string[]): Promise<TapGuest> {
    const netns = `xv${this.#tag}${name}`;
    await sh('ip', 'netns', 'add', netns);
    this.#namespaces.push(netns);
    const [ipv4, ipv6] = [`10.0.0.${n}`, `fd00::${n}`];
    await sh('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    await this.xvif('guest', 'add', name, '--bridge', this.bridge, '--tap', 'eth0', '--netns', netns, ...options);
    await eventually(
      `${name} has its device`,
      async () => (await sh('ip', '-n', netns, 'link', 'show', 'eth0')).length > 0,
    );
    await sh('ip', '-n', netns, 'addr', 'add', `${ipv4}/24`, 'dev', 'eth0');
    await sh('ip', '-n', netns, '-6', 'addr', 'add', `${ipv6}/64`, 'dev', 'eth0', 'nodad');
    await sh('ip', '-n', netns, 'link', 'set', 'eth0', 'up');
    return { name, netns, ipv4, ipv6 };
  }

  async stop(): Promise<void> {
    await this.daemon.stop();
    for (const netns of this.#namespaces) await sh('ip', 'netns', 'del', netns).catch(() => undefined);
    rmSync(this.runDir, { recursive: true, force: true });
  }
}
