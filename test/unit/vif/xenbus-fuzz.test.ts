/**
 * Toolstack and frontend write what they like, in any order, and take away what they like. Whatever they do, the
 * backend writes only states that every frontend survives, only where it may, asks xenstored a bounded number of
 * questions, and when all domains are gone nothing of them is left.
 *
 * XVIF_FUZZ_SECONDS, which `npm run fuzz -- xenbus` sets, tries lists for so long, XVIF_FUZZ_RUNS so many (by default
 * few); fast-check prints seed and path of one that fails, and XVIF_FUZZ_SEED tries from that seed on. Lists that failed
 * once stand in `corpus`.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EmulatedHost } from '../../../src/guest/index.js';
import { VifBackend } from '../../../src/vif/index.js';
import { isXenstoreError, XenstoreClient } from '../../../src/xenstore/index.js';
import { eventually, FakeBridge } from '../guest/bed.js';
import { FakeHypervisor } from '../guest/fake-hypervisor.js';
import { RecordedTransport } from './recorded-transport.js';

const SECONDS = process.env.XVIF_FUZZ_SECONDS === undefined ? undefined : Number(process.env.XVIF_FUZZ_SECONDS);
const FEW_RUNS = 15;
const RUNS = Number(process.env.XVIF_FUZZ_RUNS ?? (SECONDS === undefined ? FEW_RUNS : 1_000_000_000));
/** Also where a machine is slow. */
const LIMIT_MS = SECONDS === undefined ? 40_000 + RUNS * 2000 : SECONDS * 1000;
const SEED = process.env.XVIF_FUZZ_SEED === undefined ? undefined : Number(process.env.XVIF_FUZZ_SEED);
const HANDLES = 2;
/** Reconfigured only while connected, as an answer to a frontend that asks for it by Reconfiguring. */
const GOOD_STATES = ['2', '4', '5', '6', '8'];
/** What a device may ask in a burst and per second (damper.ts), times the requests of a look. */
const LOOKS = 64;
const LOOKS_PER_SECOND = 50;
const REQUESTS_PER_LOOK = 80;

type Step =
  | { readonly who: 'toolstack'; readonly what: 'attach' | 'detach' | 'rmBackend' | 'rmFrontend' | 'rmDomain' }
  | { readonly who: 'toolstack' | 'frontend'; readonly what: 'write'; readonly key: string; readonly value: string }
  | { readonly who: 'frontend'; readonly what: 'connect'; readonly queues: number; readonly shared: boolean }
  | { readonly who: 'frontend'; readonly what: 'rm' | 'lock' | 'unlock'; readonly key: string }
  | { readonly who: 'us'; readonly what: 'fault' | 'wait' };
type Move = { readonly handle: number } & Step;

const state = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom('0', '1', '2', '3', '4', '5', '6', '7', '8') },
  { weight: 1, arbitrary: fc.constantFrom('', 'abc', '-1', '99999999999', '4\0', ' 4', '04') },
);
const value = fc.oneof(
  fc.constantFrom('', '0', '1', '2', '8', '9', '4294967295', '4294967296', '-1', '1 ', 'junk'),
  fc.string({ maxLength: 40 }),
  fc.constant('x'.repeat(1500)),
);
const frontendKey = fc.constantFrom(
  'tx-ring-ref',
  'rx-ring-ref',
  'event-channel',
  'event-channel-tx',
  'event-channel-rx',
  'multi-queue-num-queues',
  'queue-0/tx-ring-ref',
  'queue-1/rx-ring-ref',
  'request-rx-copy',
  'feature-sg',
  'feature-rx-notify',
  'feature-gso-tcpv4',
  'feature-no-csum-offload',
  'request-multicast-control',
  'xdp-headroom',
  'ctrl-ring-ref',
  'event-channel-ctrl',
  'backend',
);
const backendKey = fc.constantFrom(
  'online',
  'hotplug-status',
  'mac',
  'bridge',
  'rate',
  'mtu',
  'vifname',
  'frontend',
  'frontend-id',
  'script',
);
const write = (who: 'toolstack' | 'frontend', key: fc.Arbitrary<string>, of: fc.Arbitrary<string>) =>
  fc.record({ who: fc.constant(who), what: fc.constant('write' as const), key, value: of });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: write('frontend', fc.constant('state'), state) },
  { weight: 3, arbitrary: write('frontend', frontendKey, value) },
  {
    weight: 5,
    arbitrary: fc.record({
      who: fc.constant('frontend' as const),
      what: fc.constant('connect' as const),
      queues: fc.integer({ min: 1, max: 3 }),
      shared: fc.boolean(),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      who: fc.constant('frontend' as const),
      what: fc.constantFrom('rm' as const, 'lock' as const, 'unlock' as const),
      key: fc.oneof(fc.constant('state'), frontendKey),
    }),
  },
  { weight: 2, arbitrary: write('toolstack', fc.constant('state'), state) },
  { weight: 2, arbitrary: write('toolstack', fc.constant('online'), fc.constantFrom('0', '1')) },
  { weight: 1, arbitrary: write('toolstack', backendKey, value) },
  {
    weight: 3,
    arbitrary: fc.record({
      who: fc.constant('toolstack' as const),
      what: fc.constantFrom(
        'attach' as const,
        'attach' as const,
        'attach' as const,
        'detach' as const,
        'rmBackend' as const,
        'rmFrontend' as const,
        'rmDomain' as const,
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ who: fc.constant('us' as const), what: fc.constant('fault' as const) }) },
  { weight: 5, arbitrary: fc.record({ who: fc.constant('us' as const), what: fc.constant('wait' as const) }) },
);
const moves: fc.Arbitrary<Move[]> = fc.array(
  fc.tuple(fc.nat({ max: HANDLES - 1 }), step).map(([handle, one]) => ({ handle, ...one })),
  { minLength: 5, maxLength: 60 },
);

