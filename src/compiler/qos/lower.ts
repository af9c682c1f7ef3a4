/** Qos: a table of ports and one of classes, with a meter for each limit. */
import { type At, say, seen } from '../at.js';
import type { Builder } from '../builder.js';
import { anyIp, type Context, ETH } from '../flow-set/contexts.js';
import { expandMatch, type MatchText } from '../flow-set/match.js';
import { MappedText } from '../mapped-text.js';
import { meterText } from '../meter-text.js';
import { nextActions } from '../next.js';
import { portLabel } from '../ports.js';
import type { Origin } from '../program.js';
import { qosTables } from '../schema/qos.js';
import { Scope } from '../scope.js';
import { lowerTests } from '../tests.js';

/** The first that fits counts, so that each is below those before; below it packets of it that bear no mark. */
const PRIORITY = { first: 60_000, step: 10, unmarked: 1 } as const;

type QosTable = (typeof qosTables)[number];

export class QosLowering {
  readonly scope: Scope;
  readonly name: string;
  readonly #owner: string;
  readonly #spec: At;
  readonly #first: number;

  constructor(
    root: At,
    readonly builder: Builder,
  ) {
    this.#spec = root.key('spec');
    const vars = this.#spec.key('vars');
    this.scope = new Scope(vars.value === undefined ? undefined : vars, builder.ports, builder.diagnostics);
    this.name = (root.key('metadata').value as { name: string }).name;
    this.#owner = builder.owner(root.key('metadata'));
    builder.allow(this.name, (this.#spec.key('lint').key('allow').value ?? []) as string[]);
    this.#first = (this.#spec.value as { table?: number }).table ?? 0;
    for (const name of qosTables) {
      this.scope.names.table.set(name, this.#number(name));
      builder.table({ document: this.name, name, id: this.#number(name), at: this.#spec });
    }
  }

  #number(table: QosTable): number {
    return this.#first + qosTables.indexOf(table);
  }

  lower(): void {
    const next = nextActions(this.#spec.key('next'), this.scope);
    const classes = `goto_table:${this.#number('classes')}`;
    this.#ports(classes);
    this.#classes(next);
    this.#rest('ports', classes);
    this.#rest('classes', next);
    lowerTests(this.#spec.key('tests'), this.scope, this.builder);
    for (const unused of this.scope.unused()) {
      say(this.builder.diagnostics, unused, 'unused', `nothing uses the variable ${String(unused.path.at(-1))}`, {
        severity: 'warning',
        range: unused.keyRange(),
      });
    }
  }

  #ports(next: string): void {
    const found = new Map<number, At>();
    for (const at of this.#spec.key('ports').each()) {
      for (const value of this.scope.values(at.key('ports'))) {
        const number = this.scope.portNumber(value);
        if (number === undefined) continue;
        const label = value.port === undefined ? value.text : portLabel(value.port);
        const other = found.get(number);
        if (other !== undefined) {
          say(this.builder.diagnostics, value.at, 'duplicate', `port ${label} is there twice`, {
            related: [seen(other, 'the other one')],
          });
          continue;
        }
        found.set(number, value.at);
        const text = new MappedText().add(`in_port=${number}`, value.at);
        this.#treat('ports', at, label, PRIORITY.first, [{ context: {}, text }], next);
      }
    }
  }

  #classes(next: string): void {
    const names = new Map<string, At>();
    for (const [index, at] of this.#spec.key('classes').each().entries()) {
      const name = String(at.key('name').value);
      const other = names.get(name);
      if (other !== undefined) {
        say(this.builder.diagnostics, at.key('name'), 'duplicate', `there are two classes ${JSON.stringify(name)}`, {
          related: [seen(other, 'the other one')],
        });
      }
      names.set(name, at);
      const matches = expandMatch(at.key('match'), [], this.scope);
      this.#treat('classes', at, name, PRIORITY.first - PRIORITY.step * index, matches, next);
    }
  }

  #treat(table: QosTable, at: At, name: string, priority: number, matches: readonly MatchText[], next: string): void {
    const { dscp, queue } = at.value as { dscp?: number; queue?: number };
    const origin = this.#origin(at, `${table}/${name}`);
    const meter = this.#meter(at.key('police'), origin);
    const [limited, queued] = [
      meter === undefined ? [] : [`meter:${meter}`],
      queue === undefined ? [] : [`set_queue:${queue}`],
    ];
    if (dscp !== undefined && matches.length > 0 && matches.every(({ context }) => bearsNone(context))) {
      say(this.builder.diagnostics, at.key('dscp'), 'prerequisite', `dscp is of IP packets, and ${name} has none`);
    }
    for (const { context, text } of matches) {
      for (const { of, mark, below } of marked(context, dscp)) {
        const settings = `table=${this.#number(table)},priority=${priority - below}`;
        const whole = new MappedText().add(settings, at);
        if (of !== '') whole.add(`,${of}`);
        if (text.text !== '') whole.add(',').append(text);
        whole.add(` actions=${[...limited, ...mark, ...queued, next].join(',')}`, at);
        this.builder.flow(whole, origin, this.builder.cookie(origin), this.scope);
      }
    }
  }

  /** The number of the meter that a limit becomes. */
  #meter(at: At, origin: Origin): number | undefined {
    if (at.value === undefined) return undefined;
    const { exceed, ...limit } = at.value as Police;
    const remark = typeof exceed === 'object' ? exceed.dscp_remark : undefined;
    const number = this.builder.meterNumbers.make(`${this.name}/${origin.name}`);
    const text = new MappedText().add(meterText(number, { ...limit, remark }), at);
    this.builder.meter(text, this.#origin(at, origin.name), this.scope);
    return number;
  }

  #rest(table: QosTable, actions: string): void {
    const origin = this.#origin(this.#spec, `${table}/rest`);
    const text = new MappedText().add(`table=${this.#number(table)},priority=0 actions=${actions}`, this.#spec);
    this.builder.flow(text, origin, this.builder.cookie(origin), this.scope);
  }

  #origin(at: At, name: string): Origin {
    return { at, owner: this.#owner, document: this.name, name };
  }
}

const isIp = ({ eth }: Context): boolean => eth === ETH.ipv4 || eth === ETH.ipv6;
const bearsNone = (context: Context): boolean => context.eth !== undefined && !isIp(context);

interface Marked {
  /** What is asked of packets besides. */
  readonly of: string;
  readonly mark: readonly string[];
  readonly below: number;
}

/** IP packets bear a mark, others of the same class or port do not. */
function marked(context: Context, dscp: number | undefined): readonly Marked[] {
  if (dscp === undefined || bearsNone(context)) return [{ of: '', mark: [], below: 0 }];
  const mark = [`set_field:${dscp}->ip_dscp`];
  if (isIp(context)) return [{ of: '', mark, below: 0 }];
  const ip = anyIp.map(({ eth }) => ({ of: `dl_type=0x${eth!.toString(16).padStart(4, '0')}`, mark, below: 0 }));
  return [...ip, { of: '', mark: [], below: PRIORITY.unmarked }];
}

interface Police {
  readonly kbps?: number;
  readonly pktps?: number;
  readonly burst?: number;
  readonly exceed?: 'drop' | { readonly dscp_remark: number };
}
