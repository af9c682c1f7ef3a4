/** A learning switch for os-ken in each version that os-ken speaks: real Linux stacks talk through it. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Osken } from '../lab/osken.js';
import { eventually } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { iperf3, ping } from '../lab/traffic.js';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 240_000 });

describe.each(['1.0', '1.2', '1.3', '1.4', '1.5'])('an OpenFlow %s application', (version) => {
  let controller: Osken;
  let xvif: TestSwitch;
  let guests: Awaited<ReturnType<TestSwitch['tapGuest']>>[];

  beforeAll(async () => {
    controller = await Osken.start('learning', { OFP_VERSION: version });
    xvif = await TestSwitch.start({ args: ['--controller', controller.target] });
    guests = [await xvif.tapGuest(1), await xvif.tapGuest(2), await xvif.tapGuest(3)];
    const [a, b] = guests as [(typeof guests)[0], (typeof guests)[0]];
    await eventually('the first ping', async () => (await ping(a.netns, b.ipv4, 1)) === 1, 30_000);
  });

  afterAll(async () => {
    await xvif?.stop();
    await controller?.stop();
  });

  it('is spoken to in its version', async () => {
    expect(await xvif.xvif('show')).toContain(`OpenFlow ${version}`);
  });

  it('lets every guest reach every other', async () => {
    for (const from of guests) {
      for (const to of guests.filter((guest) => guest !== from)) {
        // The first ones take the way through the controller.
        for (const address of [to.ipv4, to.ipv6]) {
          await eventually(`${from.name} to ${address}`, async () => (await ping(from.netns, address, 1)) === 1);
          expect(await ping(from.netns, address, 5), `${from.name} to ${address}`).toBe(5);
        }
      }
    }
  });

  it('runs TCP through flows that count it', async () => {
    const [a, , c] = guests as [(typeof guests)[0], unknown, (typeof guests)[0]];
    const { bitsPerSecond } = await iperf3(a.netns, c.netns, c.ipv4, '-n', '20M');
    expect(bitsPerSecond).toBeGreaterThan(0);
    const flows = (await xvif.ofctl('dump-flows')).split('\n').filter((line) => line.includes('priority=1,'));
    expect(flows.length).toBeGreaterThanOrEqual(2);
    const bytes = flows.map((line) => Number(/n_bytes=(\d+)/.exec(line)?.[1]));
    expect(Math.max(...bytes)).toBeGreaterThan(10e6); // iperf3's client leaves what is still on its way
  });

  it('adds what it needs and no error comes back', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg|error/i);
  });
});
