/**
 * What libxl does for a domain and its vifs, by the same writes to xenstore (tools/libs/light: libxl_create.c,
 * libxl_nic.c, libxl_device.c), so that the backend cannot tell the difference. Scripts are not run: a test or the
 * caller plays them with setHotplugStatus().
 */
import { messageOf } from '../base/error.js';
import { type Logger, silentLogger } from '../base/logger.js';
import type { EmulatedHypervisor } from '../datapath/native-addon.js';
import { HANDLE_MAX } from '../vif/names.js';
import { XenbusState } from '../xenbus/index.js';
import type { Permission, XenstoreClient, XenstoreTransaction } from '../xenstore/index.js';
import { waitForNode } from './wait.js';

/** LIBXL_INIT_TIMEOUT and LIBXL_DESTROY_TIMEOUT. */
const INIT_TIMEOUT_MS = 10_000;
const DESTROY_TIMEOUT_MS = 10_000;
const DOMAINS_MAX = 32_751;
const MTU_DEFAULT = 1500;

export interface VifConfig {
  /** By default the lowest free one. */
  readonly handle?: number;
  /** By default 00:16:3e and then the domain and the handle. */
  readonly mac?: string;
  /** By default xenbr0. */
  readonly bridge?: string;
  readonly mtu?: number;
  readonly rate?: string;
  readonly script?: string;
  /**
   * `wait`: as libxl writes it, Connected waits for setHotplugStatus(). `connected`: the script is done already.
   * `absent`: a toolstack that runs none. By default `connected`.
   */
  readonly hotplug?: 'wait' | 'connected' | 'absent';
  /** Further keys of the backend's directory. */
  readonly keys?: Readonly<Record<string, string>>;
  /** Directory below `backend/`; by default vif. */
  readonly backendType?: string;
  readonly backendDomid?: number;
}

export interface ToolstackVif {
  readonly domid: number;
  readonly handle: number;
  readonly mac: string;
  readonly backendPath: string;
  readonly frontendPath: string;
}

interface Domain {
  readonly domid: number;
  readonly name: string;
  readonly vifs: Map<number, ToolstackVif>;
}

export class Toolstack {
  readonly #store: XenstoreClient;
  readonly #hypervisor: Pick<EmulatedHypervisor, 'createDomain' | 'destroyDomain'>;
  readonly #logger: Logger;
  readonly #domains = new Map<number, Domain>();
  #nextDomid = 1;

  /** `store` is a connection as domain 0. */
  constructor(options: {
    readonly store: XenstoreClient;
    readonly hypervisor: Pick<EmulatedHypervisor, 'createDomain' | 'destroyDomain'>;
    readonly logger?: Logger;
  }) {
    this.#store = options.store;
    this.#hypervisor = options.hypervisor;
    this.#logger = options.logger ?? silentLogger;
  }

