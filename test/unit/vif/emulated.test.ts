/** What the hotplug script asks for, and what it is told, over xenstore. */
import { beforeEach, expect, it } from 'vitest';
import type { PortSettings } from '../../../src/datapath/datapath.js';
import { EMULATED_ANSWER_KEY, EMULATED_KEY, type EmulatedHooks, EmulatedInterface } from '../../../src/vif/emulated.js';
import { readVifInfo, type VifInfo } from '../../../src/vif/info.js';
import { DeviceError } from '../../../src/xenbus/index.js';

const address = {
  type: 'vif',
  domid: 7,
  id: 0,
  backendPath: '/local/domain/0/backend/vif/7/0',
  frontendPath: '/local/domain/7/device/vif/0',
};

let keys: Record<string, string>;
let did: string[];
let refusal: string | undefined;
let emulated: EmulatedInterface;

const hooks: EmulatedHooks = {
  attachEmulated: ({ portName }: VifInfo, device: string, settings: PortSettings) => {
    if (refusal !== undefined) throw new Error(refusal);
    did.push(`attach ${device} ${JSON.stringify(settings.vlan ?? null)}`);
    return `${portName}-emu`;
  },
  configureEmulated: (_, settings) => did.push(`configure ${settings.disabled === true}`),
  detachEmulated: ({ name }) => did.push(`detach ${name}`),
};

beforeEach(() => {
  keys = { bridge: 'br0.5' };
  did = [];
  refusal = undefined;
  emulated = new EmulatedInterface(hooks);
});

/** One look; what it writes is there afterwards. */
async function look(): Promise<Readonly<Record<string, string | undefined>>> {
  const backend = { read: async (key: string) => keys[key] };
  const readInfo = async () => {
    try {
      return await readVifInfo(address, backend);
    } catch (error) {
      if (error instanceof DeviceError) return error;
      throw error;
    }
  };
  const written = await emulated.look(backend, readInfo);
  for (const [key, value] of Object.entries(written)) {
    if (value === undefined) delete keys[key];
    else keys[key] = value;
  }
  return written;
}

it('nothing is asked for', async () => {
  expect(await look()).toEqual({});
  expect(did).toEqual([]);
});

it('a port while the key stands', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '12 port xvif7i0-emu' });
  expect(await look()).toEqual({});
  expect(did).toEqual(['attach vif7.0-emu {"tag":5,"trunks":[]}']);
  delete keys[EMULATED_KEY];
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: undefined });
  expect(did.slice(1)).toEqual(['detach xvif7i0']);
});

it('another number is another device, whatever its name', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  await look();
  keys[EMULATED_KEY] = 'vif7.0-emu 13';
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '13 port xvif7i0-emu' });
  expect(did.map((one) => one.split(' ')[0])).toEqual(['attach', 'detach', 'attach']);
});

it('an answer of a daemon before, or none any more, is written anew', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  keys[EMULATED_ANSWER_KEY] = '11 port xvif7i0-emu';
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '12 port xvif7i0-emu' });
  delete keys[EMULATED_ANSWER_KEY];
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '12 port xvif7i0-emu' });
});

it('follows the locking of the vif', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  await look();
  keys['locking-mode'] = 'disabled';
  await look();
  await look();
  expect(did.slice(1)).toEqual(['configure true']);
});

it('says why not, and takes it once it can', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  refusal = 'there is no bridge "br0"';
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '12 refused there is no bridge "br0"' });
  expect(await look()).toEqual({});
  refusal = undefined;
  expect(await look()).toEqual({ [EMULATED_ANSWER_KEY]: '12 port xvif7i0-emu' });
});

it('keys that make no sense', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  keys.mac = 'x';
  expect(await look()).toEqual({
    [EMULATED_ANSWER_KEY]: '12 refused backend key mac is "x", which makes no sense',
  });
  for (const text of ['', ' ', 'vif7.0-emu', '../lo 1', 'a b c', 'seventeen-letters-x 1', 'vif7.0-emu -1']) {
    keys[EMULATED_KEY] = text;
    await look();
    expect(keys[EMULATED_ANSWER_KEY], text).toMatch(
      /^0 refused backend key xvif-emulated is ".*", which makes no sense$/,
    );
  }
  expect(did).toEqual([]);
});

it('what is in force stays while a key makes no sense, and goes when the device does', async () => {
  keys[EMULATED_KEY] = 'vif7.0-emu 12';
  await look();
  keys.mac = 'x';
  expect(await look()).toEqual({});
  emulated.release();
  emulated.release();
  expect(did.slice(1)).toEqual(['detach xvif7i0']);
});
