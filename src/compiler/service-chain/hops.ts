/** Hops of a chain as they are written, with their ports looked up and what does not go together said. */
import { isIP } from 'node:net';
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import type { Diagnostics } from '../diagnostic.js';
import { CHAIN_SLOTS_MAX } from '../limits.js';
import type { Scope } from '../scope.js';
import type { Correlation } from './correlation.js';
import { checkAsked, countProbes, type Health, type HealthWords, readHealth } from './health.js';

export type Direction = 'forward' | 'reverse';
export type Behaviour = 'balance' | 'failover' | 'all';

export interface Instance {
  readonly at: At;
  readonly name: string;
  readonly ingress: number;
  /** The same as `ingress` where it has one leg. */
  readonly egress: number;
  readonly weight: number;
  /** It takes service headers (RFC 8300), and leaves them on. */
  readonly aware: boolean;
  /** Where it is asked for its health. */
  readonly address: string | undefined;
}

export interface Hop {
  readonly at: At;
  readonly name: string;
  readonly mode: 'inline' | 'tap';
  readonly behaviour: Behaviour;
  /** Where no instance is up, the hop is skipped. */
  readonly open: boolean;
  /** Undefined: an instance is up while its ingress port is. */
  readonly health: Health | undefined;
  readonly instances: readonly Instance[];
}

interface HopWords {
  readonly name: string;
  readonly mode?: 'inline' | 'tap';
  readonly behaviour?: Behaviour;
  readonly fallback?: 'open' | 'closed';
  readonly health?: HealthWords;
}
interface InstanceWords {
  readonly name?: string;
  readonly weight?: number;
  readonly address?: string;
  readonly nsh?: 'aware' | 'unaware';
}

export interface HopWorld {
  readonly scope: Scope;
  readonly builder: Builder;
  readonly correlation: Correlation;
  readonly symmetric: boolean;
  readonly allowed: ReadonlySet<string>;
}

/** What is wrong is said; the hop is there nevertheless, with the instances that are right. */
export function readHop(at: At, world: HopWorld): Hop {
  const words = at.value as HopWords;
  const { name, mode = 'inline', behaviour = 'balance' } = words;
  const { diagnostics } = world.scope;
  checkFallback(at, words, diagnostics);
  const health = readHealth(at, words, world.builder);
  const instances = at
    .key('instances')
    .each()
    .flatMap((one, index) => readInstance(one, index, at, { ...words, asked: health }, world));
  const names = new Set<string>();
  for (const instance of instances) {
    if (names.has(instance.name)) {
      const where = instance.at.key('name').value === undefined ? instance.at : instance.at.key('name');
      say(diagnostics, where, 'duplicate', `hop ${name} has two instances ${JSON.stringify(instance.name)}`);
    }
    names.add(instance.name);
  }
  if (mode === 'inline' && behaviour === 'all' && instances.length > 1 && !world.allowed.has('copies')) {
    const text = `each instance of ${name} gets every packet, and what comes back goes on ${instances.length} times`;
    say(diagnostics, at.key('behaviour'), 'copies', text, { severity: 'warning' });
  }
  const asked = health === undefined ? undefined : ifAsked(at, health, instances.length, world);
  return { at, name, mode, behaviour, open: words.fallback === 'open', health: asked, instances };
}

/** Where nobody will ask the port's state has to do. */
function ifAsked(at: At, health: Health, instances: number, { builder, allowed }: HopWorld): Health | undefined {
  if (builder.localAgents) {
    countProbes(at, health, instances, builder);
    return health;
  }
  if (!allowed.has('health')) {
    const message = `health by ${health.type} is asked for by xvifd, in documents that it keeps; here an instance is up while its ingress port is`;
    say(builder.diagnostics, at.key('health').key('type'), 'health', message, { severity: 'warning' });
  }
  return undefined;
}

function checkFallback(at: At, { mode, behaviour, fallback }: HopWords, diagnostics: Diagnostics): void {
  if (fallback === undefined) return;
  const complain = (message: string) => say(diagnostics, at.key('fallback'), 'value', message);
  if (mode === 'tap') complain("a tap is in nobody's way: it has no fallback");
  else if (behaviour === 'all') complain('fallback goes with balance and failover, and behaviour is all');
}

function portAt(at: At, scope: Scope): number | undefined {
  const values = scope.values(at);
  if (values.length > 1) say(scope.diagnostics, at, 'value', 'a leg is one port, and this is a list');
  const [value] = values;
  return value === undefined || values.length > 1 ? undefined : scope.port(value)?.number;
}

function readInstance(
  at: At,
  index: number,
  hop: At,
  words: HopWords & { readonly asked: Health | undefined },
  world: HopWorld,
): Instance[] {
  const { scope, correlation, symmetric } = world;
  const { name = `${index + 1}`, weight = 1, address, nsh = 'unaware' } = at.value as InstanceWords;
  const aware = nsh === 'aware';
  const complain = (where: At, message: string) => say(scope.diagnostics, where, 'value', message);
  const [ingressAt, egressAt] = [at.key('ingress'), at.key('egress')];
  const ingress = portAt(ingressAt, scope);
  const egress = egressAt.value === undefined ? ingress : portAt(egressAt, scope);
  if (at.key('weight').value !== undefined && (words.behaviour ?? 'balance') !== 'balance')
    complain(at.key('weight'), `weight goes with balance, and behaviour is ${words.behaviour}`);
  if (aware && correlation.kind !== 'nsh')
    complain(at.key('nsh'), `aware goes with correlation nsh, and that of the chain is ${correlation.kind}`);
  if (address !== undefined && isIP(address) === 0)
    complain(at.key('address'), `${JSON.stringify(address)} is no IP address`);
  else if (words.asked !== undefined) {
    const twoLegs = words.mode !== 'tap' && egress !== ingress;
    const carriesArp = correlation.kind !== 'mpls';
    const sourceAt = hop.key('health').key('source').key('address');
    checkAsked({ at, name, address, twoLegs, carriesArp, aware, sourceAt }, words.asked, world.builder);
  }
  if (words.mode === 'tap') {
    if (egressAt.value !== undefined) complain(egressAt, 'a tap gets copies: nothing comes back from it');
  } else if (symmetric && !correlation.marks({ aware }) && ingress !== undefined && egress === ingress) {
    complain(
      egressAt.value === undefined ? ingressAt : egressAt,
      `instance ${name} of ${String(hop.key('name').value)} has one leg, so that both directions come back by it: give it an egress, or the chain correlation vlan or mpls`,
    );
  }
  return ingress === undefined || egress === undefined ? [] : [{ at, name, ingress, egress, weight, aware, address }];
}

/** The ports that packets are sent to and come back from. */
export const legsOf = ({ ingress, egress }: Instance, direction: Direction): readonly [into: number, outOf: number] =>
  direction === 'forward' ? [ingress, egress] : [egress, ingress];

/** For each share of the traffic the instance it goes to first, as its index; undefined, and said, where there are too many. */
export function slotsOf({ at, name, instances }: Hop, diagnostics: Diagnostics): number[] | undefined {
  const divisor = instances.reduce((found, { weight }) => gcd(found, weight), 0);
  const slots = instances.flatMap(({ weight }, index) => Array<number>(weight / divisor).fill(index));
  if (slots.length <= CHAIN_SLOTS_MAX) return slots;
  const message = `weights of ${name} make ${slots.length} shares; at most ${CHAIN_SLOTS_MAX} where answers must find the same instance`;
  say(diagnostics, at.key('instances'), 'limit', message);
  return undefined;
}

const gcd = (a: number, b: number): number => (b === 0 ? a : gcd(b, a % b));
