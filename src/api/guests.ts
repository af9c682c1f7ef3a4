/** Guests of the emulated hypervisor as the API knows them: by name, with one interface each. */
import { messageOf } from '../base/error.js';
import type { Bridges } from '../bridge/bridges.js';
import { Refusal } from '../bridge/refusal.js';
import type { EmulatedHost, GuestFrontend, GuestVifConfig } from '../guest/index.js';
import { MTU_MAX, MTU_MIN, vifName } from '../vif/index.js';
import type { AddGuestRequest, Guest, PingReply, PingRequest } from './messages.js';

/** How long a new guest may take until its interface is connected. */
const CONNECT_TIMEOUT_MS = 10_000;
const QUEUES_DEFAULT = 1;
const PING_DEFAULTS = { count: 4, intervalMs: 1000, timeoutMs: 1000, size: 56 } as const;

/** The host is undefined where the hypervisor is not the emulated one. */
export class Guests {
  readonly #host: EmulatedHost | undefined;
  readonly #bridges: Bridges;
  readonly #requests = new Map<string, AddGuestRequest>();

  constructor(host: EmulatedHost | undefined, bridges: Bridges) {
    this.#host = host;
    this.#bridges = bridges;
  }

  /** Resolves when the interface is connected; a guest that does not get so far is removed again. */
  async add(request: AddGuestRequest): Promise<Guest> {
    const host = this.#emulated();
    const { name } = request;
    if (!/^[A-Za-z0-9_.-]{1,64}$/.test(name)) {
      throw new Refusal('invalid', 'a guest needs a name of letters, digits, ".", "_" and "-"');
    }
    if (this.#requests.has(name)) throw new Refusal('exists', `a guest "${name}" exists already`);
    this.#bridges.get(request.bridge);
    const config = vifConfig(request);
    this.#requests.set(name, request);
    try {
      const guest = await host.addGuest({ name, vifs: [config] });
      await this.#connected(guest.vifs[0]!, guest.domid);
      return this.#describe(name);
    } catch (error) {
      // Removed meanwhile, the name may be another's by now.
      if (this.#requests.get(name) === request) this.#requests.delete(name);
      throw new Refusal('unavailable', `guest "${name}": ${messageOf(error)}`);
    }
  }

  async remove(name: string): Promise<void> {
    const host = this.#emulated();
    const guest = this.#find(name);
    this.#requests.delete(name);
    await host.destroyGuest(guest.domid);
  }

  list(): readonly Guest[] {
    return this.#host === undefined ? [] : this.#host.guests.map(({ name }) => this.#describe(name));
  }

  async ping(request: PingRequest): Promise<PingReply> {
    const { native } = this.#find(request.guest).vifs[0]!;
    if (native === undefined) throw new Refusal('unavailable', `guest "${request.guest}" is not connected`);
    if ((this.#requests.get(request.guest)?.tap ?? '') !== '') {
      throw new Refusal('unavailable', `guest "${request.guest}" has no built-in stack: ping from its TAP device`);
    }
    try {
      return await native.ping(request.address, {
        count: request.count || PING_DEFAULTS.count,
        intervalMs: request.intervalMs || PING_DEFAULTS.intervalMs,
        timeoutMs: request.timeoutMs || PING_DEFAULTS.timeoutMs,
        size: request.size || PING_DEFAULTS.size,
      });
    } catch (error) {
      throw new Refusal('invalid', `guest "${request.guest}": ${messageOf(error)}`);
    }
  }

  async #connected(vif: GuestFrontend, domid: number): Promise<void> {
    try {
      await vif.waitConnected(CONNECT_TIMEOUT_MS);
    } catch (error) {
      await this.#host!.destroyGuest(domid);
      throw error;
    }
  }

  #emulated(): EmulatedHost {
    if (this.#host === undefined)
      throw new Refusal('unavailable', 'guests are made by the toolstack of this hypervisor');
    return this.#host;
  }

  #find(name: string) {
    const guest = this.#emulated().guest(name);
    if (guest === undefined) throw new Refusal('notFound', `there is no guest "${name}"`);
    return guest;
  }

  #describe(name: string): Guest {
    const { domid, vifs } = this.#find(name);
    const { handle, phase } = vifs[0]!;
    const request = this.#requests.get(name);
    const vif = this.#host!.toolstack.list()
      .find((domain) => domain.domid === domid)
      ?.vifs.find((candidate) => candidate.handle === handle);
    return {
      name,
      domid,
      bridge: request?.bridge ?? '',
      port: vifName({ domid, handle }),
      mac: vif?.mac ?? '',
      ip: request?.ip ?? '',
      tap: request?.tap ?? '',
      state: phase,
    };
  }
}

function vifConfig(request: AddGuestRequest): GuestVifConfig {
  const { bridge, mac, ip, tap, netns, queues, noSg, noGso, mtu } = request;
  if ((ip === '') === (tap === '')) throw new Refusal('invalid', 'a guest needs either an address or a TAP device');
  if (mtu !== 0 && (mtu < MTU_MIN || mtu > MTU_MAX)) {
    throw new Refusal('invalid', `the MTU is ${mtu}, must be ${MTU_MIN} to ${MTU_MAX}`);
  }
  const gso = !noGso && !noSg;
  return {
    bridge,
    ...(mac === '' ? {} : { mac }),
    ...(mtu === 0 ? {} : { mtu }),
    stack:
      tap === ''
        ? { kind: 'builtin', ipv4: ip.replace(/\/.*$/, '') }
        : { kind: 'tap', device: tap, ...(netns === '' ? {} : { netns }) },
    personality: { queues: queues || QUEUES_DEFAULT, sg: !noSg, gsoTcpv4: gso, gsoTcpv6: gso },
  };
}
