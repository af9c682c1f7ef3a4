/**
 * Acl: two tables, the first for what members send (egress), the second for what is sent to them (ingress).
 *
 * Stateless: what a rule allows one way, its answers are allowed the other way by their ports. An answer of TCP must have
 * its ACK bit set, so that nobody can open a connection from the port that a rule allows to be reached.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Steps } from '../../base/slices.js';
import { type At, say, seen } from '../at.js';
import type { Builder } from '../builder.js';
import { nextActions } from '../next.js';
import { isStation } from '../router/prefix.js';
import { TablesLowering } from '../tables-lowering.js';
import { type Direction, type Labels, type Member, otherWay, type RuleWords, ruleMatches } from './matches.js';
import { GROUP_FRAMES, hiddenHeaders, unicastInGroupFrames } from './unseen.js';

/** Priorities, in the order in which they are asked; rules come between, in their own order. */
const PRIORITY = { toGroups: 64_200, unseen: 64_100, basics: 64_000, rules: 60_000, rest: 10, others: 0 } as const;
/** Each has a priority of its own. */
const RULES_MAX = 59_000;
/** One or two flows each. */
const MATCHES_PER_STEP = 8;
/** What its own rules are called. */
const ownNames = ['basics', 'multicast', 'unseen', 'default', 'others'] as const;

export class AclLowering extends TablesLowering<Direction> {
  readonly #labels: Labels;
  readonly #members: readonly Member[];

  constructor(root: At, builder: Builder) {
    super(root, builder, ['egress', 'ingress']);
    this.#labels = (root.key('metadata').value as { labels?: Labels }).labels ?? {};
    const members = this.spec.key('members').each();
    this.#members = members.flatMap((at) => this.#member(at));
    builder.acl(this.name, this.#members);
  }

  #member(at: At): Member[] {
    const written = at.value;
    const detailed = typeof written === 'object' && written !== null && 'port' in written;
    const [value] = this.scope.values(detailed ? at.key('port') : at);
    const port = value === undefined ? undefined : this.scope.port(value);
    if (value === undefined || port === undefined) return [];
    const given = (detailed ? written : {}) as { mac?: string; addresses?: string[]; labels?: Labels };
    const mac = given.mac ?? port.mac;
    const { diagnostics } = this.builder;
    if (mac === undefined) {
      const message = `the MAC address of ${value.text} is not known: write {port: ${value.text}, mac: …}`;
      say(diagnostics, at, 'name', message);
      return [];
    }
    if (!isStation(mac)) {
      const message = `${JSON.stringify(mac)} is no MAC address of a station, like 02:00:00:00:00:01`;
      say(diagnostics, given.mac === undefined ? at : at.key('mac'), 'value', message);
      return [];
    }
    const addresses = given.addresses ?? port.addresses ?? [];
    const wrong = addresses.findIndex((address) => !isIPv4(address) && !isIPv6(address));
    if (wrong >= 0)
      say(diagnostics, at.key('addresses').key(wrong), 'value', `${JSON.stringify(addresses[wrong])} is no IP address`);
    const labels = { ...this.#labels, ...given.labels };
    return [{ at, label: value.text, port: port.number, mac, addresses, labels }];
  }

  *lower(): Steps<void> {
    if (this.isCrowded) return;
    const rules = this.spec.key('rules').each();
    const { diagnostics } = this.builder;
    if (rules.length > RULES_MAX) {
      say(diagnostics, this.spec.key('rules'), 'limit', `more than ${RULES_MAX} rules`);
      return;
    }
    const { basics = true } = this.spec.value as { basics?: boolean };
    if (basics) this.#basics();
    const names = new Map<string, At>();
    for (const [index, at] of rules.entries()) {
      this.#checkName(at, names);
      yield* this.#rule(at, index);
    }
    this.#unseen(rules);
    this.#rest();
    this.finish();
    const answers = rules.find(
      ({ value }) => (value as RuleWords).action !== 'deny' && (value as RuleWords).protocol !== 'arp',
    );
    if (answers !== undefined && diagnostics.errors === 0 && !this.builder.allows(this.name, 'stateless')) {
      say(
        diagnostics,
        answers,
        'stateless',
        'rules know no connections yet: the answers of what is allowed are let through by their ports, those of TCP if they have ACK',
        { severity: 'note' },
      );
    }
  }

  /** A name says which rule a flow is of. */
  #checkName(rule: At, names: Map<string, At>): void {
    const at = rule.key('name');
    if (at.value === undefined) return;
    const name = String(at.value);
    const other = names.get(name);
    const { diagnostics } = this.builder;
    if (other !== undefined)
      say(diagnostics, at, 'duplicate', `there are two rules ${JSON.stringify(name)}`, {
        related: [seen(other, 'the other one')],
      });
    else if (ownNames.some((own) => own === name))
      say(diagnostics, at, 'duplicate', `${JSON.stringify(name)} is what a rule of the Acl itself is called`, {
        // It only makes them hard to tell apart.
        severity: 'warning',
      });
    names.set(name, at);
  }

