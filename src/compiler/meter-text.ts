/** A meter with one band, in the words of ovs-ofctl. */

export interface Limit {
  /** One of the two: kilobits, or packets, a second. */
  readonly kbps?: number | undefined;
  readonly pktps?: number | undefined;
  /** Kilobits or packets. */
  readonly burst?: number | undefined;
  /** By how much the drop precedence rises; undefined: drop. */
  readonly remark?: number | undefined;
}

export function meterText(number: number, { kbps, pktps, burst, remark }: Limit): string {
  const flags = [kbps === undefined ? 'pktps' : 'kbps', ...(burst === undefined ? [] : ['burst']), 'stats'];
  const band = [
    remark === undefined ? 'type=drop' : 'type=dscp_remark',
    `rate=${kbps ?? pktps}`,
    ...(burst === undefined ? [] : [`burst_size=${burst}`]),
    ...(remark === undefined ? [] : [`prec_level=${remark}`]),
  ];
  return `meter=${number},${flags.join(',')},bands=${band.join(',')}`;
}
