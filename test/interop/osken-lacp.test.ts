/** os-ken's LACP library bonds two ports with Open vSwitch at the other end of two wires. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { OpenVswitch } from '../lab/open-vswitch.js';
import { Osken } from '../lab/osken.js';
import { eventually, sh } from '../lab/process.js';
import { TestSwitch } from '../lab/switch.js';
import { ping } from '../lab/traffic.js';
import { Wires } from '../lab/wires.js';

// Long enough for a machine that does other things at the same time.
vi.setConfig({ testTimeout: 300_000, hookTimeout: 300_000 });

describe('a bond of two ports', () => {
  let controller: Osken;
  let xvif: TestSwitch;
  let peer: OpenVswitch;
  let guest: Awaited<ReturnType<TestSwitch['tapGuest']>>;
  let far: Awaited<ReturnType<OpenVswitch['namespace']>>;
  const wires = new Wires();
  let ours: string[];
  let theirs: string[];

  beforeAll(async () => {
    controller = await Osken.start('lacp');
    const pairs = [await wires.add(), await wires.add()];
    ours = pairs.map(([here]) => here);
    theirs = pairs.map(([, there]) => there);
    xvif = await TestSwitch.start({
      args: [
        ...['--controller', controller.target, '--datapath-id', '1'],
        ...ours.flatMap((device, i) => ['--port', `w${i + 1}=packet:${device}`]),
      ],
    });
    guest = await xvif.tapGuest(3);
    peer = await OpenVswitch.start();
    far = await peer.namespace(4);
    await peer.bond('bond0', theirs);
  });

  afterAll(async () => {
    await peer?.stop();
    await xvif?.stop();
    await controller?.stop();
    await wires.stop();
  });

  /** The members as the application counts them, and as the peer does. */
  async function members(): Promise<string> {
    const here = /bond: \[(.*)\](?![\s\S]*bond: )/.exec(controller.output)?.[1];
    const there = [];
    for (const [i, device] of theirs.entries()) {
      if ((await peer.vsctl('get', 'interface', device, 'lacp_current')).trim() === 'true') there.push(i + 1);
    }
    return `${here} / ${there.join(', ')}`;
  }

  async function carries(): Promise<void> {
    await eventually('a ping', async () => (await ping(guest.netns, far.ipv4, 1)) === 1, 60_000);
    const out = await sh('ip', 'netns', 'exec', far.netns, 'ping', '-c', '10', '-i', '0.05', '-W', '2', guest.ipv4);
    expect(out).toContain(' 0% packet loss');
    expect(out).not.toContain('DUP!');
  }

  it('is agreed on by both ends, and carries each packet once', async () => {
    await eventually('both are members', async () => (await members()) === '1, 2 / 1, 2', 60_000);
    await carries();
  });

  it.each([0, 1])(
    'carries on over the other wire when wire %i is cut',
    async (cut) => {
      const left = `${2 - cut}`;
      await sh('ip', 'link', 'set', ours[cut]!, 'down');
      await eventually('one member is left', async () => (await members()) === `${left} / ${left}`, 60_000);
      await carries();
      await sh('ip', 'link', 'set', ours[cut]!, 'up');
      await eventually('both are members again', async () => (await members()) === '1, 2 / 1, 2', 60_000);
      await carries();
    },
    300_000,
  );

  it('makes no mistake on the way', () => {
    expect(controller.output).not.toMatch(/Traceback|EventOFPErrorMsg/);
  });
});
