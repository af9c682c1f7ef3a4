/** os-ken's spanning tree library keeps a loop of three bridges from turning, and mends a cut. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Osken } from '../lab/osken.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';
import { Wires } from '../lab/wires.js';

const GUEST_PORT = 3;

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe.each(['1.0', '1.3'])('a loop of three bridges, OpenFlow %s', (version) => {
  let controller: Osken;
  const wires = new Wires();
  const bridges: TestSwitch[] = [];
  const guests: Awaited<ReturnType<TestSwitch['tapGuest']>>[] = [];
  let rootToSecond: [string, string];

  beforeAll(async () => {
    controller = await Osken.start('spanning_tree', { OFP_VERSION: version });
    rootToSecond = await wires.add();
    const rootToThird = await wires.add();
    const secondToThird = await wires.add();
    const ends = [
      [rootToSecond[0], rootToThird[0]],
      [rootToSecond[1], secondToThird[0]],
      [rootToThird[1], secondToThird[1]],
    ];
    for (const [i, devices] of ends.entries()) {
      const bridge = await TestSwitch.start({
        bridge: `st${i + 1}`,
        args: [
          ...['--controller', controller.target, '--datapath-id', `${i + 1}`, '--local', 'null'],
          ...devices.flatMap((device, port) => ['--port', `w${port + 1}=packet:${device}`]),
        ],
      });
      bridges.push(bridge);
      // Each daemon begins with the same MAC address.
      guests.push(await bridge.tapGuest(i + 1, '--mac', `02:00:00:00:01:0${i + 1}`));
    }
  });

  afterAll(async () => {
    for (const bridge of bridges) await bridge.stop();
    await controller?.stop();
    await wires.stop();
  });

  /** Ports that forward nothing, as `BRIDGE:PORT`. */
  async function blocked(): Promise<string[]> {
    const found: string[] = [];
    for (const [i, bridge] of bridges.entries()) {
      for (const [, port, config] of (await bridge.ofctl('show')).matchAll(/^ (\d+)\(.*\n +config: +(.*)$/gm)) {
        if (/NO_FWD|PORT_DOWN/.test(config!)) found.push(`${i + 1}:${port}`);
      }
    }
    return found;
  }

  const sentToGuest = async (bridge: TestSwitch) =>
    Number(/tx pkts=(\d+)/.exec(await bridge.ofctl('dump-ports', `${GUEST_PORT}`))?.[1]);

  async function everyoneReachesEveryone(): Promise<void> {
    for (const from of guests) {
      for (const to of guests.filter((guest) => guest !== from)) {
        // Until the tree is as it stays, pings may be lost.
        const lossless = async () => (await ping(from.netns, to.ipv4, 5)) === 5;
        await eventually(`${from.name} to ${to.name}`, lossless, 90_000);
      }
    }
  }

  it('is cut by a blocked port, at the bridge farthest from being the root', async () => {
    await eventually(
      'the third bridge blocks its port to the second',
      async () => (await blocked()).join() === '3:2',
      90_000,
    );
    await everyoneReachesEveryone();
    expect(await blocked()).toEqual(['3:2']);
  });

  it('does not multiply broadcasts', async () => {
    const before = await sentToGuest(bridges[1]!);
    expect(await ping(guests[0]!.netns, '10.0.0.99', 1)).toBe(0);
    expect((await sentToGuest(bridges[1]!)) - before).toBeLessThan(100);
  });

  it('opens the blocked port when a link of the tree goes', async () => {
    await sh('ip', 'link', 'set', rootToSecond[0], 'down');
    await eventually('no port is blocked but the cut ones', async () => !(await blocked()).includes('3:2'), 120_000);
    await everyoneReachesEveryone();
  });

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg/);
  });
});
