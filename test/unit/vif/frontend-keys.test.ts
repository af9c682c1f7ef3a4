/** What a frontend may write, and what is made of it (io/netif.h; hostile-frontend checklist 19). */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readFrontend } from '../../../src/vif/frontend-keys.js';
import { DeviceError, type KeyReader } from '../../../src/xenbus/index.js';

const ID = { domid: 5, handle: 0 };

function reader(keys: Readonly<Record<string, string | undefined>>): KeyReader {
  return { read: async (key) => keys[key] };
}

const flat = {
  'request-rx-copy': '1',
  'tx-ring-ref': '8',
  'rx-ring-ref': '9',
  'event-channel': '3',
};

const two = {
  'request-rx-copy': '1',
  'multi-queue-num-queues': '2',
  'queue-0/tx-ring-ref': '8',
  'queue-0/rx-ring-ref': '9',
  'queue-0/event-channel-tx': '3',
  'queue-0/event-channel-rx': '4',
  'queue-1/tx-ring-ref': '10',
  'queue-1/rx-ring-ref': '11',
  'queue-1/event-channel-tx': '5',
  'queue-1/event-channel-rx': '6',
};

const linux = {
  'feature-rx-notify': '1',
  'feature-sg': '1',
  'feature-gso-tcpv4': '1',
  'feature-gso-tcpv6': '1',
  'feature-ipv6-csum-offload': '1',
};

describe('queues', () => {
  it('flat, one channel', async () => {
    expect((await readFrontend(reader(flat), ID, 8)).queues).toEqual([
      { txRingRef: 8, rxRingRef: 9, evtchnTx: 3, evtchnRx: 3 },
    ]);
  });

  it('flat, split channels', async () => {
    const split = { ...flat, 'event-channel': undefined, 'event-channel-tx': '3', 'event-channel-rx': '4' };
    expect((await readFrontend(reader(split), ID, 8)).queues).toMatchObject([{ evtchnTx: 3, evtchnRx: 4 }]);
  });

  it('flat although the number is named, as Unikraft does', async () => {
    const spec = await readFrontend(reader({ ...flat, 'multi-queue-num-queues': '1' }), ID, 8);
    expect(spec.queues).toHaveLength(1);
  });

  it('one queue in queue-0', async () => {
    const one = { ...two, 'multi-queue-num-queues': '1' };
    expect((await readFrontend(reader(one), ID, 8)).queues).toMatchObject([{ txRingRef: 8, evtchnRx: 4 }]);
  });

  it('several', async () => {
    expect((await readFrontend(reader(two), ID, 8)).queues).toEqual([
      { txRingRef: 8, rxRingRef: 9, evtchnTx: 3, evtchnRx: 4 },
      { txRingRef: 10, rxRingRef: 11, evtchnTx: 5, evtchnRx: 6 },
    ]);
  });

  it.each([
    [{ ...flat, 'tx-ring-ref': undefined }, 'frontend key tx-ring-ref is missing'],
    [{ ...flat, 'rx-ring-ref': '0' }, 'frontend key rx-ring-ref is "0", must be 1..4294967295'],
    [{ ...flat, 'rx-ring-ref': '4294967296' }, 'frontend key rx-ring-ref is "4294967296", must be 1..4294967295'],
    [{ ...flat, 'rx-ring-ref': '8' }, 'frontend uses ring reference 8 twice'],
    [{ ...flat, 'event-channel': undefined }, 'frontend key event-channel is missing'],
    [{ ...flat, 'event-channel': '0' }, 'frontend key event-channel is "0", must be 1..131071'],
    [{ ...flat, 'event-channel-tx': '3' }, 'frontend key event-channel-rx is missing'],
    [{ ...flat, 'request-rx-copy': '0' }, 'frontend key request-rx-copy must be 1: pages are not flipped'],
    [{ ...flat, 'request-rx-copy': undefined }, 'frontend key request-rx-copy must be 1: pages are not flipped'],
    [{ ...flat, 'feature-sg': 'yes' }, 'frontend key feature-sg is "yes", must be 0 or 1'],
    [{ ...two, 'multi-queue-num-queues': '0' }, 'frontend key multi-queue-num-queues is "0", must be 1..8'],
    [{ ...two, 'multi-queue-num-queues': '9' }, 'frontend key multi-queue-num-queues is "9", must be 1..8'],
    [{ ...two, 'multi-queue-num-queues': '-1' }, 'frontend key multi-queue-num-queues is "-1", must be 1..8'],
    [{ ...two, 'multi-queue-num-queues': '1 ' }, 'frontend key multi-queue-num-queues is "1 ", must be 1..8'],
    [{ ...two, 'multi-queue-num-queues': '4294967296' }, /is "4294967296", must be 1..8/],
    [{ ...two, 'multi-queue-num-queues': '3' }, 'frontend key queue-2/tx-ring-ref is missing'],
    [{ ...two, 'queue-1/tx-ring-ref': '9' }, 'frontend uses ring reference 9 twice'],
    [{ ...two, 'queue-1/event-channel-tx': '4' }, 'frontend uses event channel 4 twice'],
    [{ ...flat, 'tx-ring-ref': '8\0' }, 'frontend key tx-ring-ref is "8\\u0000", must be 1..4294967295'],
    [{ ...flat, 'tx-ring-ref': 'x'.repeat(2048) }, /^frontend key tx-ring-ref is "x{40}…", must be/],
  ])('%#: %s', async (keys, message) => {
    const spec = readFrontend(reader(keys), ID, 8);
    await expect(spec).rejects.toThrow(DeviceError);
    await expect(spec).rejects.toThrow(message);
  });
});

