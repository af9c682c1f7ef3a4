/** A host with the vif backend on it, over the fake hypervisor. */
import type { PortSettings, VifSpec } from '../../../src/datapath/datapath.js';
import { EmulatedHost } from '../../../src/guest/index.js';
import { VifBackend, type VifBackendOptions, type VifInfo } from '../../../src/vif/index.js';
import type { XenstoreClient } from '../../../src/xenstore/index.js';
import { FakeHypervisor } from './fake-hypervisor.js';

/** The bridge: maps rings, remembers what is attached. */
export class FakeBridge {
  readonly attached = new Map<string, VifSpec>();
  /** Of vifs attached, and what became of them since. */
  readonly settings = new Map<string, PortSettings>();
  readonly log: string[] = [];
  readonly #hypervisor: FakeHypervisor;
  /** Set to make attach() fail. */
  refuse: Error | undefined;

  constructor(hypervisor: FakeHypervisor) {
    this.#hypervisor = hypervisor;
  }

  attach(info: VifInfo, spec: VifSpec, settings: PortSettings): void {
    if (this.refuse !== undefined) throw this.refuse;
    if (this.attached.has(info.name)) throw new Error(`${info.name} is attached already`);
    try {
      for (const ref of ringRefs(spec)) this.#hypervisor.map(ref);
    } catch (error) {
      this.#unmap(spec);
      throw error;
    }
    this.attached.set(info.name, spec);
    this.settings.set(info.name, settings);
    this.log.push(`attach ${info.name}`);
  }

  configure(info: VifInfo, settings: PortSettings): void {
    this.settings.set(info.name, settings);
    this.log.push(`configure ${info.name}`);
  }

  detach(info: VifInfo): void {
    const spec = this.attached.get(info.name);
    if (spec === undefined) throw new Error(`${info.name} is not attached`);
    this.#unmap(spec);
    this.attached.delete(info.name);
    this.log.push(`detach ${info.name}`);
  }

  failed(_info: VifInfo | undefined, error: Error): void {
    this.log.push(`failed: ${error.message}`);
  }

  #unmap(spec: VifSpec): void {
    for (const ref of ringRefs(spec)) this.#hypervisor.unmap(ref);
  }
}

function ringRefs(spec: VifSpec): number[] {
  return spec.queues.flatMap(({ txRingRef, rxRingRef }) => [txRingRef, rxRingRef]);
}

export class Bed {
  readonly hypervisor = new FakeHypervisor();
  readonly bridge = new FakeBridge(this.hypervisor);
  readonly host: EmulatedHost;
  readonly store: XenstoreClient;
  backend: VifBackend;
  readonly #options: Partial<VifBackendOptions>;

  constructor(options: Partial<VifBackendOptions> = {}) {
    this.#options = options;
    this.host = new EmulatedHost({ hypervisor: this.hypervisor });
    this.store = this.host.openStore(0);
    this.backend = this.newBackend();
  }

  newBackend(): VifBackend {
    return new VifBackend({ store: this.host.openStore(0), hooks: this.bridge, ...this.#options });
  }

  async close(): Promise<void> {
    await this.backend.stop();
    await this.host.close();
  }

  read(path: string): Promise<string | undefined> {
    return this.store.readOrUndefined(path);
  }
}

export const builtin = { kind: 'builtin', ipv4: '10.0.0.2' } as const;

/** What `actual` gives once it equals `wanted`; fails with both after a while. */
export async function eventually<Value>(actual: () => Value | Promise<Value>, wanted: Value): Promise<void> {
  const deadline = Date.now() + 15_000;
  for (;;) {
    const value = await actual();
    if (JSON.stringify(value) === JSON.stringify(wanted)) return;
    if (Date.now() > deadline) throw new Error(`is ${JSON.stringify(value)}, not ${JSON.stringify(wanted)}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
