/** A private Open vSwitch with the userspace datapath: a peer to measure against. Needs root. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Child, eventually, sh } from './process.js';

export class OpenVswitch {
  readonly #dir = mkdtempSync(join(tmpdir(), 'xvif-ovs-'));
  readonly #children: Child[] = [];
  readonly #namespaces: string[] = [];
  #daemon: Child | undefined;
  readonly #tag = Math.random().toString(36).slice(2, 6);

  get #db(): string {
    return `unix:${join(this.#dir, 'db.sock')}`;
  }

  /** Where ovs-ofctl finds the bridge. */
  get target(): string {
    return `unix:${join(this.#dir, `ov${this.#tag}.mgmt`)}`;
  }

  /** Of the daemon. */
  get pid(): number {
    return this.#daemon!.pid;
  }

  /** Versions that the bridge speaks. */
  async protocols(names: string): Promise<void> {
    await this.vsctl('set', 'bridge', `ov${this.#tag}`, `protocols=${names}`);
  }

  vsctl(...args: string[]): Promise<string> {
    return sh('ovs-vsctl', `--db=${this.#db}`, '--timeout=20', ...args);
  }

  appctl(...args: string[]): Promise<string> {
    return sh('ovs-appctl', '-t', join(this.#dir, `ovs-vswitchd.${this.#daemon!.pid}.ctl`), ...args);
  }

  /**
   * One bridge that acts as a learning switch. A `dummy` datapath has no devices: its ports are `p<N>`, of the given
   * numbers, and frames come in by appctl's netdev-dummy/receive.
   */
  static async start(datapath: 'netdev' | 'dummy' = 'netdev', ports: readonly number[] = []): Promise<OpenVswitch> {
    const self = new OpenVswitch();
    const env = { OVS_RUNDIR: self.#dir, OVS_LOGDIR: self.#dir, OVS_DBDIR: self.#dir };
    const db = join(self.#dir, 'conf.db');
    await sh('ovsdb-tool', 'create', db, '/usr/share/openvswitch/vswitch.ovsschema');
    self.#children.push(new Child('ovsdb-server', [db, `--remote=p${self.#db}`, '--no-chdir'], env));
    await eventually('ovsdb-server answers', async () => (await self.vsctl('--no-wait', 'init')) === '');
    const options = ['--no-chdir', '--pidfile', ...(datapath === 'dummy' ? ['--enable-dummy'] : [])];
    self.#daemon = new Child('ovs-vswitchd', [self.#db, ...options], env);
    self.#children.push(self.#daemon);
    const bridge = `ov${self.#tag}`;
    await self.vsctl('add-br', bridge, '--', 'set', 'bridge', bridge, `datapath_type=${datapath}`);
    await eventually('the bridge answers', async () => (await sh('ovs-ofctl', 'show', self.target)).length > 0, 60_000);
    for (const n of ports) {
      const settings = ['type=dummy', `ofport_request=${n}`];
      await self.vsctl('add-port', bridge, `p${n}`, '--', 'set', 'interface', `p${n}`, ...settings);
    }
    return self;
  }

  /** A namespace whose eth0 is a port of the bridge, a TAP device of the userspace datapath. */
  async namespace(n: number): Promise<{ netns: string; ipv4: string }> {
    const netns = `ov${this.#tag}${n}`;
    const device = `ov${this.#tag}p${n}`;
    await sh('ip', 'netns', 'add', netns);
    this.#namespaces.push(netns);
    await this.vsctl('add-port', `ov${this.#tag}`, device, '--', 'set', 'interface', device, 'type=internal');
    await eventually(`${device} is there`, async () => (await sh('ip', 'link', 'show', device)).length > 0);
    await sh('ip', 'link', 'set', device, 'netns', netns, 'name', 'eth0');
    await sh('ip', '-n', netns, 'addr', 'add', `10.0.0.${n}/24`, 'dev', 'eth0');
    await sh('ip', '-n', netns, 'link', 'set', 'lo', 'up');
    await sh('ip', '-n', netns, 'link', 'set', 'eth0', 'up');
    return { netns, ipv4: `10.0.0.${n}` };
  }

  /** One link made of several kernel devices, by LACP with a message each second. */
  async bond(name: string, devices: readonly string[]): Promise<void> {
    const options = ['lacp=active', 'bond_mode=balance-slb', 'other_config:lacp-time=fast'];
    await this.vsctl('add-bond', `ov${this.#tag}`, name, ...devices, '--', 'set', 'port', name, ...options);
  }

  /** Gives the bridge to a controller, as datapath `id` with `devices` as ports 1 and on. */
  async control(target: string, protocol: string, id: number, devices: readonly string[]): Promise<void> {
    const bridge = `ov${this.#tag}`;
    await this.vsctl(
      ...['set', 'bridge', bridge, 'fail_mode=secure', `protocols=${protocol}`, 'other-config:disable-in-band=true'],
      `other-config:datapath-id=${id.toString(16).padStart(16, '0')}`,
      ...devices.flatMap((device, i) => {
        return ['--', 'add-port', bridge, device, '--', 'set', 'interface', device, `ofport_request=${i + 1}`];
      }),
      ...['--', 'set-controller', bridge, target],
      // What it has cached is soon gone, as the tester expects.
      ...['--', 'set', 'Open_vSwitch', '.', 'other_config:max-idle=100', 'other_config:max-revalidator=100'],
    );
  }

  async stop(): Promise<void> {
    await this.vsctl('--if-exists', 'del-br', `ov${this.#tag}`).catch(() => undefined);
    for (const child of this.#children.reverse()) await child.stop();
    for (const netns of this.#namespaces) await sh('ip', 'netns', 'del', netns).catch(() => undefined);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}