describe('control ring', () => {
  const control = { 'ctrl-ring-ref': '20', 'event-channel-ctrl': '21' };

  it('both keys, or none', async () => {
    expect((await readFrontend(reader({ ...two, ...control }), ID, 8)).control).toEqual({ ringRef: 20, evtchn: 21 });
    expect(await readFrontend(reader(two), ID, 8)).not.toHaveProperty('control');
  });

  it.each([
    [{ 'ctrl-ring-ref': '20' }, 'frontend key event-channel-ctrl is missing'],
    [{ 'event-channel-ctrl': '21' }, 'frontend key ctrl-ring-ref is missing'],
    [{ ...control, 'ctrl-ring-ref': '0' }, 'frontend key ctrl-ring-ref is "0", must be 1..4294967295'],
    [{ ...control, 'event-channel-ctrl': '-1' }, 'frontend key event-channel-ctrl is "-1", must be 1..131071'],
    [{ ...control, 'ctrl-ring-ref': '11' }, 'frontend uses ring reference 11 twice'],
    [{ ...control, 'event-channel-ctrl': '6' }, 'frontend uses event channel 6 twice'],
  ])('%#: %s', async (keys, message) => {
    const spec = readFrontend(reader({ ...two, ...keys }), ID, 8);
    await expect(spec).rejects.toThrow(DeviceError);
    await expect(spec).rejects.toThrow(message);
  });
});

describe('features', () => {
  it('as Linux writes them', async () => {
    expect(await readFrontend(reader({ ...flat, ...linux }), ID, 8)).toMatchObject({
      ...ID,
      kind: 'vif',
      sg: true,
      gsoTcpv4: true,
      gsoTcpv6: true,
      csumBlankIpv4: true,
      csumBlankIpv6: true,
      rxNotify: true,
    });
  });

  it('who writes none gets complete checksums, though the letter allows blank ones', async () => {
    expect(await readFrontend(reader(flat), ID, 8)).toMatchObject({
      sg: false,
      gsoTcpv4: false,
      gsoTcpv6: false,
      csumBlankIpv4: false,
      csumBlankIpv6: false,
      rxNotify: false,
    });
  });

  it.each(['feature-sg', 'feature-gso-tcpv4', 'feature-gso-tcpv6', 'feature-ipv6-csum-offload', 'feature-rx-notify'])(
    'whoever writes %s, even 0, knows of blank checksums',
    async (key) => {
      expect(await readFrontend(reader({ ...flat, [key]: '0' }), ID, 8)).toMatchObject({ csumBlankIpv4: true });
    },
  );

  it('feature-no-csum-offload: no blank IPv4 checksum, hence no IPv4 segmentation', async () => {
    const keys = { ...flat, ...linux, 'feature-no-csum-offload': '1' };
    expect(await readFrontend(reader(keys), ID, 8)).toMatchObject({
      csumBlankIpv4: false,
      gsoTcpv4: false,
      csumBlankIpv6: true,
      gsoTcpv6: true,
    });
  });

  it('segmentation needs several slots', async () => {
    expect(await readFrontend(reader({ ...flat, ...linux, 'feature-sg': '0' }), ID, 8)).toMatchObject({
      sg: false,
      gsoTcpv4: false,
      gsoTcpv6: false,
    });
  });
});

