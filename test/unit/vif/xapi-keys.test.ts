import { expect, it } from 'vitest';
import { xapiReader } from '../../../src/vif/xapi-keys.js';
import { XenstoreError } from '../../../src/xenstore/index.js';

const UUID = '0b6b6a6e-5d6a-4f0e-8d6f-2f7d1c7f9a11';

/** Keys of one look, and what was asked of xenstore for them. */
async function look(nodes: Record<string, string>, locked?: string) {
  const asked: string[] = [];
  const read = xapiReader(
    {
      readOrUndefined: async (path: string) => {
        asked.push(path);
        if (path === locked) throw new XenstoreError('EACCES', 'READ', path);
        return nodes[path];
      },
    },
    { domid: 7, handle: 3 },
  );
  const keys = await Promise.all(['bridge', 'locking-mode', 'ipv4-allowed'].map(read));
  return { keys, asked };
}

it('the directory is looked for once', async () => {
  const directory = `/xapi/${UUID}/private/vif/3`;
  const nodes = { '/local/domain/7/vm': `/vm/${UUID}`, [`/xapi/${UUID}`]: '', [`${directory}/bridge`]: 'xapi3' };
  const { keys, asked } = await look(nodes);
  expect(keys).toEqual(['xapi3', undefined, undefined]);
  expect(asked).toHaveLength(5);
});

it('without xenopsd nothing more is asked', async () => {
  expect(await look({ '/local/domain/7/vm': `/vm/${UUID}` })).toEqual({
    keys: [undefined, undefined, undefined],
    asked: ['/local/domain/7/vm', `/xapi/${UUID}`],
  });
  expect((await look({})).asked).toEqual(['/local/domain/7/vm']);
});

it('what may not be read is not there', async () => {
  const nodes = { '/local/domain/7/vm': `/vm/${UUID}` };
  expect((await look(nodes, '/local/domain/7/vm')).keys).toEqual([undefined, undefined, undefined]);
  // But perhaps what is below it.
  const below = { ...nodes, [`/xapi/${UUID}/private/vif/3/locking-mode`]: 'locked' };
  expect((await look(below, `/xapi/${UUID}`)).keys).toEqual([undefined, 'locked', undefined]);
});
