/** Qos: a table of ports and one of classes, with a meter for each limit. */
import { type At, say, seen } from '../at.js';
import type { Builder } from '../builder.js';
import { anyIp, type Context, ETH } from '../flow-set/contexts.js';
import { expandMatch, type MatchText } from '../flow-set/match.js';
import { MappedText } from '../mapped-text.js';
import { meterText } from '../meter-text.js';
import { nextActions } from '../next.js';
import { portLabel } from '../ports.js';
import { qosTables } from '../schema/qos.js';
import { TablesLowering } from '../tables-lowering.js';

/** The first that fits counts, so that each is below those before; below it packets of it that bear no mark. */
const PRIORITY = { first: 60_000, step: 10, unmarked: 1 } as const;

type QosTable = (typeof qosTables)[number];

export class QosLowering extends TablesLowering<QosTable> {
  constructor(root: At, builder: Builder) {
    super(root, builder, qosTables);
  }

  lower(): void {
    if (this.isCrowded) return;
    const next = nextActions(this.spec.key('next'), this.scope);
    const classes = `goto_table:${this.number('classes')}`;
    this.#ports(classes);
    this.#classes(next);
    this.flow('ports', 0, '', [classes], this.spec, 'rest');
    this.flow('classes', 0, '', [next], this.spec, 'rest');
    this.finish();
  }

  #ports(next: string): void {
    const found = new Map<number, At>();
    for (const at of this.spec.key('ports').each()) {
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
    for (const [index, at] of this.spec.key('classes').each().entries()) {
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
    const meter = this.#meter(at.key('police'), `${table}/${name}`);
    const [limited, queued] = [
      meter === undefined ? [] : [`meter:${meter}`],
      queue === undefined ? [] : [`set_queue:${queue}`],
    ];
    if (dscp !== undefined && matches.length > 0 && matches.every(({ context }) => bearsNone(context))) {
      say(this.builder.diagnostics, at.key('dscp'), 'prerequisite', `dscp is of IP packets, and ${name} has none`);
    }
    for (const { context, text } of matches) {
      for (const { of, mark, below } of marked(context, dscp)) {
        const match = new MappedText()
          .add(of, at)
          .add(of === '' || text.text === '' ? '' : ',')
          .append(text);
        this.flow(table, priority - below, match, [...limited, ...mark, ...queued, next], at, name);
      }
    }
  }

  /** The number of the meter that a limit becomes. */
  #meter(at: At, name: string): number | undefined {
    if (at.value === undefined) return undefined;
    const { exceed, ...limit } = at.value as Police;
    const remark = typeof exceed === 'object' ? exceed.dscp_remark : undefined;
    const number = this.builder.meterNumbers.make(`${this.name}/${name}`);
    const text = new MappedText().add(meterText(number, { ...limit, remark }), at);
    this.builder.meter(text, this.origin(at, name), this.scope);
    return number;
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