/** What each frontend writes, as found in its sources, and the checksums it may then be sent blank. */
describe('blank checksums only for those who showed that they know them', () => {
  const windows = { ...linux, 'feature-gso-tcpv4-prefix': '1', 'feature-gso-tcpv6-prefix': '1' };
  const freeBsd = { 'feature-rx-notify': '1', 'feature-sg': '1', 'feature-gso-tcpv4': '1', 'feature-gso-tcpv6': '0' };
  const netBsd = { 'feature-rx-notify': '1', 'feature-sg': '1', 'feature-ipv6-csum-offload': '1' };
  it.each([
    ['Linux netfront', linux, true, true],
    ['Windows xenvif', windows, true, true],
    [
      'Windows xenvif, offloads off',
      { ...windows, 'feature-no-csum-offload': '1', 'feature-ipv6-csum-offload': '0' },
      false,
      false,
    ],
    ['FreeBSD xn with LRO', freeBsd, true, false],
    [
      'FreeBSD xn without RXCSUM',
      { ...freeBsd, 'feature-gso-tcpv4': '0', 'feature-no-csum-offload': '1' },
      false,
      false,
    ],
    ['NetBSD xennet', netBsd, true, true],
    ['NetBSD xennet before scatter-gather', { 'feature-rx-notify': '1' }, true, false],
    ['Mini-OS', {}, false, false],
    ['Unikraft', { 'multi-queue-num-queues': '1' }, false, false],
  ])('%s', async (_name, keys, ipv4, ipv6) => {
    const spec = await readFrontend(reader({ ...flat, ...keys }), ID, 8);
    expect({ ipv4: spec.csumBlankIpv4, ipv6: spec.csumBlankIpv6 }).toEqual({ ipv4, ipv6 });
    // A frame yet to be segmented has a blank checksum.
    if (!ipv4) expect(spec.gsoTcpv4).toBe(false);
    if (!ipv6) expect(spec.gsoTcpv6).toBe(false);
  });
});

describe('anything at all', () => {
  it('gives a valid spec or a DeviceError', async () => {
    const keyNames = [...new Set([...Object.keys(flat), ...Object.keys(two), ...Object.keys(linux)])];
    const text = fc.oneof(
      fc.constantFrom('0', '1', '2', '8', '9', '131072', '-1', '', '1 ', '01', '1e3', '0x1', '4294967295'),
      fc.string({ maxLength: 10 }),
      fc.integer({ min: 1, max: 30 }).map(String),
    );
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(flat, two),
        fc.dictionary(fc.constantFrom(...keyNames), fc.option(text, { nil: undefined })),
        async (base, changes) => {
          try {
            const { queues } = await readFrontend(reader({ ...base, ...changes }), ID, 8);
            expect(queues.length).toBeGreaterThanOrEqual(1);
            expect(queues.length).toBeLessThanOrEqual(8);
            const refs = queues.flatMap(({ txRingRef, rxRingRef }) => [txRingRef, rxRingRef]);
            expect(new Set(refs).size).toBe(refs.length);
            expect(Math.min(...refs)).toBeGreaterThan(0);
          } catch (error) {
            expect(error).toBeInstanceOf(DeviceError);
          }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
