/** A chain as other formats describe it, and how it is written down as ours. */
import { Document } from 'yaml';
import { API_VERSION } from '../schema/index.js';
import type { Behaviour } from '../service-chain/hops.js';

export interface ImportedInstance {
  readonly name: string;
  readonly ingress: string;
  /** Absent: the same. */
  readonly egress?: string | undefined;
  readonly weight?: number | undefined;
}

export interface ImportedHop {
  readonly name: string;
  readonly tap?: boolean;
  readonly behaviour?: Behaviour | undefined;
  readonly instances: readonly ImportedInstance[];
}

export interface ImportedClassifier {
  readonly name: string;
  readonly from?: readonly string[];
  readonly to?: readonly string[];
  readonly match: Readonly<Record<string, unknown>>;
}

export interface ImportedChain {
  readonly name: string;
  readonly classifiers: readonly ImportedClassifier[];
  readonly hops: readonly ImportedHop[];
  readonly symmetric?: boolean;
  readonly correlation?: 'none' | 'vlan' | 'mpls';
  /** What could not be carried over; becomes comments. */
  readonly notes: readonly string[];
}

const NAME_MAX = 63;

/** A name that we take, as near to the other's as can be. */
export function nameFrom(text: string, otherwise: string): string {
  const made = text
    .replace(/[^A-Za-z0-9._-]+/g, '-')
    .slice(0, NAME_MAX)
    .replace(/^[^A-Za-z0-9]+|[^A-Za-z0-9]+$/g, '');
  return made === '' ? otherwise : made;
}

/** Names that are there once only: a number is put behind those that are taken. */
export class Names {
  readonly #taken: Set<string>;

  constructor(taken: readonly string[] = []) {
    this.#taken = new Set(taken);
  }

  take(text: string, otherwise: string): string {
    const name = nameFrom(text, otherwise);
    let free = name;
    for (let n = 2; this.#taken.has(free); n++) free = `${name.slice(0, NAME_MAX - 6)}-${n}`;
    this.#taken.add(free);
    return free;
  }
}

/** The tables `arrive`, `places`, `classify` and two exits, and at most four of each hop. */
const tablesOf = ({ hops }: ImportedChain): number => 5 + 4 * hops.length;

/** Directions are told apart by the leg that a packet comes back by. */
const hasOneLeg = ({ hops }: ImportedChain): boolean =>
  hops.some(
    ({ tap, instances }) => tap !== true && instances.some(({ ingress, egress }) => (egress ?? ingress) === ingress),
  );

/** Documents one behind the other, each leading to the next; with comments for what could not be carried over. */
export function printChains(chains: readonly ImportedChain[], from: string): string {
  let table = 0;
  return chains
    .map((chain, index) => {
      const next = chains[index + 1];
      const { correlation = 'none' } = chain;
      const cannotReturn = chain.symmetric === true && correlation === 'none' && hasOneLeg(chain);
      const spec = {
        ...(table === 0 ? {} : { table }),
        classifiers: chain.classifiers,
        hops: chain.hops.map(({ name, tap, behaviour, instances }) => ({
          name,
          ...(tap === true ? { mode: 'tap' } : {}),
          ...(behaviour === undefined || instances.length < 2 ? {} : { behaviour }),
          instances,
        })),
        ...(chain.symmetric === true && !cannotReturn ? { return: 'symmetric' } : {}),
        ...(correlation === 'none' ? {} : { correlation }),
        ...(next === undefined ? {} : { next: { goto: `${next.name}/arrive` } }),
      };
      table += tablesOf(chain);
      const document = new Document(
        { apiVersion: API_VERSION, kind: 'ServiceChain', metadata: { name: chain.name }, spec },
        { aliasDuplicateObjects: false },
      );
      const notes = cannotReturn
        ? [...chain.notes, 'symmetric: instances with one leg need correlation vlan or mpls to tell directions apart']
        : chain.notes;
      document.commentBefore = [
        ` Imported from ${from}. Names of ports are those of the source: say which ports they are by --port or --ports.`,
        ...notes.map((note) => ` Not carried over: ${note.replace(/\s+/g, ' ')}`),
      ].join('\n');
      return document.toString({ lineWidth: 0 });
    })
    .join('---\n');
}
