/**
 * What toolstack and frontend want of a port besides what it is, out of their keys in xenstore. Read again whenever a
 * key changed, while traffic flows.
 */
import { parseDecimal } from '../base/decimal.js';
import type { PortSettings } from '../datapath/datapath.js';
import { DeviceError, type KeyReader } from '../xenbus/index.js';
import { vlanOf } from './bridge-key.js';
import type { VifInfo } from './info.js';
import { lockingSettings } from './locking.js';

/** XEN_NETIF_MAX_XDP_HEADROOM */
const XDP_HEADROOM_MAX = 0x7fff;
const U32_MAX = 0xffffffff;

/** What a connected frontend may change at any time. */
export interface FrontendWishes {
  /** request-multicast-control: wants only the multicast that it asked for. */
  readonly multicastControl: boolean;
  /** xdp-headroom: bytes to leave free before each frame. */
  readonly xdpHeadroom: number;
}

export const noWishes: FrontendWishes = { multicastControl: false, xdpHeadroom: 0 };

export function vifSettings(info: VifInfo, frontend: FrontendWishes): PortSettings {
  const vlan = vlanOf(info.bridge);
  return {
    ...(vlan === undefined ? {} : { vlan }),
    ...lockingSettings(info.locking, info.mac),
    ...(info.rate === undefined ? {} : { rate: info.rate }),
    ...(info.mtu === undefined ? {} : { mtu: info.mtu }),
    completeChecksums: info.completeChecksums,
    multicastControl: frontend.multicastControl,
    xdpHeadroom: frontend.xdpHeadroom,
  };
}

/**
 * As Linux: what makes no sense counts as not wished, what is too much as the most there is. So does what the guest
 * lets nobody read, in a driver domain: its wishes must not stand in the way of the toolstack's settings.
 */
export async function readWishes(frontend: KeyReader): Promise<FrontendWishes> {
  const [multicast, headroom] = await Promise.all([
    readWish(frontend, 'request-multicast-control'),
    readWish(frontend, 'xdp-headroom'),
  ]);
  return {
    multicastControl: (parseDecimal(multicast ?? '', 0, U32_MAX) ?? 0) !== 0,
    xdpHeadroom: Math.min(parseDecimal(headroom ?? '', 0, U32_MAX) ?? 0, XDP_HEADROOM_MAX),
  };
}

async function readWish(frontend: KeyReader, key: string): Promise<string | undefined> {
  try {
    return await frontend.read(key);
  } catch (error) {
    if (!(error instanceof DeviceError)) throw error;
    return undefined;
  }
}