  list(): { readonly domid: number; readonly name: string; readonly vifs: readonly ToolstackVif[] }[] {
    return [...this.#domains.values()].map(({ domid, name, vifs }) => ({ domid, name, vifs: [...vifs.values()] }));
  }

  /** Makes the domain, its home in xenstore, and introduces it. Returns its id. */
  async createDomain(options: { readonly name: string; readonly domid?: number }): Promise<number> {
    const domid = options.domid ?? this.#freeDomid();
    this.#hypervisor.createDomain(domid);
    try {
      await this.#store.transaction((nodes) => writeHome(nodes, domid, options.name));
      // Page and channel of the ring that this xenstored does not use.
      await this.#store.introduceDomain(domid, 1, 1);
    } catch (error) {
      this.#hypervisor.destroyDomain(domid);
      throw error;
    }
    this.#domains.set(domid, { domid, name: options.name, vifs: new Map() });
    return domid;
  }

  /** Writes both ends of a vif in one transaction. Does not wait for the backend. */
  async attachVif(domid: number, config: VifConfig = {}): Promise<ToolstackVif> {
    const domain = this.#domain(domid);
    const handle = config.handle ?? freeHandle(domain);
    if (domain.vifs.has(handle)) throw new Error(`domain ${domid} has a vif ${handle} already`);
    const backendDomid = config.backendDomid ?? 0;
    const vif: ToolstackVif = {
      domid,
      handle,
      mac: config.mac ?? defaultMac(domid, handle),
      backendPath: `/local/domain/${backendDomid}/backend/${config.backendType ?? 'vif'}/${domid}/${handle}`,
      frontendPath: `/local/domain/${domid}/device/vif/${handle}`,
    };
    domain.vifs.set(handle, vif);
    try {
      await this.#store.transaction((nodes) => writeVif(nodes, vif, backendDomid, config));
    } catch (error) {
      domain.vifs.delete(handle);
      throw error;
    }
    return vif;
  }

  /** Waits, as libxl does before it runs the script, until the backend is in InitWait (or beyond). */
  async waitForBackend(vif: ToolstackVif, timeoutMs = INIT_TIMEOUT_MS): Promise<void> {
    const ready: readonly (string | undefined)[] = [String(XenbusState.initWait), String(XenbusState.connected)];
    await waitForNode(this.#store, `${vif.backendPath}/state`, (state) => ready.includes(state), timeoutMs);
  }

  /** What the hotplug script writes when it is done, or `error`. */
  async setHotplugStatus(domid: number, handle: number, status: string): Promise<void> {
    await this.#store.write(`${this.#vif(domid, handle).backendPath}/hotplug-status`, status);
  }

  /** Rewrites a key of the backend's directory while the vif lives, as `rate`; undefined removes it. */
  async setKey(domid: number, handle: number, key: string, value: string | undefined): Promise<void> {
    const path = `${this.#vif(domid, handle).backendPath}/${key}`;
    if (value === undefined) await this.#store.rm(path);
    else await this.#store.write(path, value);
  }

  /**
   * Unplugs the vif: asks both ends to close, waits, removes the directories. Returns false when the backend was not
   * Closed in time and the directories were removed all the same.
   */
  async detachVif(domid: number, handle: number, timeoutMs = DESTROY_TIMEOUT_MS): Promise<boolean> {
    const vif = this.#vif(domid, handle);
    const inTime = await this.#closeBackend(vif, timeoutMs);
    await this.#store.transaction(async (nodes) => {
      await nodes.rm(vif.frontendPath);
      await removeBackend(nodes, vif);
    });
    this.#domain(domid).vifs.delete(handle);
    return inTime;
  }

  /** The domain dies without closing anything; then its remains are cleared away. */
  async destroy(domid: number, timeoutMs = DESTROY_TIMEOUT_MS): Promise<void> {
    const domain = this.#domain(domid);
    this.#hypervisor.destroyDomain(domid);
    await this.#store.releaseDomain(domid);
    await this.#store.rm(`/local/domain/${domid}`);
    for (const vif of domain.vifs.values()) {
      await this.#closeBackend(vif, timeoutMs);
      await this.#store.transaction((nodes) => removeBackend(nodes, vif));
    }
    this.#domains.delete(domid);
  }

  async #closeBackend(vif: ToolstackVif, timeoutMs: number): Promise<boolean> {
    const statePath = `${vif.backendPath}/state`;
    const closed = String(XenbusState.closed);
    await this.#store.transaction(async (nodes) => {
      const state = await nodes.readOrUndefined(statePath);
      if (state === undefined) return;
      await nodes.write(`${vif.backendPath}/online`, '0');
      if (state !== closed) await nodes.write(statePath, String(XenbusState.closing));
    });
    try {
      await waitForNode(this.#store, statePath, (state) => state === undefined || state === closed, timeoutMs);
      return true;
    } catch (error) {
      this.#logger.warn({ vif: vif.backendPath, reason: messageOf(error) }, 'backend did not close, removed by force');
      return false;
    }
  }

  #freeDomid(): number {
    for (let tries = 0; tries < DOMAINS_MAX; tries++) {
      const domid = this.#nextDomid;
      this.#nextDomid = (domid % DOMAINS_MAX) + 1;
      if (!this.#domains.has(domid)) return domid;
    }
    throw new Error('every domain id is in use');
  }

  #domain(domid: number): Domain {
    const domain = this.#domains.get(domid);
    if (domain === undefined) throw new Error(`there is no domain ${domid}`);
    return domain;
  }

  #vif(domid: number, handle: number): ToolstackVif {
    const vif = this.#domain(domid).vifs.get(handle);
    if (vif === undefined) throw new Error(`domain ${domid} has no vif ${handle}`);
    return vif;
  }
}

