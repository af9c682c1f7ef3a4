/** What the backend leaves in xenstore for the hotplug script. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { silentLogger } from '../../../src/base/logger.js';
import { VERDICT_KEY, VifBackend } from '../../../src/vif/index.js';
import { Bed, builtin, eventually } from '../guest/bed.js';

const BE = '/local/domain/0/backend/vif/1/0';
const UUID = '0b6b6a6e-5d6a-4f0e-8d6f-2f7d1c7f9a11';

let bed: Bed;
let refusal: string | undefined;

beforeEach(async () => {
  refusal = undefined;
  bed = new Bed();
  Object.assign(bed.bridge, { refusal: () => refusal });
  await bed.backend.start();
});
afterEach(() => bed.close());

const verdict = () => bed.read(`${BE}/${VERDICT_KEY}`);

describe('the verdict', () => {
  it('names the port', async () => {
    const guest = await bed.host.addGuest({ name: 'guest', vifs: [{ stack: builtin }] });
    await guest.vifs[0]!.waitConnected();
    expect(await verdict()).toBe('port xvif1i0');
  });

  it('says why the bridge would refuse the vif, and no longer when it would not', async () => {
    refusal = 'there is no bridge "br9"';
    const write = (keys: Record<string, string>) =>
      bed.store.transaction(async (nodes) => {
        for (const [key, value] of Object.entries(keys)) await nodes.write(`${BE}/${key}`, value);
      });
    await write({ state: '1', online: '1' });
    await bed.store.write('/local/domain/1/device/vif/0/state', '1');
    await eventually(verdict, 'refused there is no bridge "br9"');
    expect(await bed.read(`${BE}/state`)).toBe('2');
    refusal = undefined;
    await write({ state: '1', vifname: 'web' });
    await eventually(verdict, 'port web');
    await write({ state: '1', mac: 'nonsense' });
    await eventually(verdict, 'refused backend key mac is "nonsense", which makes no sense');
  });

  it('knows the bridge that xenopsd keeps elsewhere', async () => {
    let seen: string | undefined;
    Object.assign(bed.bridge, {
      refusal: ({ bridge }: { bridge: { name: string } | undefined }) => {
        seen = bridge?.name;
      },
    });
    await bed.store.write('/local/domain/1/vm', `/vm/${UUID}`);
    await bed.store.write(`/xapi/${UUID}/private/vif/0/bridge`, 'xapi3');
    await bed.store.write('/local/domain/1/device/vif/0/state', '1');
    await bed.store.write(`${BE}/state`, '1');
    await eventually(verdict, 'port xvif1i0');
    expect(seen).toBe('xapi3');
  });
});

it('its end is told with the vif’s own name', async () => {
  const removed: string[] = [];
  Object.assign(bed.bridge, { removed: (name: string) => void removed.push(name) });
  await bed.store.write('/local/domain/1/device/vif/0/state', '1');
  await bed.store.write(`${BE}/vifname`, 'web');
  await bed.store.write(`${BE}/state`, '1');
  await eventually(verdict, 'port web');
  expect(removed).toEqual([]);
  await bed.store.rm(BE);
  await eventually(() => [...new Set(removed)], ['xvif1i0']);
});

describe('a vif without a verdict', () => {
  const lines: string[] = [];
  const foreign = async (state: string) => {
    const logger = { ...silentLogger, warn: (_: unknown, text: string) => void lines.push(text) };
    await bed.backend.stop();
    bed.backend = new VifBackend({ store: bed.host.openStore(0), hooks: bed.bridge, logger });
    await bed.store.write('/local/domain/1/device/vif/0/state', '4');
    await bed.store.write(`${BE}/state`, state);
    await bed.backend.start();
  };

  it.each(['2', '4', '5', '6'])('is another backend’s if it is found in state %s', async (state) => {
    lines.length = 0;
    await foreign(state);
    await eventually(() => lines, ['device is served by another backend']);
    for (const again of ['1', '4']) await bed.store.write('/local/domain/1/device/vif/0/state', again);
    await bed.store.write(`${BE}/online`, '0');
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await bed.read(`${BE}/state`)).toBe(state);
    expect(await bed.store.directory(BE)).toEqual(['state', 'online']);
    expect(lines).toHaveLength(1);
    // Given back by hand.
    await bed.store.write(`${BE}/online`, '1');
    await bed.store.write(`${BE}/state`, '1');
    await eventually(verdict, 'port xvif1i0');
  });

  it('is ours from the first state that we write, whichever', async () => {
    await bed.store.write('/local/domain/1/device/vif/0/state', '6');
    await bed.store.write(`${BE}/state`, '1');
    await eventually(() => bed.read(`${BE}/state`), '6');
    expect(await verdict()).toBe('port xvif1i0');
    await bed.backend.stop();
    bed.backend = bed.newBackend();
    await bed.backend.start();
    await bed.store.write('/local/domain/1/device/vif/0/state', '1');
    await eventually(() => bed.read(`${BE}/state`), '2');
  });
});
