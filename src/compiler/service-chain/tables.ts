/** The tables of a chain, in the order in which packets come through them, so that no packet can go back. */
import type { At } from '../at.js';
import type { Direction, Hop } from './hops.js';

/** What tables are called that are not named after hops. */
export const ownTableNames = ['arrive', 'places', 'residents', 'classify', 'exit', 'exit-back', 'learn'] as const;

export interface ChainTable {
  readonly name: string;
  readonly at: At;
}

/** What a hop's table is called in a direction. */
export const hopTable = ({ name }: Hop, direction: Direction): string =>
  direction === 'forward' ? name : `${name}-back`;
/** The table where an instance is chosen by the hash that both directions have in common. */
export const pickTable = (hop: Hop, direction: Direction): string => `${hopTable(hop, direction)}-pick`;

/** Where packets get their service headers. */
export const WRAP_TABLE = 'service-path';

/** Packets of one connection must find the same instance in both directions, which select groups do not promise. */
export const picks = (hop: Hop, symmetric: boolean): boolean =>
  symmetric && hop.mode === 'inline' && hop.behaviour === 'balance' && hop.instances.length > 1;

/** A group that spreads by ports would send fragments, which have none, elsewhere than what they belong to. */
export const splitsFragments = ({ mode, behaviour, instances }: Hop): boolean =>
  mode === 'inline' && behaviour === 'balance' && instances.length > 1;

export interface Shape {
  readonly at: At;
  readonly hops: readonly Hop[];
  readonly symmetric: boolean;
  /** Whether it is learned where stations are. */
  readonly learns: boolean;
  /** Classifiers ask where destinations are. */
  readonly asksPlaces: boolean;
  /** Answers leave by another way. */
  readonly ownExit: boolean;
  /** Packets are wrapped in service headers. */
  readonly wraps: boolean;
}

/** Hops in the order in which a direction visits them. */
export const inOrder = (hops: readonly Hop[], direction: Direction): readonly Hop[] =>
  direction === 'forward' ? hops : hops.toReversed();

/** `learn` comes last: nothing goes on from there. */
export function tablesOf({ at, hops, symmetric, learns, asksPlaces, ownExit, wraps }: Shape): ChainTable[] {
  const one = (name: string): ChainTable => ({ name, at });
  const directions: readonly Direction[] = symmetric ? ['forward', 'reverse'] : ['forward'];
  const visited = directions.flatMap((direction) =>
    inOrder(hops, direction).flatMap((hop) => {
      const names = [hopTable(hop, direction), ...(picks(hop, symmetric) ? [pickTable(hop, direction)] : [])];
      return names.map((name) => ({ name, at: hop.at }));
    }),
  );
  return [
    one('arrive'),
    ...(learns ? [one('places')] : []),
    ...(asksPlaces ? [one('residents')] : []),
    one('classify'),
    ...visited,
    one('exit'),
    ...(ownExit ? [one('exit-back')] : []),
    ...(wraps ? [one(WRAP_TABLE)] : []),
    ...(learns ? [one('learn')] : []),
  ];
}
