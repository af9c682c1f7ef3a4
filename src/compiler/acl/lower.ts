/**
 * Acl: two tables, the first for what members send (egress), the second for what is sent to them (ingress).
 *
 * Stateless: what a rule allows one way, its answers are allowed the other way by their ports. An answer of TCP must have
 * its ACK bit set, so that nobody can open a connection from the port that a rule allows to be reached.
 */
import { isIPv4, isIPv6 } from 'node:net';
import type { Steps } from '../../base/slices.js';
import { type At, say } from '../at.js';
import type { Builder } from '../builder.js';
import { MappedText } from '../mapped-text.js';
import { nextActions } from '../next.js';
import type { Origin } from '../program.js';
import { Scope } from '../scope.js';
import { lowerTests } from '../tests.js';
import { type Direction, type Labels, type Member, otherWay, type RuleWords, ruleMatches } from './matches.js';
import { GROUP_FRAMES, hiddenHeaders, unicastInGroupFrames } from './unseen.js';

/** Priorities, in the order in which they are asked; rules come between, in their own order. */
const PRIORITY = { toGroups: 64_200, unseen: 64_100, basics: 64_000, rules: 60_000, rest: 10, others: 0 } as const;
/** Each has a priority of its own. */
const RULES_MAX = 59_000;

export class AclLowering {
  readonly scope: Scope;
  readonly name: string;
  readonly #owner: string;
  readonly #labels: Labels;
  readonly #spec: At;
  readonly #egress: number;
  readonly #ingress: number;
  members: readonly Member[] = [];

