/**
 * The emulated interface of an HVM guest (libxl's `type=ioemu`): QEMU's TAP device, which the guest uses until it loads
 * its netfront. It is a port of its own beside the vif's, on the same bridge with the same VLANs and locking. The
 * hotplug script asks for it by a key in the backend's directory, with the device's name and its number, which is
 * another one when the device was made anew, and waits for the answer in a second key: `NUMBER port NAME`, or
 * `NUMBER refused SENTENCE`.
 */
import { quote } from '../base/decimal.js';
import { messageOf } from '../base/error.js';
import type { PortSettings } from '../datapath/datapath.js';
import { DeviceError, type KeyReader } from '../xenbus/index.js';
import type { VifInfo } from './info.js';
import { noWishes, vifSettings } from './settings.js';

export const EMULATED_KEY = 'xvif-emulated';
export const EMULATED_ANSWER_KEY = 'xvif-emulated-answer';

/** The bridge's side. */
export interface EmulatedHooks {
  /** Makes the kernel's interface a port, and returns its name. Throws with a sentence. */
  attachEmulated(info: VifInfo, device: string, settings: PortSettings): string;
  configureEmulated(info: VifInfo, settings: PortSettings): void;
  detachEmulated(info: VifInfo): void;
}

interface Attached {
  readonly asked: string;
  readonly info: VifInfo;
  readonly port: string;
  settings: PortSettings;
}

export class EmulatedInterface {
  readonly #hooks: EmulatedHooks;
  #attached: Attached | undefined;
  /** Perhaps by a daemon before us. */
  #answerMayStand = true;

  constructor(hooks: EmulatedHooks) {
    this.#hooks = hooks;
  }

  /** Does what the keys ask for; the keys to write under the backend's path, undefined ones to remove. */
  async look(
    backend: KeyReader,
    readInfo: () => Promise<VifInfo | DeviceError>,
  ): Promise<Readonly<Record<string, string | undefined>>> {
    const asked = await backend.read(EMULATED_KEY);
    if (asked === undefined && !this.#answerMayStand) return {};
    this.#answerMayStand = asked !== undefined;
    const before = await backend.read(EMULATED_ANSWER_KEY);
    const answer = asked === undefined ? this.release() : await this.#serve(asked, readInfo);
    return answer === before ? {} : { [EMULATED_ANSWER_KEY]: answer };
  }

  release(): undefined {
    const attached = this.#attached;
    this.#attached = undefined;
    if (attached !== undefined) this.#hooks.detachEmulated(attached.info);
  }

  async #serve(asked: string, readInfo: () => Promise<VifInfo | DeviceError>): Promise<string> {
    const [, device, number] = /^([^\s/]{1,15}) (\d{1,10})$/.exec(asked) ?? [];
    if (this.#attached?.asked !== asked) this.release();
    if (device === undefined) return `0 refused backend key ${EMULATED_KEY} is ${quote(asked)}, which makes no sense`;
    const info = await readInfo();
    // Settings that are in force stay while a key makes no sense, as those of the vif do.
    if (info instanceof DeviceError) {
      return this.#attached === undefined
        ? `${number} refused ${info.message}`
        : `${number} port ${this.#attached.port}`;
    }
    const settings = vifSettings(info, noWishes);
    try {
      if (this.#attached === undefined) {
        this.#attached = { asked, info, port: this.#hooks.attachEmulated(info, device, settings), settings };
      } else if (JSON.stringify(settings) !== JSON.stringify(this.#attached.settings)) {
        this.#hooks.configureEmulated(info, settings);
        this.#attached.settings = settings;
      }
      return `${number} port ${this.#attached.port}`;
    } catch (error) {
      return `${number} refused ${messageOf(error)}`;
    }
  }
}
