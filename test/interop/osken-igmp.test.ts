/** os-ken's IGMP library as querier: multicast goes to the members, who are real kernels' sockets, and to nobody else. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Listener, sendDatagrams } from '../lab/datagrams.js';
import { Osken } from '../lab/osken.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';

const group = '239.1.2.3';
const groupMac = '01:00:5e:01:02:03';
const port = 5000;

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe('IGMP snooping', () => {
  let controller: Osken;
  let xvif: TestSwitch;
  let guests: Awaited<ReturnType<TestSwitch['tapGuest']>>[];
  const listeners: Listener[] = [];

  beforeAll(async () => {
    controller = await Osken.start('igmp');
    xvif = await TestSwitch.start({ args: ['--controller', controller.target, '--datapath-id', '1'] });
    guests = [await xvif.tapGuest(1), await xvif.tapGuest(2), await xvif.tapGuest(3)];
    for (const { netns } of guests) {
      // The library knows no IGMPv3.
      await sh('ip', 'netns', 'exec', netns, 'sysctl', '-qw', 'net.ipv4.conf.eth0.force_igmp_version=2');
    }
    await eventually(
      'the controller has it',
      async () => (await xvif.ofctl('dump-flows')).includes('CONTROLLER'),
      60_000,
    );
  });

  afterAll(async () => {
    for (const listener of listeners) await listener.stop();
    await xvif?.stop();
    await controller?.stop();
  });

  /** Ports that the group's flow from the sender leads to; undefined without one. */
  async function members(): Promise<string | undefined> {
    const flows = await xvif.ofctl('dump-flows');
    return new RegExp(`in_port=1,nw_dst=${group} actions=(.*)`).exec(flows)?.[1];
  }

  const send = () => sendDatagrams(guests[0]!.netns, guests[0]!.ipv4, group, port, 10);

  async function heard(listener: Listener, datagrams: number): Promise<void> {
    await eventually(`${datagrams} datagrams`, async () => listener.heard.length >= datagrams);
    expect(listener.heard).toHaveLength(datagrams);
  }

  it('brings a group to nobody, then to its only member, then to two, then to the one that stays', async () => {
    const [, second, third] = guests as [unknown, (typeof guests)[0], (typeof guests)[0]];
    const atThird = await Listener.frames(third.netns, 'eth0', groupMac);
    const atSecond = await Listener.frames(second.netns, 'eth0', groupMac);
    listeners.push(atThird, atSecond);
    await send();

    const first = await Listener.udp(second.netns, port, [group, second.ipv4]);
    listeners.push(first);
    await eventually('the second guest is a member', async () => (await members()) === 'output:2', 30_000);
    await send();
    await heard(first, 10);
    expect(atSecond.heard).toHaveLength(10);
    expect(atThird.heard).toEqual([]);

    const other = await Listener.udp(third.netns, port, [group, third.ipv4]);
    listeners.push(other);
    await eventually('both are members', async () => (await members()) === 'output:2,output:3', 30_000);
    await send();
    await heard(first, 20);
    await heard(other, 10);

    await first.stop();
    await eventually('the third guest stays', async () => (await members()) === 'output:3', 30_000);
    const before = atSecond.heard.length;
    await send();
    await heard(other, 20);
    expect(atSecond.heard).toHaveLength(before);

    await other.stop();
    await eventually('the group is gone', async () => (await members()) === undefined, 30_000);
  });

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg/);
  });
});
