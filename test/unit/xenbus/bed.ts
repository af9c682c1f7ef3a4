/** One device by hand: nodes written by the test, a driver that only remembers. */
import { type Clock, systemClock } from '../../../src/base/clock.js';
import {
  type DeviceAddress,
  type DeviceDriver,
  DeviceError,
  type KeyReader,
  XenbusBackend,
} from '../../../src/xenbus/index.js';
import { EmulatedXenstore, XenstoreClient } from '../../../src/xenstore/index.js';

export const DOMID = 7;
export const BE = '/local/domain/0/backend/toy/7/3';
export const FE = '/local/domain/7/device/toy/3';

export class ToyDriver implements DeviceDriver {
  readonly address: DeviceAddress;
  readonly log: string[];
  connected = false;
  /** Thrown by the next connect(). */
  trouble: Error | undefined;

  constructor(address: DeviceAddress, log: string[]) {
    this.address = address;
    this.log = log;
  }

  async advertise(): Promise<Record<string, string>> {
    return { 'feature-toy': '1' };
  }

  async connect(frontend: KeyReader): Promise<void> {
    if (this.connected) this.log.push('BUG: connected twice');
    const { trouble } = this;
    this.trouble = undefined;
    if (trouble !== undefined) throw trouble;
    const ring = await frontend.read('ring');
    if (ring === undefined || !/^\d+$/.test(ring)) throw new DeviceError(`frontend key ring is ${ring}`);
    this.connected = true;
    this.log.push(`connect ${ring}`);
  }

  async refresh(): Promise<boolean> {
    return false;
  }

  async changed(frontend: KeyReader): Promise<boolean> {
    const ring = await frontend.read('ring').catch(() => undefined);
    return ring !== undefined && /^\d+$/.test(ring) && !this.log.at(-1)!.endsWith(` ${ring}`);
  }

  async disconnect(): Promise<void> {
    if (!this.connected) this.log.push('BUG: not connected');
    this.connected = false;
    this.log.push('disconnect');
  }

  failed(error: Error): void {
    this.log.push(`failed: ${error.message}`);
  }

  removed(): void {
    if (this.connected) this.log.push('BUG: removed while connected');
    this.log.push('removed');
  }
}

export class Bed {
  readonly xenstore = new EmulatedXenstore();
  readonly toolstack = new XenstoreClient(this.xenstore.connect(0));
  readonly guest = new XenstoreClient(this.xenstore.connect(DOMID));
  readonly store = new XenstoreClient(this.xenstore.connect(0));
  readonly log: string[] = [];
  readonly drivers: ToyDriver[] = [];
  readonly bus: XenbusBackend;

  constructor(clock: Clock = systemClock) {
    this.bus = new XenbusBackend({
      store: this.store,
      type: 'toy',
      clock,
      driver: (address) => {
        const driver = new ToyDriver(address, this.log);
        this.drivers.push(driver);
        return driver;
      },
    });
  }

  /** Both ends in state Initialising. */
  async plug(keys: Readonly<Record<string, string>> = {}): Promise<void> {
    await this.toolstack.transaction(async (nodes) => {
      await nodes.mkdir(BE);
      await nodes.setPerms(BE, [
        { domid: 0, access: 'n' },
        { domid: DOMID, access: 'r' },
      ]);
      for (const [key, value] of Object.entries({ online: '1', state: '1', ...keys })) {
        await nodes.write(`${BE}/${key}`, value);
      }
    });
    await this.plugFrontend();
  }

  async plugFrontend(): Promise<void> {
    await this.toolstack.transaction(async (nodes) => {
      await nodes.mkdir(FE);
      await nodes.setPerms(FE, [
        { domid: DOMID, access: 'n' },
        { domid: 0, access: 'r' },
      ]);
      await nodes.write(`${FE}/state`, '1');
    });
  }

  backendState(): Promise<string | undefined> {
    return this.toolstack.readOrUndefined(`${BE}/state`);
  }

  async until(state: string | undefined): Promise<void> {
    const deadline = Date.now() + 15_000;
    while ((await this.backendState()) !== state) {
      if (Date.now() > deadline) throw new Error(`backend is ${await this.backendState()}, not ${state}: ${this.log}`);
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  }

  /** What a frontend without fault does, from whatever stands there. */
  async connectWell(ring: string): Promise<void> {
    await this.guest.write(`${FE}/state`, '1');
    await this.until('2');
    await this.guest.transaction(async (nodes) => {
      await nodes.write(`${FE}/ring`, ring);
      await nodes.write(`${FE}/state`, '4');
    });
    await this.until('4');
  }

  async close(): Promise<void> {
    await this.bus.stop();
    for (const client of [this.toolstack, this.guest, this.store]) client.close();
    await this.xenstore.close();
  }
}
