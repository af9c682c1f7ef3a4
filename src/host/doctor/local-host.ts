/** This host, or a copy of its /proc, /sys, /dev and /etc below a directory. */
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import type { ApiClient } from '../../api/client.js';
import { parseDecimal } from '../../base/decimal.js';
import { messageOf } from '../../base/error.js';
import { loadAddon } from '../../datapath/native-addon.js';
import {
  DeviceTransport,
  DOMID_MAX,
  SocketTransport,
  XENBUS_DEVICE,
  XENSTORED_SOCKET,
  XenstoreClient,
  xenstoredPath,
} from '../../xenstore/index.js';
import type { DaemonView, Host, XenstoreView } from './host.js';

/** How long xenstored and xvifd may take to answer; a host under load, or an emulated one, takes its time. */
const ANSWER_TIMEOUT_MS = 20_000;

export class LocalHost implements Host {
  readonly nodeVersion = process.versions.node;
  readonly #root: string;
  readonly #api: Pick<ApiClient, 'call'>;

  constructor(root: string, api: Pick<ApiClient, 'call'>) {
    this.#root = root;
    this.#api = api;
  }

  read(path: string): string | undefined {
    return attempt(() => readFileSync(this.#at(path), 'utf8'));
  }

  exists(path: string): boolean {
    return existsSync(this.#at(path));
  }

  list(path: string): readonly string[] {
    return attempt(() => readdirSync(this.#at(path)).sort()) ?? [];
  }

  linkName(path: string): string | undefined {
    return attempt(() => basename(readlinkSync(this.#at(path))));
  }

  isExecutable(path: string): boolean {
    return attempt(() => accessSync(this.#at(path), constants.X_OK) ?? true) ?? false;
  }

  openError(path: string): string | undefined {
    try {
      closeSync(openSync(this.#at(path), constants.O_RDWR | constants.O_NONBLOCK));
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  addonError(): string | undefined {
    try {
      loadAddon();
      return undefined;
    } catch (error) {
      return messageOf(error);
    }
  }

  async daemon(): Promise<DaemonView> {
    const { version, hypervisor, pid } = await this.#api.call('show', {}, ANSWER_TIMEOUT_MS);
    const { ports } = await this.#api.call('listPorts', {}, ANSWER_TIMEOUT_MS);
    const vifs = ports.flatMap(({ vif }) => (vif ? [`${vif.domid}/${vif.handle}`] : []));
    return { version, hypervisor, pid, vifs };
  }

  async xenstore(): Promise<XenstoreView> {
    const { client, via } = await this.#openXenstore();
    try {
      // A path that is not absolute is below the home of who asks. Dom0's may have no such key.
      const domid = parseDecimal((await inTime(client.readOrUndefined('domid'), via)) ?? '0', 0, DOMID_MAX);
      if (domid === undefined) throw new Error(`${via}: our own domain has a number that is none`);
      return {
        via,
        domid,
        read: (path) => inTime(client.readOrUndefined(path), via),
        list: (path) => inTime(client.directoryOrEmpty(path), via),
        close: () => client.close(),
      };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** xenstored's socket, as in Dom0, else the device of a domain. */
  async #openXenstore(): Promise<{ readonly client: XenstoreClient; readonly via: string }> {
    const socket = this.#root === '/' ? xenstoredPath() : this.#at(XENSTORED_SOCKET);
    const device = this.#at(XENBUS_DEVICE);
    let reason: unknown;
    try {
      return { client: new XenstoreClient(await SocketTransport.open(socket)), via: socket };
    } catch (error) {
      reason = error;
    }
    try {
      // Not blocking: a read that nothing ends would keep the process from ending.
      const fd = openSync(device, constants.O_RDWR | constants.O_NONBLOCK);
      return { client: new XenstoreClient(new DeviceTransport(fd)), via: device };
    } catch (error) {
      throw new Error(`neither ${socket} (${codeOf(reason)}) nor ${device} (${codeOf(error)}) can be opened`);
    }
  }

  #at(path: string): string {
    return join(this.#root, path);
  }
}

function attempt<Value>(read: () => Value): Value | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? messageOf(error);
}

function inTime<Value>(promise: Promise<Value>, via: string): Promise<Value> {
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      reject(new Error(`${via} does not answer within ${ANSWER_TIMEOUT_MS / 1000} s`));
    }, ANSWER_TIMEOUT_MS);
    promise.then(resolve, reject).finally(() => clearTimeout(late));
  });
}