/** Lists that failed once. */
const corpus: readonly Move[][] = [];

class World {
  readonly hypervisor = new FakeHypervisor();
  readonly bridge = new FakeBridge(this.hypervisor);
  readonly host = new EmulatedHost({ hypervisor: this.hypervisor });
  readonly toolstack = this.host.openStore(0);
  readonly wrong: string[] = [];
  readonly #states = new Map<string, string>();
  readonly transport = new RecordedTransport(this.host.xenstore.connect(0), (path, text) => this.#written(path, text));
  readonly store = new XenstoreClient(this.transport);
  readonly backend = new VifBackend({ store: this.store, hooks: this.bridge });
  readonly #started = performance.now();
  domid = 0;
  guest!: XenstoreClient;

  async start(): Promise<void> {
    await this.backend.start();
    this.domid = await this.host.toolstack.createDomain({ name: 'fuzz' });
    this.guest = this.host.openStore(this.domid);
    for (let handle = 0; handle < HANDLES; handle++) await this.#attach(handle);
  }

  fe(handle: number): string {
    return `/local/domain/${this.domid}/device/vif/${handle}`;
  }

  be(handle: number): string {
    return `/local/domain/0/backend/vif/${this.domid}/${handle}`;
  }

  async play({ handle, ...move }: Move): Promise<void> {
    const of = (who: 'toolstack' | 'frontend') => (who === 'toolstack' ? this.be(handle) : this.fe(handle));
    switch (move.what) {
      case 'write':
        await (move.who === 'toolstack' ? this.toolstack : this.guest).write(`${of(move.who)}/${move.key}`, move.value);
        break;
      case 'rm':
        await this.guest.rm(`${this.fe(handle)}/${move.key}`);
        break;
      case 'lock':
      case 'unlock':
        await this.guest.setPerms(`${this.fe(handle)}/${move.key}`, [
          { domid: this.domid, access: 'n' },
          ...(move.what === 'lock' ? [] : [{ domid: 0, access: 'r' } as const]),
        ]);
        break;
      case 'connect':
        await this.#connect(handle, move.queues, move.shared);
        break;
      case 'attach':
        await this.toolstack.rm(this.be(handle));
        await this.#attach(handle);
        break;
      case 'detach':
        await this.toolstack.transaction(async (nodes) => {
          if ((await nodes.readOrUndefined(`${this.be(handle)}/state`)) === undefined) return;
          await nodes.write(`${this.be(handle)}/online`, '0');
          await nodes.write(`${this.be(handle)}/state`, '5');
        });
        break;
      case 'rmBackend':
        await this.toolstack.rm(this.be(handle));
        break;
      case 'rmFrontend':
        await this.toolstack.rm(this.fe(handle));
        break;
      case 'rmDomain':
        await this.toolstack.rm(`/local/domain/${this.domid}/device`);
        break;
      case 'fault':
        this.backend.fault(this.domid, handle, 'the rings are broken');
        break;
      case 'wait':
        await new Promise((resolve) => setTimeout(resolve, 3));
        break;
    }
  }

  /** Every domain goes; then nothing may be left. */
  async end(): Promise<void> {
    this.hypervisor.destroyDomain(this.domid);
    await this.toolstack.releaseDomain(this.domid);
    await this.toolstack.rm(`/local/domain/${this.domid}`);
    await this.toolstack.rm(`/local/domain/0/backend/vif/${this.domid}`);
    await eventually(() => this.backend.vifs().length, 0);
    await eventually(() => this.store.watchCount, 2);
    expect([...this.bridge.attached.keys()]).toEqual([]);
    expect(this.hypervisor.usage().grantsMapped).toBe(0);
    expect(await this.toolstack.directoryOrEmpty('/local/domain/0/backend/vif')).toEqual([]);
    expect(await this.toolstack.directoryOrEmpty('/local/domain/0/error/backend/vif')).toEqual([]);
    expect(this.host.xenstore.usage().transactions).toBe(0);
    expect(this.wrong).toEqual([]);
    const seconds = (performance.now() - this.#started) / 1000;
    // Each time its directory is made anew a device begins with a full burst.
    const bound = (LOOKS + LOOKS_PER_SECOND * seconds) * REQUESTS_PER_LOOK * HANDLES * this.attached;
    expect(this.transport.requests).toBeLessThan(bound);
  }

  async close(): Promise<void> {
    await this.backend.stop();
    for (const client of [this.store, this.toolstack, this.guest]) client.close();
    await this.host.close();
  }

  attached = 1;

  async #attach(handle: number): Promise<void> {
    this.attached++;
    await this.toolstack.transaction(async (nodes) => {
      for (const [path, owner, reader] of [
        [this.fe(handle), this.domid, 0],
        [this.be(handle), 0, this.domid],
      ] as const) {
        await nodes.rm(path);
        await nodes.mkdir(path);
        await nodes.setPerms(path, [
          { domid: owner, access: 'n' },
          { domid: reader, access: 'r' },
        ]);
        await nodes.write(`${path}/state`, '1');
      }
      await nodes.write(`${this.be(handle)}/online`, '1');
      await nodes.write(`${this.be(handle)}/hotplug-status`, 'connected');
    });
  }

  async #connect(handle: number, queues: number, shared: boolean): Promise<void> {
    const keys: Record<string, string> = { 'request-rx-copy': '1', 'feature-sg': '1', state: '4' };
    const ref = this.hypervisor.grant();
    for (let queue = 0; queue < queues; queue++) {
      const prefix = queues > 1 ? `queue-${queue}/` : '';
      keys[`${prefix}tx-ring-ref`] = String(shared ? ref : this.hypervisor.grant());
      keys[`${prefix}rx-ring-ref`] = String(this.hypervisor.grant());
      keys[`${prefix}event-channel`] = String(this.hypervisor.nextEvtchn());
    }
    keys['multi-queue-num-queues'] = String(queues);
    await this.guest.transaction(async (nodes) => {
      for (const [key, text] of Object.entries(keys)) await nodes.write(`${this.fe(handle)}/${key}`, text);
    });
  }

