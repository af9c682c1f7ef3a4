/** The lab itself: guests on the kernel's backend, behind a Linux bridge and behind Open vSwitch. Needs no xvifd. */
import { type Backend, kernelBridge, kernelOpenVswitch } from '../dom0/backends.js';
import { Guest } from '../dom0/guest.js';
import { atLeast, equal, type Run } from '../dom0/run.js';
import { iperf, ping, reachable, serveIperf } from '../dom0/traffic.js';
import type { Scenario } from './scenario.js';

async function with2Guests(run: Run, backend: Backend): Promise<void> {
  await run.need(`${backend.title}: starts`, () => backend.start());
  let guests: Guest[] = [];
  await run.need(`${backend.title}: two guests start`, async () => {
    guests = await Promise.all([1, 2].map((n) => Guest.start(`g${n}`, { vifs: [backend.vif(n)] })));
    for (const [index, guest] of guests.entries()) await guest.configure(index + 1);
  });
  const [a, b] = guests as [Guest, Guest];
  await run.check(`${backend.title}: they ping each other`, async () => {
    await reachable(a, '10.0.0.2');
    equal(await ping(a, '10.0.0.2', 10), 10, 'answers');
  });
  await run.check(`${backend.title}: iperf3 TCP`, async () => {
    await serveIperf(b);
    const { bitsPerSecond, bytes } = await iperf(a, '10.0.0.2', { megabytes: 8 });
    atLeast(bytes, 8 << 19, 'bytes');
    return `${(bitsPerSecond / 1e6).toFixed(0)} Mbit/s`;
  });
  for (const guest of guests) await guest.destroy();
  await run.check(`${backend.title}: leaves nothing behind`, () => backend.stop());
}

export const baseline: Scenario = {
  name: 'baseline',
  seconds: 3600,
  shortSeconds: 0,
  run: async (run) => {
    await with2Guests(run, kernelBridge);
    await with2Guests(run, kernelOpenVswitch);
  },
};
