/** A whole emulated Xen host in this process: xenstored, toolstack, guests, vif backend and one native datapath. */
import type { PortNo } from '../../src/datapath/datapath.js';
import { NativeDatapathAdapter } from '../../src/datapath/native.js';
import { loadAddon, type NativeRuntime } from '../../src/datapath/native-addon.js';
import { type EmulatedGuest, EmulatedHost, type Personality } from '../../src/guest/index.js';
import { VifBackend } from '../../src/vif/index.js';
import { normalEverywhere } from './normal.js';

export class XenHost {
  readonly runtime: NativeRuntime;
  readonly datapath: NativeDatapathAdapter;
  readonly host: EmulatedHost;
  readonly backend: VifBackend;
  readonly errors: string[] = [];
  readonly #ports = new Map<string, PortNo>();
  readonly #ticker: NodeJS.Timeout;
  #next = 1;

  private constructor(workers: number) {
    this.runtime = loadAddon().openRuntime({ workers, hypervisor: 'emulated' });
    this.datapath = new NativeDatapathAdapter(this.runtime);
    normalEverywhere(this.datapath);
    this.host = new EmulatedHost({ hypervisor: this.runtime.emulated });
    this.backend = new VifBackend({
      store: this.host.openStore(0),
      hooks: {
        attach: ({ name }, spec, settings) => {
          const port = this.#next++ as PortNo;
          this.datapath.portAttach(port, spec, settings);
          this.#ports.set(name, port);
        },
        configure: ({ name }, settings) => {
          const port = this.#ports.get(name);
          if (port !== undefined) this.datapath.portConfigure(port, settings);
        },
        detach: ({ name }) => {
          const port = this.#ports.get(name);
          if (port !== undefined) this.datapath.portDetach(port);
          this.#ports.delete(name);
        },
        failed: (info, error) => this.errors.push(`${info?.name}: ${error.message}`),
      },
    });
    this.#ticker = setInterval(() => this.datapath.tick(), 50);
  }

  static async start(workers = 1): Promise<XenHost> {
    const self = new XenHost(workers);
    await self.backend.start();
    return self;
  }

  get ports(): number {
    return this.#ports.size;
  }

  /** A guest with a built-in stack at 10.0.0.0/16 + n, connected. */
  async guest(n: number, personality: Partial<Personality> = { queues: 1 }): Promise<EmulatedGuest> {
    const guest = await this.host.addGuest({
      name: `g${n}`,
      vifs: [{ stack: { kind: 'builtin', ipv4: address(n), ipv6: `fd00::${n.toString(16)}` }, personality }],
    });
    await guest.vifs[0]!.waitConnected();
    return guest;
  }

  async stop(): Promise<void> {
    clearInterval(this.#ticker);
    await this.backend.stop();
    await this.host.close();
    this.datapath.close();
    this.runtime.close();
  }
}

export function address(n: number): string {
  return `10.0.${n >> 8}.${n & 255}`;
}