/** The first entry owns; the letter there is everybody else's. */
function owned(owner: number, reader: number): Permission[] {
  return [
    { domid: owner, access: 'n' },
    { domid: reader, access: 'r' },
  ];
}

/** Directories of the guest's home that it may write to, and those it may only read. */
const writableByGuest = ['data', 'drivers', 'feature', 'attr', 'error', 'control/shutdown'];
const readableByGuest = ['cpu', 'memory', 'device', 'control'];

async function writeHome(nodes: XenstoreTransaction, domid: number, name: string): Promise<void> {
  const home = `/local/domain/${domid}`;
  const byGuest: Permission[] = [{ domid, access: 'n' }];
  await nodes.mkdir(home);
  await nodes.setPerms(home, owned(0, domid));
  for (const directory of readableByGuest) {
    await nodes.mkdir(`${home}/${directory}`);
    await nodes.setPerms(`${home}/${directory}`, owned(0, domid));
  }
  for (const directory of writableByGuest) {
    await nodes.mkdir(`${home}/${directory}`);
    await nodes.setPerms(`${home}/${directory}`, byGuest);
  }
  await nodes.write(`${home}/name`, name);
  await nodes.write(`${home}/domid`, String(domid));
}

async function writeVif(
  nodes: XenstoreTransaction,
  vif: ToolstackVif,
  backendDomid: number,
  config: VifConfig,
): Promise<void> {
  const { domid, handle, mac, backendPath, frontendPath } = vif;
  const mtu = config.mtu ?? MTU_DEFAULT;
  const hotplug = config.hotplug ?? 'connected';
  const initialising = String(XenbusState.initialising);

  await nodes.mkdir(frontendPath);
  await nodes.setPerms(frontendPath, owned(domid, backendDomid));
  await nodes.mkdir(backendPath);
  await nodes.setPerms(backendPath, owned(backendDomid, domid));

  const backend: Record<string, string | undefined> = {
    frontend: frontendPath,
    'frontend-id': String(domid),
    online: '1',
    state: initialising,
    script: config.script ?? '/etc/xen/scripts/vif-bridge',
    mac,
    handle: String(handle),
    bridge: config.bridge ?? 'xenbr0',
    type: 'vif',
    rate: config.rate,
    mtu: mtu === MTU_DEFAULT ? undefined : String(mtu),
    ...config.keys,
    'hotplug-status': { wait: '', connected: 'connected', absent: undefined }[hotplug],
  };
  const frontend = {
    backend: backendPath,
    'backend-id': String(backendDomid),
    state: initialising,
    handle: String(handle),
    mac,
    trusted: '1',
  };
  for (const [key, value] of Object.entries(backend)) {
    if (value !== undefined) await nodes.write(`${backendPath}/${key}`, value);
  }
  for (const [key, value] of Object.entries(frontend)) await nodes.write(`${frontendPath}/${key}`, value);
  // The backend's to say; the guest may only read it.
  await nodes.write(`${frontendPath}/mtu`, String(mtu));
  await nodes.setPerms(`${frontendPath}/mtu`, owned(backendDomid, domid));
}

/** Takes the domain's directory along when this was its last vif. */
async function removeBackend(nodes: XenstoreTransaction, { backendPath }: ToolstackVif): Promise<void> {
  await nodes.rm(backendPath);
  const ofDomain = backendPath.slice(0, backendPath.lastIndexOf('/'));
  if ((await nodes.directoryOrEmpty(ofDomain)).length === 0) await nodes.rm(ofDomain);
}

function freeHandle(domain: Domain): number {
  let handle = 0;
  while (domain.vifs.has(handle)) handle++;
  if (handle > HANDLE_MAX) throw new Error(`domain ${domain.domid} has no free vif handle`);
  return handle;
}

function defaultMac(domid: number, handle: number): string {
  const bytes = [0x00, 0x16, 0x3e, domid >> 8, domid & 0xff, handle & 0xff];
  return bytes.map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}
