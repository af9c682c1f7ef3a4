/** Plays the native side for tests of the xenbus side: rings are numbers, traffic is none. */
import type {
  EmulatedHypervisor,
  FrontendOptions,
  HostileFrontend,
  NativeFrontend,
} from '../../../src/datapath/native-addon.js';

export class FakeFrontend implements NativeFrontend {
  queues: NativeFrontend['queues'] = [];
  control: NativeFrontend['control'];
  /** What was called, in order. */
  readonly calls: string[] = [];
  panicked: string | undefined;
  readonly options: FrontendOptions;
  readonly #hypervisor: FakeHypervisor;
  #closed = false;

  constructor(hypervisor: FakeHypervisor, options: FrontendOptions) {
    this.#hypervisor = hypervisor;
    this.options = options;
    this.#grant();
  }

  connect(): void {
    this.calls.push('connect');
  }

  disconnect(): void {
    this.calls.push('disconnect');
  }

  reopen(): void {
    this.calls.push('reopen');
    this.#revoke();
    this.#grant();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.calls.push('close');
    this.#revoke();
  }

  async ping(): Promise<{ sent: number; received: number; rttUs: number[] }> {
    return { sent: 0, received: 0, rttUs: [] };
  }
  async controlRequest(): Promise<never> {
    throw new Error('no backend plays here');
  }
  async stageBuffers(): Promise<boolean> {
    return false;
  }
  startTraffic(): void {}
  stopTraffic(): void {}
  sendFrame(): boolean {
    return false;
  }
  sendMulticastControl(): boolean {
    return false;
  }
  takeFrames(): never[] {
    return [];
  }
  stats() {
    return { txPackets: 0, txBytes: 0, rxPackets: 0, rxBytes: 0, txDropped: 0, rxErrors: 0, udpReceived: 0 };
  }

  #grant(): void {
    this.queues = Array.from({ length: this.options.queues }, () => {
      const evtchnTx = this.#hypervisor.nextEvtchn();
      return {
        txRingRef: this.#hypervisor.grant(),
        rxRingRef: this.#hypervisor.grant(),
        evtchnTx,
        evtchnRx: this.options.splitEventChannels ? this.#hypervisor.nextEvtchn() : evtchnTx,
      };
    });
    if (this.options.controlRing) {
      this.control = { ringRef: this.#hypervisor.grant(), evtchn: this.#hypervisor.nextEvtchn() };
    }
  }

  #revoke(): void {
    for (const { txRingRef, rxRingRef } of this.queues) {
      this.#hypervisor.revoke(txRingRef);
      this.#hypervisor.revoke(rxRingRef);
    }
    if (this.control !== undefined) this.#hypervisor.revoke(this.control.ringRef);
    this.queues = [];
    this.control = undefined;
  }
}

export class FakeHypervisor implements EmulatedHypervisor {
  readonly domains = new Set<number>();
  readonly frontends: FakeFrontend[] = [];
  readonly #granted = new Set<number>();
  readonly #mapped = new Set<number>();
  #nextRef = 8;
  #nextEvtchn = 1;

  createDomain(domid: number): void {
    if (this.domains.has(domid)) throw new Error(`domain ${domid} exists`);
    this.domains.add(domid);
  }

  destroyDomain(domid: number): void {
    this.domains.delete(domid);
  }

  createFrontend(domid: number, options: FrontendOptions): FakeFrontend {
    if (!this.domains.has(domid)) throw new Error(`no domain ${domid}`);
    const frontend = new FakeFrontend(this, options);
    this.frontends.push(frontend);
    return frontend;
  }

  createHostile(): HostileFrontend {
    throw new Error('there is no memory behind this hypervisor');
  }

  usage() {
    return {
      domains: this.domains.size,
      grantsGranted: this.#granted.size,
      grantsMapped: this.#mapped.size,
      evtchns: 0,
      threads: 0,
    };
  }

  grant(): number {
    const ref = this.#nextRef++;
    this.#granted.add(ref);
    return ref;
  }

  /** Throws when a backend still maps the page: a real frontend would have to leak it. */
  revoke(ref: number): void {
    if (this.#mapped.has(ref)) throw new Error(`grant ${ref} is still mapped`);
    this.#granted.delete(ref);
  }

  map(ref: number): void {
    if (!this.#granted.has(ref)) throw new Error(`grant ${ref} does not exist`);
    this.#mapped.add(ref);
  }

  unmap(ref: number): void {
    this.#mapped.delete(ref);
  }

  nextEvtchn(): number {
    return this.#nextEvtchn++;
  }
}
