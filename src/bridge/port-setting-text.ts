/** Settings of a port as words of the API and the command line. */
import { isIPv4, isIPv6 } from 'node:net';
import { parseDecimal, quote } from '../base/decimal.js';
import type { PortSettings, PortSources } from '../datapath/datapath.js';
import { MTU_MAX, MTU_MIN, parseMac, parseRate } from '../vif/index.js';
import { Refusal } from './refusal.js';

/** What an operator may decide; the rest is the frontend's. */
export type SettableSettings = Pick<
  PortSettings,
  'rate' | 'completeChecksums' | 'vlan' | 'sources' | 'disabled' | 'mtu'
>;
export type OverrideName = keyof SettableSettings;

export const overrideNames: ReadonlyMap<string, OverrideName> = new Map([
  ['rate', 'rate'],
  ['complete-checksums', 'completeChecksums'],
  ['vlan', 'vlan'],
  ['sources', 'sources'],
  ['disabled', 'disabled'],
  ['mtu', 'mtu'],
] as const);

const VLAN_MAX = 4094;
const ADDRESSES_MAX = 1024;
const INTERVAL_DEFAULT_US = 50_000;
const intervalUnitsUs: Readonly<Record<string, number>> = { s: 1_000_000, ms: 1000, us: 1 };
/** Bytes; a small b is bits, as in xl's `rate`. */
const rateUnits: Readonly<Record<string, number>> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  b: 1 / 8,
  Kb: 125,
  Mb: 125e3,
  Gb: 125e6,
};

/** Undefined: off. Throws {@link Refusal}; `name` is what the operator calls it. */
export function parseSetting(key: OverrideName, name: string, text: string): SettableSettings[OverrideName] {
  if (key === 'completeChecksums' || key === 'disabled') {
    if (text === 'on' || text === 'off') return text === 'on';
    throw refused(name, text, 'on or off');
  }
  if (text === 'none') return undefined;
  switch (key) {
    case 'rate':
      return parseRateText(text) ?? fail(name, text, 'BYTES,MICROSECONDS or like 10Mb/s or 10Mb/s@20ms, or none');
    case 'vlan':
      return parseVlan(text) ?? fail(name, text, 'a VLAN, trunk, or trunk:VLAN,VLAN, or none');
    case 'sources':
      return parseSources(text) ?? fail(name, text, 'MAC or MAC,ADDRESS,ADDRESS, or none');
    case 'mtu':
      return parseDecimal(text, MTU_MIN, MTU_MAX) ?? fail(name, text, `${MTU_MIN} to ${MTU_MAX}, or none`);
  }
}

/** In the form that parseSetting reads; what is off is left out. */
export function settingTexts(settings: PortSettings): { name: string; value: string }[] {
  const { rate, completeChecksums, vlan, sources, disabled, mtu, multicastControl, xdpHeadroom } = settings;
  const texts: [string, string | undefined][] = [
    ['rate', rate && `${rate.bytes},${rate.intervalUs}`],
    ['complete-checksums', completeChecksums === true ? 'on' : undefined],
    ['vlan', vlan && vlanText(vlan)],
    ['sources', sources && [sources.mac, ...(sources.ipv4 ?? []), ...(sources.ipv6 ?? [])].join(',')],
    ['disabled', disabled === true ? 'on' : undefined],
    ['mtu', mtu ? String(mtu) : undefined],
    // The frontend's.
    ['multicast-control', multicastControl === true ? 'on' : undefined],
    ['xdp-headroom', xdpHeadroom ? String(xdpHeadroom) : undefined],
  ];
  return texts.flatMap(([name, value]) => (value === undefined ? [] : [{ name, value }]));
}

function parseRateText(text: string): PortSettings['rate'] {
  const match = /^(\d{1,12})([KMG]?[Bb])\/s(?:@(\d{1,9})(s|ms|us))?$/.exec(text);
  if (match === null) return parseRate(text);
  const [, amount, unit, interval, intervalUnit] = match;
  const intervalUs = interval === undefined ? INTERVAL_DEFAULT_US : Number(interval) * intervalUnitsUs[intervalUnit!]!;
  const bytes = Math.floor((Number(amount) * rateUnits[unit!]! * intervalUs) / 1e6);
  return parseRate(`${bytes},${intervalUs}`);
}

function parseVlan(text: string): PortSettings['vlan'] {
  const tag = parseDecimal(text, 1, VLAN_MAX);
  if (tag !== undefined) return { tag, trunks: [] };
  if (text === 'trunk') return { tag: undefined, trunks: [] };
  if (!text.startsWith('trunk:')) return undefined;
  const trunks = text
    .slice('trunk:'.length)
    .split(',')
    .map((vlan) => parseDecimal(vlan, 0, VLAN_MAX));
  return trunks.some((vlan) => vlan === undefined) ? undefined : { tag: undefined, trunks: trunks as number[] };
}

function vlanText({ tag, trunks }: NonNullable<PortSettings['vlan']>): string {
  if (tag !== undefined) return String(tag);
  return trunks.length === 0 ? 'trunk' : `trunk:${trunks.join(',')}`;
}

/** Addresses given: no others. None given: any. */
function parseSources(text: string): PortSources | undefined {
  const [macText, ...addresses] = text.split(',');
  const mac = parseMac(macText!);
  if (mac === undefined || addresses.length > ADDRESSES_MAX) return undefined;
  if (!addresses.every((address) => isIPv4(address) || (isIPv6(address) && !address.includes('%')))) return undefined;
  if (addresses.length === 0) return { mac, ipv4: undefined, ipv6: undefined };
  return { mac, ipv4: addresses.filter(isIPv4), ipv6: addresses.filter(isIPv6) };
}

function refused(name: string, text: string, wanted: string): Refusal {
  return new Refusal('invalid', `${name} is ${quote(text)}, must be ${wanted}, or toolstack`);
}

function fail(name: string, text: string, wanted: string): never {
  throw refused(name, text, wanted);
}
