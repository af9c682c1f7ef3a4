/** How a packet that comes back from a hop is known: by the port, or by a tag or header that stays on it while it is there. */
import { type At, say } from '../at.js';
import type { Diagnostics } from '../diagnostic.js';
import { PATH_MAX, pathTag, type ServicePath, servicePath, unwrapping } from './service-path.js';

export type TagKind = 'none' | 'vlan' | 'mpls' | 'nsh';

/** A sort of packets that needs tags of its own: what MPLS carries is not said in its header (RFC 3032 §2.2). */
export interface Sort {
  /** A match; empty: any packet. */
  readonly match: string;
  readonly suffix: string;
  readonly ethertype: number;
}
export const anySort: Sort = { match: '', suffix: '', ethertype: 0 };
const ipSorts: readonly Sort[] = [
  { match: 'ip', suffix: '', ethertype: 0x0800 },
  { match: 'ipv6', suffix: '-ipv6', ethertype: 0x86dd },
];

/** Matches of a sort's fragments. */
export const fragmentsOf = ({ match }: Sort): readonly string[] =>
  (match === '' ? ['ip', 'ipv6'] : [match]).map((word) => `${word},nw_frag=yes`);

const TAG_PRESENT = 0x1000;
const kinds = {
  none: { first: 0, last: 0, sorts: [anySort] },
  vlan: { first: 3000, last: 4094, sorts: [anySort] },
  mpls: { first: 1000, last: 0xf_ffff, sorts: ipSorts },
  nsh: { first: 1, last: PATH_MAX, sorts: [anySort] },
} as const;

export class Correlation {
  private constructor(
    readonly kind: TagKind,
    readonly first: number,
    /** In one direction. */
    readonly hops: number,
  ) {}

  static read(at: At, hops: number, directions: number, diagnostics: Diagnostics): Correlation {
    const value = (at.value ?? 'none') as TagKind | Partial<Record<TagKind, number>>;
    const kind = typeof value === 'string' ? value : (Object.keys(value)[0] as TagKind);
    const first = typeof value === 'string' ? kinds[kind].first : value[kind]!;
    const self = new Correlation(kind, first, hops);
    const last = first + directions * (kind === 'nsh' ? 1 : hops * self.sorts.length) - 1;
    if (kind !== 'none' && last > kinds[kind].last) {
      const what = kind === 'nsh' ? 'service paths' : `${kind} tags`;
      const message = `the chain needs ${what} from ${first} to ${last}, and the last is ${kinds[kind].last}`;
      say(diagnostics, typeof value === 'string' ? at : at.key(kind), 'limit', message);
    }
    return self;
  }

  get sorts(): readonly Sort[] {
    return kinds[this.kind].sorts;
  }

  #tag(position: number, sort: Sort): number {
    return this.first + position * this.sorts.length + this.sorts.indexOf(sort);
  }

  path(position: number): ServicePath {
    return servicePath(this.first, position, this.hops);
  }

  /** Whether an instance gets and leaves something by which packets are known. */
  marks({ aware }: { readonly aware: boolean }): boolean {
    return this.kind === 'nsh' ? aware : this.kind !== 'none';
  }

  /** What packets of a position are known by beside the port; undefined: nothing. */
  tags(position: number): string[] | undefined {
    if (this.kind === 'nsh') return [pathTag(this.path(position))];
    return this.kind === 'none' ? undefined : this.sorts.map((sort) => `${this.kind} ${this.#tag(position, sort)}`);
  }

  /** Actions before a packet is sent to a hop, each followed by a comma. */
  push(position: number, sort: Sort): string {
    const tag = this.#tag(position, sort);
    if (this.kind === 'vlan') return `push_vlan:0x8100,set_field:${tag | TAG_PRESENT}->vlan_vid,`;
    return this.kind === 'mpls' ? `push_mpls:0x8847,set_field:${tag}->mpls_label,` : '';
  }

  /** Match and actions for what comes back, each part with its comma. */
  pop(position: number, sort: Sort): { readonly match: string; readonly actions: string } {
    const tag = this.#tag(position, sort);
    if (this.kind === 'vlan') return { match: `,dl_vlan=${tag}`, actions: 'pop_vlan,' };
    if (this.kind === 'none') return { match: '', actions: '' };
    if (this.kind === 'nsh') return unwrapping(this.path(position));
    return { match: `,mpls,mpls_label=${tag}`, actions: `pop_mpls:0x${sort.ethertype.toString(16).padStart(4, '0')},` };
  }
}
