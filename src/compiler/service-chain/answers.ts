/** What answers of instances look like in the tables: each is one sender's, one receiver's, and of one kind. */

import type { AskedInstance } from './asked.js';
import type { Station } from './health.js';

/** `dl_vlan` of what has no tag. */
const UNTAGGED = 'dl_vlan=0xffff';

/** Of an instance that is asked at its address: what it answers, and its question for who asks, which is a broadcast. */
export function answersAt({ instance, health }: AskedInstance): string[] {
  const { ingress, address } = instance;
  const { type, port, source } = health;
  const from = `in_port=${ingress},${UNTAGGED}`;
  const toUs = `dl_dst=${source.mac}`;
  const ip = `nw_src=${address},nw_dst=${source.address}`;
  return [
    ...(type === 'icmp' ? [`${from},${toUs},icmp,${ip},icmp_type=0`] : []),
    ...(type === 'tcp' ? [`${from},${toUs},tcp,${ip},tp_src=${port}`] : []),
    `${from},arp,arp_spa=${address},arp_tpa=${source.address}`,
  ];
}

/** Of an instance that probes pass through; `tag` is what the chain knows its packets by. Behind MPLS nothing can be seen. */
export function answerThrough({ instance, health }: AskedInstance, tag: string): string {
  const { type, port, source, target } = health;
  const [spa, tpa] = [source.address, target.address];
  const probe = {
    arp: `arp,arp_op=1,arp_spa=${spa},arp_tpa=${tpa}`,
    icmp: `icmp,nw_src=${spa},nw_dst=${tpa},icmp_type=8`,
    tcp: `tcp,nw_src=${spa},nw_dst=${tpa},tp_dst=${port}`,
    counters: '',
  }[type];
  const marked = tag === '' ? `,${UNTAGGED}` : tag;
  const kind = tag.includes('mpls') ? '' : `,${probe}`;
  return `in_port=${instance.egress}${marked},dl_src=${source.mac},dl_dst=${target.mac}${kind}`;
}

/** Packets that would be of probers, or for them: to be dropped where they come in by a port that is no leg. */
export function forged(
  probers: readonly { readonly source: Station; readonly target: Station | undefined }[],
): string[] {
  const matches = probers.flatMap(({ source, target }) => [
    ...[source, ...(target === undefined ? [] : [target])].flatMap(({ mac }) => [`dl_src=${mac}`, `dl_dst=${mac}`]),
    `arp,arp_tpa=${source.address}`,
  ]);
  return [...new Set(matches)];
}