  /** What is done with what is allowed: on to the other table, or out of this Acl. */
  #allowed(direction: Direction): string {
    return direction === 'egress' ? `goto_table:${this.number('ingress')}` : this.#next();
  }

  #next(): string {
    return nextActions(this.spec.key('next'), this.scope);
  }

  /** A member's packets of a direction: by its port, or by its address. */
  #whose(direction: Direction, { port, mac }: Member): string {
    return direction === 'egress' ? `in_port=${port}` : `dl_dst=${mac}`;
  }

  /** What a guest needs to be on a network: ARP, neighbour discovery, DHCP as a client. */
  #basics(): void {
    const needed: Readonly<Record<Direction, readonly string[]>> = {
      egress: [
        'arp',
        ...[133, 135, 136].map((type) => `icmp6,icmp_type=${type}`),
        'udp,tp_src=68,tp_dst=67',
        'udp6,tp_src=546,tp_dst=547',
      ],
      ingress: [
        'arp',
        ...[134, 135, 136].map((type) => `icmp6,icmp_type=${type}`),
        'udp,tp_src=67,tp_dst=68',
        'udp6,tp_src=547,tp_dst=546',
      ],
    };
    for (const direction of ['egress', 'ingress'] as const) {
      for (const member of this.#members) {
        for (const match of needed[direction]) {
          const whole = `${this.#whose(direction, member)},${match}`;
          this.flow(direction, PRIORITY.basics, whole, [this.#allowed(direction)], this.spec.key('members'), 'basics');
        }
      }
    }
    // Broadcast and multicast are nobody's by address: they go on, and the basics of each member say what it hears.
    this.flow('ingress', PRIORITY.rest, GROUP_FRAMES, [this.#next()], this.spec.key('members'), 'multicast');
  }

  /** In steps: one rule may be of very many members, and very many others. */
  *#rule(at: At, index: number): Steps<void> {
    const words = at.value as RuleWords;
    const matches = ruleMatches(at, this.scope, this.builder.aclMembers);
    if (matches === undefined) return;
    const name = words.name ?? `#${index + 1}`;
    const priority = PRIORITY.rules - index;
    const deny = words.action === 'deny';
    let done = 0;
    for (const member of this.#members) {
      for (const { match, answer } of matches) {
        if (this.builder.isFull) return;
        const one = (direction: Direction, text: string) => {
          const whole = `${this.#whose(direction, member)}${text === '' ? '' : `,${text}`}`;
          this.flow(direction, priority, whole, [deny ? 'drop' : this.#allowed(direction)], at, name);
        };
        one(words.direction, match);
        if (!deny && answer !== undefined) one(otherWay(words.direction), answer);
        if (++done % MATCHES_PER_STEP === 0) yield;
      }
    }
    yield;
  }

  /** What does not show that a rule is about it. */
  #unseen(rules: readonly At[]): void {
    const flow = (direction: Direction, priority: number, match: string, actions: string) =>
      this.flow(direction, priority, match, [actions], this.spec.key('members'), 'unseen');
    const hidden = hiddenHeaders(rules);
    for (const direction of ['egress', 'ingress'] as const) {
      for (const member of this.#members) {
        for (const match of hidden[direction])
          flow(direction, PRIORITY.unseen, `${this.#whose(direction, member)},${match}`, 'drop');
      }
    }
    const filtered =
      this.#defaults.ingress !== 'allow' ||
      rules.some(({ value }) => {
        const { direction, action } = value as RuleWords;
        return direction === 'ingress' && action === 'deny';
      });
    if (!filtered) return;
    const { passed, dropped } = unicastInGroupFrames(this.#members);
    for (const match of passed) flow('ingress', PRIORITY.toGroups, match, this.#next());
    for (const match of dropped) flow('ingress', PRIORITY.unseen, match, 'drop');
  }

  get #defaults(): { readonly ingress?: string; readonly egress?: string } {
    return (this.spec.key('default').value ?? {}) as { ingress?: string; egress?: string };
  }

  /** What no rule is about: of members by the defaults, of others on. */
  #rest(): void {
    const defaults = this.#defaults;
    for (const direction of ['egress', 'ingress'] as const) {
      const actions = defaults[direction] === 'allow' ? this.#allowed(direction) : 'drop';
      for (const member of this.#members)
        this.flow(direction, PRIORITY.rest, this.#whose(direction, member), [actions], this.spec, 'default');
      this.flow(direction, PRIORITY.others, '', [this.#allowed(direction)], this.spec, 'others');
    }
  }
}