  constructor(
    root: At,
    readonly builder: Builder,
  ) {
    this.#spec = root.key('spec');
    this.scope = new Scope(undefined, builder.ports, builder.diagnostics);
    const { name: own, labels = {} } = root.key('metadata').value as { name: string; labels?: Labels };
    [this.name, this.#labels] = [own, labels];
    this.#owner = builder.owner(root.key('metadata'));
    builder.allow(this.name, (this.#spec.key('lint').key('allow').value ?? []) as string[]);
    const { table = 0 } = this.#spec.value as { table?: number };
    [this.#egress, this.#ingress] = [table, table + 1];
    for (const [name, id] of [
      ['egress', this.#egress],
      ['ingress', this.#ingress],
    ] as const) {
      this.scope.names.table.set(name, id);
      builder.table({ document: this.name, name, id, at: this.#spec });
    }
    this.members = this.#spec
      .key('members')
      .each()
      .flatMap((at) => this.#member(at));
    builder.acl(this.name, this.members);
  }

  #member(at: At): Member[] {
    const written = at.value;
    const detailed = typeof written === 'object' && written !== null && 'port' in written;
    const [value] = this.scope.values(detailed ? at.key('port') : at);
    const port = value === undefined ? undefined : this.scope.port(value);
    if (value === undefined || port === undefined) return [];
    const given = (detailed ? written : {}) as { mac?: string; addresses?: string[]; labels?: Labels };
    const mac = given.mac ?? port.mac;
    if (mac === undefined) {
      say(
        this.builder.diagnostics,
        at,
        'name',
        `the MAC address of ${value.text} is not known: write {port: ${value.text}, mac: …}`,
      );
      return [];
    }
    const addresses = given.addresses ?? port.addresses ?? [];
    const wrong = addresses.findIndex((address) => !isIPv4(address) && !isIPv6(address));
    if (wrong >= 0)
      say(
        this.builder.diagnostics,
        at.key('addresses').key(wrong),
        'value',
        `${JSON.stringify(addresses[wrong])} is no IP address`,
      );
    const labels = { ...this.#labels, ...given.labels };
    return [{ at, label: value.text, port: port.number, mac, addresses, labels }];
  }

  *lower(): Steps<void> {
    const rules = this.#spec.key('rules').each();
    if (rules.length > RULES_MAX)
      say(this.builder.diagnostics, this.#spec.key('rules'), 'limit', `more than ${RULES_MAX} rules`);
    if (rules.length > RULES_MAX) return;
    const { basics = true } = this.#spec.value as { basics?: boolean };
    if (basics) this.#basics();
    for (const [index, at] of rules.entries()) {
      this.#rule(at, index);
      yield;
    }
    this.#unseen(rules);
    this.#rest();
    lowerTests(this.#spec.key('tests'), this.scope, this.builder);
    const answers = rules.find(
      ({ value }) => (value as RuleWords).action !== 'deny' && (value as RuleWords).protocol !== 'arp',
    );
    if (answers !== undefined && this.builder.diagnostics.errors === 0) {
      say(
        this.builder.diagnostics,
        answers,
        'stateless',
        'rules know no connections yet: the answers of what is allowed are let through by their ports, those of TCP if they have ACK',
        { severity: 'note' },
      );
    }
  }

  /** What is done with what is allowed: on to the other table, or out of this Acl. */
  #allowed(direction: Direction): string {
    return direction === 'egress' ? `goto_table:${this.#ingress}` : this.#next();
  }

  #next(): string {
    return nextActions(this.#spec.key('next'), this.scope);
  }

  #flow(direction: Direction, priority: number, match: string, actions: string, at: At, name: string): void {
    const origin: Origin = { at, owner: this.#owner, document: this.name, name: `${direction}/${name}` };
    const table = direction === 'egress' ? this.#egress : this.#ingress;
    const text = `table=${table},priority=${priority}${match === '' ? '' : `,${match}`} actions=${actions}`;
    this.builder.flow(new MappedText().add(text, at), origin, this.builder.cookie(origin), this.scope);
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
      for (const member of this.members) {
        for (const match of needed[direction]) {
          this.#flow(
            direction,
            PRIORITY.basics,
            `${this.#whose(direction, member)},${match}`,
            this.#allowed(direction),
            this.#spec.key('members'),
            'basics',
          );
        }
      }
    }
    // Broadcast and multicast are nobody's by address: they go on, and the basics of each member say what it hears.
    this.#flow('ingress', PRIORITY.rest, GROUP_FRAMES, this.#next(), this.#spec.key('members'), 'multicast');
  }

  #rule(at: At, index: number): void {
    const words = at.value as RuleWords;
    const matches = ruleMatches(at, this.scope, this.builder.aclMembers);
    if (matches === undefined) return;
    const name = words.name ?? `#${index + 1}`;
    const priority = PRIORITY.rules - index;
    const deny = words.action === 'deny';
    for (const member of this.members) {
      for (const { match, answer } of matches) {
        const one = (direction: Direction, text: string) =>
          this.#flow(
            direction,
            priority,
            `${this.#whose(direction, member)}${text === '' ? '' : `,${text}`}`,
            deny ? 'drop' : this.#allowed(direction),
            at,
            name,
          );
        one(words.direction, match);
        if (!deny && answer !== undefined) one(otherWay(words.direction), answer);
      }
    }
  }

  /** What does not show that a rule is about it. */
  #unseen(rules: readonly At[]): void {
    const flow = (direction: Direction, priority: number, match: string, actions: string) =>
      this.#flow(direction, priority, match, actions, this.#spec.key('members'), 'unseen');
    const hidden = hiddenHeaders(rules);
    for (const direction of ['egress', 'ingress'] as const) {
      for (const member of this.members) {
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
    const { passed, dropped } = unicastInGroupFrames(this.members);
    for (const match of passed) flow('ingress', PRIORITY.toGroups, match, this.#next());
    for (const match of dropped) flow('ingress', PRIORITY.unseen, match, 'drop');
  }

  get #defaults(): { readonly ingress?: string; readonly egress?: string } {
    return (this.#spec.key('default').value ?? {}) as { ingress?: string; egress?: string };
  }

  /** What no rule is about: of members by the defaults, of others on. */
  #rest(): void {
    const defaults = this.#defaults;
    for (const direction of ['egress', 'ingress'] as const) {
      const actions = defaults[direction] === 'allow' ? this.#allowed(direction) : 'drop';
      for (const member of this.members)
        this.#flow(direction, PRIORITY.rest, this.#whose(direction, member), actions, this.#spec, 'default');
      this.#flow(direction, PRIORITY.others, '', this.#allowed(direction), this.#spec, 'others');
    }
  }
}
