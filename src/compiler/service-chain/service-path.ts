/**
 * Service paths (RFC 8300): what NSH-aware instances get is a frame within a service header within another frame of the
 * same addresses, and what comes back from them is known by path and index. Others get the frame alone: the switch is
 * their proxy (RFC 7665 §4.6).
 *
 * The way forward has the identifier of the chain, the way back the one after it. The index begins at 255; an instance
 * takes one off (RFC 8300 §2.3), so that what comes back has the index of the next hop.
 */

export const PATH_MAX = 0xff_ffff;
const FIRST_INDEX = 255;
/** Which instance a packet is wrapped for: its group says so to the table that wraps, as buckets hold one encap only. */
const FOR = 'reg5';
/** Where addresses wait while the headers go on: those of xxreg0. */
const DESTINATION = 'NXM_NX_XXREG0[0..47]';
const SOURCE = 'NXM_NX_XXREG0[48..95]';

export interface ServicePath {
  readonly spi: number;
  /** As it is sent to the hop. */
  readonly si: number;
}

/** `position`: of the hop among `hops`, and behind them once more for the way back, which visits the last one first. */
export function servicePath(first: number, position: number, hops: number): ServicePath {
  const visited = position < hops ? position : 2 * hops - 1 - position;
  return { spi: position < hops ? first : first + 1, si: FIRST_INDEX - visited };
}

/** What comes back by a port of an aware instance is known by this. */
export const pathTag = ({ spi, si }: ServicePath): string => `nsh ${spi}/${si - 1}`;

/** In a bucket: hands the packet over to the table that wraps it. */
export const toWrap = (key: number, table: number): string => `set_field:${key}->${FOR},resubmit(,${table})`;

/** The flow of that table. */
export function wrapping(key: number, { spi, si }: ServicePath, port: number) {
  const keep = `move:NXM_OF_ETH_DST[]->${DESTINATION},move:NXM_OF_ETH_SRC[]->${SOURCE}`;
  const header = `encap(nsh(md_type=1)),set_field:${spi}->nsh_spi,set_field:${si}->nsh_si,encap(ethernet)`;
  const put = `move:${DESTINATION}->NXM_OF_ETH_DST[],move:${SOURCE}->NXM_OF_ETH_SRC[]`;
  return { match: `${FOR}=${key}`, actions: `${keep},${header},${put},output:${port}` };
}

/** Match and actions for what comes back, each part with its comma. */
export function unwrapping({ spi, si }: ServicePath): { readonly match: string; readonly actions: string } {
  return { match: `,dl_type=0x894f,nsh_spi=${spi},nsh_si=${si - 1}`, actions: 'decap(),decap(),' };
}
