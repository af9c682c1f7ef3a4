/**
 * What a controller has said of itself and of what it wants to hear. All its connections share it: the main one and the
 * auxiliary ones (OpenFlow 1.3.5 §6.3.8).
 */
import { type AsyncChanges, type AsyncMasks, applyAsync, nicira } from 'node-openflow';
import type { AsyncEvent } from '../ofproto/async-events.js';
import type { ControllerConfig } from '../ofproto/controller-view.js';
import { type FlowFormat, plainFormat } from '../ofproto/flow-formats.js';
import { defaultMasks, noMasks, wants, wantsPackets, withInvalidTtl } from './async-masks.js';
import { MISS_SEND_LEN_DEFAULT } from './limits.js';
import type { Role, RoleHolder } from './roles.js';

export class ControllerState implements RoleHolder {
  role: Role = 'equal';
  /** 1.5's number for the controller; 0: it has none. */
  shortId = 0;
  flowFormat: FlowFormat = plainFormat;
  /** NXPIF */
  packetInFormat: number = nicira.NXPIF.STANDARD;
  /** NXT_SET_CONTROLLER_ID */
  controllerId = 0;
  readonly #muted: boolean;
  readonly #onDemotion: (generation: bigint) => void;
  #config: ControllerConfig;
  #masksSet: AsyncMasks | undefined;

  /** `muted`: it hears of events only when it asked for them, by OFPT_SET_CONFIG or OFPT_SET_ASYNC. */
  constructor(muted: boolean, onDemotion: (generation: bigint) => void) {
    this.#muted = muted;
    this.#onDemotion = onDemotion;
    this.#config = { missSendLen: muted ? 0 : MISS_SEND_LEN_DEFAULT, invalidTtl: false };
  }

  get config(): ControllerConfig {
    return this.#config;
  }
  /** A length above 0 is how a tool asks for events (ovs-ofctl monitor). */
  set config(config: ControllerConfig) {
    this.#config = config;
  }

  demoted(generation: bigint): void {
    this.#onDemotion(generation);
  }

  masks(version: number): AsyncMasks {
    const asks = !this.#muted || this.#config.missSendLen > 0;
    const masks = this.#masksSet ?? (asks ? defaultMasks(version) : noMasks(version));
    return this.#config.invalidTtl ? withInvalidTtl(masks) : masks;
  }

  setMasks(version: number, change: AsyncChanges): void {
    this.#masksSet = applyAsync(this.masks(version), change);
  }

  /** Whether it wants to hear of this event. */
  wants(version: number, event: AsyncEvent): boolean {
    if (event.type === 'packet_in' && event.controllerId !== this.controllerId) return false;
    return wants(this.masks(version), this.role, version, event);
  }

  /** Whether there is any packet that it would be told of. */
  wantsPackets(version: number): boolean {
    return wantsPackets(this.masks(version), this.role);
  }
}
