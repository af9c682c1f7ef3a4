/** Linux guests: made by xl, spoken to over their console. */
import { randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { GuestConsole } from './guest-console.js';
import type { Answer, Party } from './party.js';
import { sh, succeeds, within } from './shell.js';

export interface GuestOptions {
  /** Entries of xl's `vif` list. */
  readonly vifs?: readonly string[];
  /** MiB. */
  readonly memory?: number;
  readonly vcpus?: number;
  /** xen-netfront's max_queues. */
  readonly queues?: number;
  readonly type?: 'pv' | 'pvh';
  /** Further lines of the configuration; they win over the others. */
  readonly lines?: readonly string[];
  /** Kernel parameters. */
  readonly extra?: string;
}

/**
 * Shell words for a guest: takes xen-netfront out. A device that is bound holds the module, so `modprobe -r` alone is
 * refused with EAGAIN ("Resource temporarily unavailable").
 */
export const unloadNetfront =
  '(cd /sys/bus/xen/drivers/vif && for vif in vif-*; do [ -e $vif ] && echo $vif >unbind; done); ' +
  'modprobe -r xen-netfront';

/** Time for a guest to get from `xl create` to its shell, in seconds. */
const START_SECONDS = 900;

export class Guest implements Party {
  #console: GuestConsole | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(
    readonly name: string,
    public domid: number,
  ) {}

  static async start(name: string, options: GuestOptions = {}): Promise<Guest> {
    const { vifs = [], memory = 192, vcpus = 1, queues, type = 'pv', lines = [], extra = '' } = options;
    const netfront = queues === undefined ? '' : ` NETFRONT=max_queues=${queues}`;
    const config = [
      `name='${name}'`,
      `type='${type}'`,
      `memory=${memory}`,
      `vcpus=${vcpus}`,
      "kernel='/lab/vmlinux'",
      "ramdisk='/lab/guest-initrd'",
      `extra='console=hvc0 quiet mitigations=off${netfront} ${extra}'`,
      `vif=[${vifs.map((vif) => `'${vif}'`).join(',')}]`,
      ...lines,
    ];
    mkdirSync('/run/lab', { recursive: true });
    writeFileSync(`/run/lab/${name}.cfg`, `${config.join('\n')}\n`);
    await within(START_SECONDS, 'xl', 'create', '-q', `/run/lab/${name}.cfg`);
    const guest = await Guest.find(name);
    await guest.ready();
    return guest;
  }

  /** A domain that exists. */
  static async find(name: string): Promise<Guest> {
    return new Guest(name, Number(await sh('xl', 'domid', name)));
  }

  /** Opens the console anew and waits for the shell; after a reboot. */
  async ready(): Promise<void> {
    await this.connect();
    await this.#console!.readUntil('guest-is-ready', START_SECONDS);
  }

  /** Opens the console of the domain that has the name now; after a restore, when the shell is already there. */
  async connect(): Promise<void> {
    this.#console?.close();
    this.#console = undefined;
    this.domid = Number(await sh('xl', 'domid', this.name));
    this.#console = await GuestConsole.open(this.domid);
  }

  /** Runs a shell command in the guest, after those before it. */
  ask(command: string, seconds = 300): Promise<Answer> {
    const answer = this.#turn.then(() => this.#ask(command, seconds));
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  async #ask(command: string, seconds: number): Promise<Answer> {
    if (this.#console === undefined) await this.connect();
    const mark = `--${randomUUID()}--`;
    this.#console!.write(`{ ${command}\n} </dev/null 2>&1; echo "${mark}$?"\n`);
    const { lines, last } = await this.#console!.readUntil(mark, seconds);
    const at = last.indexOf(mark);
    const output = [...lines, last.slice(0, at)].join('\n').trimEnd();
    return { status: Number(last.slice(at + mark.length)), output };
  }

  /** Like ask, but rejects when the command fails. */
  async run(command: string, seconds = 300): Promise<string> {
    const { status, output } = await this.ask(command, seconds);
    if (status !== 0) throw new Error(`guest ${this.name}: status ${status} of ${command}\n${output}`);
    return output;
  }

  /** Gives eth`index` its addresses, 10.INDEX.0.N and fd00:INDEX::N, and waits until it is up. */
  async configure(n: number, index = 0): Promise<void> {
    const device = `eth${index}`;
    await this.run(
      `ip link set ${device} up && ip addr add 10.${index}.0.${n}/24 dev ${device} && ` +
        `ip -6 addr add fd00:${index}::${n}/64 dev ${device} nodad`,
    );
  }

  async destroy(): Promise<void> {
    this.#console?.close();
    this.#console = undefined;
    if (await succeeds('xl', 'domid', this.name)) await sh('xl', 'destroy', this.name);
  }
}