  #written(path: string, text: string): void {
    const ours =
      path.startsWith('/local/domain/0/backend/vif/') || path.startsWith('/local/domain/0/error/backend/vif/');
    if (!ours) this.wrong.push(`wrote ${path}`);
    if (!path.endsWith('/state')) return;
    const before = this.#states.get(path);
    this.#states.set(path, text);
    if (!GOOD_STATES.includes(text)) this.wrong.push(`wrote state ${text}`);
    if (text === '8' && before !== '4' && before !== '8') this.wrong.push(`from state ${before} to 8`);
    if (text === '4' && (before === '5' || before === '6')) this.wrong.push(`from state ${before} to 4`);
  }
}

async function survives(list: readonly Move[]): Promise<void> {
  const world = new World();
  try {
    await world.start();
    for (const move of list) {
      await world.play(move).catch((error: unknown) => {
        // What the guest or the toolstack is refused, or what is no longer there.
        if (!isXenstoreError(error, 'EACCES', 'ENOENT', 'ENOSPC', 'EPERM', 'E2BIG', 'EINVAL', 'CONFLICT')) throw error;
      });
    }
    await world.end();
  } finally {
    await world.close();
  }
}

describe('xenbus against anything', () => {
  it.each(corpus.map((list) => [list]))('a list that failed once: %j', async (list) => survives(list));

  it('lists of moves of toolstack and frontend', { timeout: LIMIT_MS + 60_000 }, async () => {
    const unhandled: unknown[] = [];
    const listen = (reason: unknown) => unhandled.push(reason);
    process.on('unhandledRejection', listen);
    try {
      await fc.assert(fc.asyncProperty(moves, survives), {
        numRuns: RUNS,
        endOnFailure: RUNS > 100,
        interruptAfterTimeLimit: LIMIT_MS,
        ...(SEED === undefined ? {} : { seed: SEED }),
      });
    } finally {
      process.off('unhandledRejection', listen);
    }
    expect(unhandled).toEqual([]);
  });
});
