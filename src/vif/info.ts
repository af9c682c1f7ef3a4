/** What the toolstack says about a vif, in the keys below the backend's path. */
import { parseDecimal, quote } from '../base/decimal.js';
import { type DeviceAddress, DeviceError, type KeyReader } from '../xenbus/index.js';
import { type BridgeKey, parseBridgeKey } from './bridge-key.js';
import { type Locking, readLocking } from './locking.js';
import { type VifId, vifAlias, vifName } from './names.js';

/** MTUs, without the Ethernet header: IPv4's least, and what fits into a packet of 64 KiB with a VLAN tag. */
export const MTU_MIN = 68;
export const MTU_MAX = 65517;
const INTERVAL_US_MAX = 0xffffffff;

/** Ours; no other backend knows it. Written by the toolstack or by hand: 0 or 1. */
const COMPLETE_CHECKSUMS_KEY = 'xvif-complete-checksums';

export interface VifInfo extends VifId {
  /** xvif<domid>i<handle>, what the vif is called in logs and errors. */
  readonly name: string;
  /** Name of its port: the toolstack's `vifname`, else as `name`. */
  readonly portName: string;
  /** vif<domid>.<handle> */
  readonly alias: string;
  /** Name of the VM. */
  readonly vm?: string | undefined;
  /** Of the interface, as XAPI has it (xs-vif-uuid). */
  readonly uuid?: string | undefined;
  /** The guest's address, lower case; undefined when the toolstack names none. */
  readonly mac: string | undefined;
  /** Undefined when the toolstack leaves the choice to us. */
  readonly bridge: BridgeKey | undefined;
  /** Undefined when the toolstack names none: frames of any size go to the guest. */
  readonly mtu: number | undefined;
  /** Limit of what the guest sends: so many bytes per interval. */
  readonly rate: { readonly bytes: number; readonly intervalUs: number } | undefined;
  readonly script: string | undefined;
  /** Every checksum completed towards the guest, and none left blank by it. */
  readonly completeChecksums: boolean;
  /** Addresses that the guest may use. */
  readonly locking: Locking;
  readonly backendPath: string;
  readonly frontendPath: string;
  /** What was wrong with keys that are not worth refusing the vif, one sentence each. */
  readonly complaints: readonly string[];
}

/**
 * Rejects with {@link DeviceError} when a key makes no sense, or when the device's parts contradict each other.
 * `elsewhere` reads xenopsd's own keys of the vif, asked for what the backend's directory does not say; `vmName` the
 * name of the guest.
 */
export async function readVifInfo(
  address: DeviceAddress,
  backend: KeyReader,
  elsewhere: (key: string) => Promise<string | undefined> = async () => undefined,
  vmName: () => Promise<string | undefined> = async () => undefined,
): Promise<VifInfo> {
  const keys = [
    'mac',
    'bridge',
    'mtu',
    'rate',
    'script',
    'frontend',
    'frontend-id',
    'vifname',
    COMPLETE_CHECKSUMS_KEY,
  ] as const;
  const [mac, bridgeKey, mtu, rate, script, frontend, frontendId, vifname, complete] = await Promise.all(
    keys.map((key) => backend.read(key)),
  );
  const bridge = bridgeKey === undefined || bridgeKey === '' ? await elsewhere('bridge') : bridgeKey;
  const complaints: string[] = [];
  /** As `optional`, for keys that a vif can do without. */
  const lenient = <Value>(key: string, text: string | undefined, parse: (text: string) => Value | undefined) => {
    if (text === undefined || text === '') return undefined;
    const value = parse(text);
    if (value === undefined) complaints.push(`${senseless(key, text)}: ignored`);
    return value;
  };
  const { domid, id: handle, backendPath, frontendPath } = address;
  if (frontend !== undefined && frontend !== frontendPath) {
    throw new DeviceError(`backend key frontend is ${quote(frontend)}, must be ${frontendPath}`);
  }
  if (frontendId !== undefined && frontendId !== String(domid)) {
    throw new DeviceError(`backend key frontend-id is ${quote(frontendId)}, must be ${domid}`);
  }
  const name = vifName({ domid, handle });
  const limit = lenient('rate', rate, readRate);
  const { locking, complaints: lockingComplaints } = await readLocking([{ read: elsewhere }, backend]);
  complaints.push(...lockingComplaints);
  return {
    domid,
    handle,
    name,
    portName: optional('vifname', vifname, parsePortName) ?? name,
    alias: vifAlias({ domid, handle }),
    vm: await vmName(),
    uuid: await elsewhere('vif-uuid'),
    mac: optional('mac', mac, parseMac),
    bridge: optional('bridge', bridge, parseBridgeKey),
    mtu: lenient('mtu', mtu, (text) => parseDecimal(text, MTU_MIN, MTU_MAX)),
    rate: limit === 'unlimited' ? undefined : limit,
    script,
    completeChecksums:
      lenient(COMPLETE_CHECKSUMS_KEY, complete, parseFlag) ?? isOff(await elsewhere('other-config/ethtool-tx')),
    locking,
    backendPath,
    frontendPath,
    complaints,
  };
}

/** Six bytes in hexadecimal with colons, lower case; undefined when malformed or a group address. */
export function parseMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(text)) return undefined;
  const isGroup = (Number.parseInt(text.slice(0, 2), 16) & 1) === 1;
  return isGroup ? undefined : text.toLowerCase();
}

/** What Linux takes for an interface and OpenFlow for a port: up to 15 characters. */
function parsePortName(text: string): string | undefined {
  return /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,14}$/.test(text) ? text : undefined;
}

/**
 * "bytes,microseconds". Undefined when malformed; `unlimited` for no bytes or no interval, and for more bytes than can
 * be counted.
 */
function readRate(text: string): NonNullable<VifInfo['rate']> | 'unlimited' | undefined {
  const match = /^(\d+),(\d+)$/.exec(text);
  if (match === null) return undefined;
  const bytes = Number(match[1]);
  const intervalUs = Math.min(Number(match[2]), INTERVAL_US_MAX);
  if (bytes === 0 || intervalUs === 0 || bytes > Number.MAX_SAFE_INTEGER) return 'unlimited';
  return { bytes, intervalUs };
}

/** "bytes,microseconds", a limit; undefined for anything else. */
export function parseRate(text: string): VifInfo['rate'] {
  const rate = readRate(text);
  return rate === 'unlimited' ? undefined : rate;
}

/** Of a setting that ethtool would be given. */
function isOff(text: string | undefined): boolean {
  return text === 'off' || text === 'false';
}

function parseFlag(text: string): boolean | undefined {
  return text === '0' || text === '1' ? text === '1' : undefined;
}

/** An empty key counts as none. */
function optional<Value>(key: string, text: string | undefined, parse: (text: string) => Value | undefined) {
  if (text === undefined || text === '') return undefined;
  const value = parse(text);
  if (value === undefined) throw new DeviceError(senseless(key, text));
  return value;
}

function senseless(key: string, text: string): string {
  return `backend key ${key} is ${quote(text)}, which makes no sense`;
}
