import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Guests } from '../../../src/api/guests.js';
import type { AddGuestRequest } from '../../../src/api/messages.js';
import { Bridges } from '../../../src/bridge/bridges.js';
import type { EmulatedHost, GuestVifConfig } from '../../../src/guest/index.js';
import { createBridge } from '../bridge/fixture.js';

const request: AddGuestRequest = {
  name: 'g1',
  bridge: 'br0',
  mac: '',
  ip: '10.0.0.1/24',
  tap: '',
  netns: '',
  queues: 0,
  noSg: false,
  noGso: false,
  mtu: 0,
};

/** A host whose guests connect at once, or fail with `connectError`. */
class FakeHost {
  readonly made: { readonly name: string; readonly vif: GuestVifConfig }[] = [];
  readonly ping = vi.fn(async () => ({ sent: 1, received: 1, rttUs: [5] }));
  connectError: Error | undefined;
  #guests: { domid: number; name: string; vifs: object[] }[] = [];

  get guests() {
    return this.#guests;
  }

  readonly toolstack = {
    list: () => this.#guests.map(({ domid, name }) => ({ domid, name, vifs: [{ handle: 0, mac: `mac of ${name}` }] })),
  };

  guest(name: string) {
    return this.#guests.find((guest) => guest.name === name);
  }

  async addGuest({ name, vifs }: { name: string; vifs: readonly GuestVifConfig[] }) {
    this.made.push({ name, vif: vifs[0]! });
    const vif = {
      handle: 0,
      phase: 'connected',
      native: { ping: this.ping },
      waitConnected: async () => {
        if (this.connectError !== undefined) throw this.connectError;
      },
    };
    const guest = { domid: this.made.length, name, vifs: [vif] };
    this.#guests.push(guest);
    return guest;
  }

  async destroyGuest(domid: number) {
    this.#guests = this.#guests.filter((guest) => guest.domid !== domid);
  }
}

describe('guests', () => {
  const bridges = new Bridges();
  bridges.add(createBridge('br0').bridge);
  let host: FakeHost;
  let guests: Guests;
  beforeEach(() => {
    host = new FakeHost();
    guests = new Guests(host as unknown as EmulatedHost, bridges);
  });

  it('are added with a built-in stack', async () => {
    const guest = {
      name: 'g1',
      domid: 1,
      bridge: 'br0',
      port: 'xvif1i0',
      mac: 'mac of g1',
      ip: '10.0.0.1/24',
      tap: '',
      state: 'connected',
    };
    expect(await guests.add(request)).toEqual(guest);
    expect(guests.list()).toEqual([guest]);
    expect(host.made[0]!.vif).toEqual({
      bridge: 'br0',
      stack: { kind: 'builtin', ipv4: '10.0.0.1' },
      personality: { queues: 1, sg: true, gsoTcpv4: true, gsoTcpv6: true },
    });
  });

  it('are added with a TAP device, and with everything said', async () => {
    const all = { ip: '', tap: 't0', netns: 'n', mac: '00:16:3e:00:00:09', mtu: 9000, queues: 4, noSg: true };
    await guests.add({ ...request, ...all });
    expect(host.made[0]!.vif).toEqual({
      bridge: 'br0',
      mac: '00:16:3e:00:00:09',
      mtu: 9000,
      stack: { kind: 'tap', device: 't0', netns: 'n' },
      personality: { queues: 4, sg: false, gsoTcpv4: false, gsoTcpv6: false },
    });
    await expect(
      guests.ping({ guest: 'g1', address: 'a', count: 0, intervalMs: 0, timeoutMs: 0, size: 0 }),
    ).rejects.toThrow('no built-in stack');
  });

  it.each([
    [{ name: '' }, 'invalid', 'needs a name'],
    [{ name: 'a/b' }, 'invalid', 'needs a name'],
    [{ bridge: 'br9' }, 'notFound', 'no bridge "br9"'],
    [{ ip: '' }, 'invalid', 'either an address or a TAP'],
    [{ tap: 't0' }, 'invalid', 'either an address or a TAP'],
    [{ mtu: 67 }, 'invalid', '68 to 65517'],
    [{ mtu: 65_518 }, 'invalid', '68 to 65517'],
  ])('%o is refused', async (wrong, kind, words) => {
    const adding = guests.add({ ...request, ...wrong });
    await expect(adding).rejects.toMatchObject({ kind, message: expect.stringContaining(words) });
    expect(host.made).toEqual([]);
  });

  it('a name is taken from the moment of the request, and free again after', async () => {
    const first = guests.add(request);
    await expect(guests.add(request)).rejects.toMatchObject({ kind: 'exists' });
    await first;
    await guests.remove('g1');
    await guests.add(request);
  });

  it('one that does not connect is taken away again', async () => {
    host.connectError = new Error('vif 0 of domain 1 is still announced after 10000 ms');
    await expect(guests.add(request)).rejects.toThrow('guest "g1": vif 0 of domain 1 is still announced');
    expect(host.guests).toEqual([]);
    host.connectError = undefined;
    await guests.add(request);
  });

  it('unknown ones are refused', async () => {
    await expect(guests.remove('g1')).rejects.toMatchObject({ kind: 'notFound' });
    const ping = { guest: 'g1', address: '10.0.0.2', count: 0, intervalMs: 0, timeoutMs: 0, size: 0 };
    await expect(guests.ping(ping)).rejects.toMatchObject({ kind: 'notFound' });
  });

  it('ping fills in what was not said', async () => {
    await guests.add(request);
    const ping = { guest: 'g1', address: '10.0.0.2', count: 0, intervalMs: 0, timeoutMs: 50, size: 0 };
    expect(await guests.ping(ping)).toEqual({ sent: 1, received: 1, rttUs: [5] });
    expect(host.ping).toHaveBeenCalledWith('10.0.0.2', { count: 4, intervalMs: 1000, timeoutMs: 50, size: 56 });
    host.ping.mockRejectedValueOnce(new Error('"x" is no address'));
    await expect(guests.ping({ ...ping, address: 'x' })).rejects.toMatchObject({ kind: 'invalid' });
  });
});
