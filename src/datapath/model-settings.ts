/** What a port's settings may say, as native/napi/port_settings.cc checks it; only what the model acts on. */
import { parseIpv4, parseIpv6 } from '../base/ip-address.js';
import { AttachError, type PortSettings } from './datapath.js';

const VLAN_MAX = 4094;
const ADDRESSES_MAX = 1024;

/** Throws {@link AttachError}. */
export function checkSettings({ vlan, sources }: PortSettings): void {
  const isVlan = (id: number, least: number) => Number.isInteger(id) && id >= least && id <= VLAN_MAX;
  const refuseUnless = (right: boolean, sentence: string) => {
    if (!right) throw new AttachError(sentence);
  };
  if (vlan !== undefined) {
    refuseUnless(vlan.tag === undefined || isVlan(vlan.tag, 1), 'tag: expected 1 to 4094');
    refuseUnless(
      vlan.trunks.every((id) => isVlan(id, 0)),
      'trunks: expected numbers from 0 to 4094',
    );
  }
  if (sources === undefined) return;
  refuseUnless(/^[0-9a-f]{2}(?::[0-9a-f]{2}){5}$/i.test(sources.mac), 'mac: expected six bytes in hexadecimal');
  for (const [name, parse] of [['ipv4', parseIpv4] as const, ['ipv6', parseIpv6] as const]) {
    const list = sources[name] ?? [];
    refuseUnless(list.length <= ADDRESSES_MAX, `${name}: expected at most ${ADDRESSES_MAX} addresses`);
    refuseUnless(
      list.every((text) => parse(text) !== undefined),
      `${name}: expected addresses`,
    );
  }
}
