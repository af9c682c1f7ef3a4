/** Steps of the reference datapath → lines with names. */
import { formatActions, formatFlow, formatInstructions, type NamesOf } from 'node-openflow/text';
import type { Origin } from '../compiler/program.js';
import { encodeInstructions, encodeMatch } from '../datapath/records.js';
import { GroupType, LearnVerdict, localController, MeterBandType } from '../datapath/schema.gen.js';
import type { AskedFlow, NearMiss, TracedFlow, TraceStep } from '../datapath/trace-steps.js';
import { readActionRecords } from '../ofproto/translate-actions.js';
import { readInstructions } from '../ofproto/translate-instructions.js';
import { readMatch } from '../ofproto/translate-match.js';
import { fieldName, fieldWords } from './field-words.js';
import type { TracedRule } from './trace.js';
import { dropReason, NO_ACTIONS, packetInReason } from './trace-reasons.js';
import type { LearnWord, NearestRule, RuleWords, TraceLine, TraceOutcome } from './trace-report.js';

/** What things are called. */
export interface TraceNames extends NamesOf {
  readonly port: (port: number) => string | undefined;
  readonly table: (table: number) => string | undefined;
  readonly group: (group: number) => string | undefined;
  readonly meter: (meter: number) => string | undefined;
  /** Of the number in a cookie. */
  readonly owner: (cookie: bigint) => string | undefined;
}

const groupTypes = new Map<number, string>(Object.entries(GroupType).map(([name, type]) => [type, name]));
const bands = new Map<number, string>([
  [MeterBandType.drop, 'drop'],
  [MeterBandType.dscpRemark, 'dscp_remark'],
]);

const learnWords = new Map<number, LearnWord>([
  [LearnVerdict.asked, 'asked'],
  [LearnVerdict.there, 'there'],
  [LearnVerdict.full, 'full'],
]);

/** In OpenFlow's terms. */
export const flowOf = ({ table, priority, cookie, match, instructions }: TracedFlow): TracedRule['flow'] => ({
  tableId: table,
  priority,
  cookie,
  match: readMatch(encodeMatch(match)),
  instructions: readInstructions(encodeInstructions(instructions)),
});

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
/** Without those that are undefined. */
const known = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as never;

type Optional<T> = { [K in keyof T]?: T[K] };

const placeOf = ({ at, document, name, owner }: Origin): Optional<RuleWords> => ({
  name: `${document}/${name}`,
  owner,
  file: at.file.name,
  line: at.place().line,
});

/** Gathers steps as they come. */
export class TraceWords {
  readonly lines: TraceLine[] = [];
  readonly #delivered: TraceOutcome['delivered'][number][] = [];
  readonly #controller: TraceOutcome['controller'][number][] = [];
  readonly #dropped: TraceOutcome['dropped'][number][] = [];
  readonly #ruleOf: (flow: TracedFlow) => TracedRule;
  readonly #names: TraceNames;
  #depth = 0;
  /** Where the packet is, by depth: those that it has come back from are forgotten. */
  readonly #tables: { readonly table?: number; readonly rule?: RuleWords }[] = [];
  /** Changes are known when an action is done. */
  readonly #unfinished: (() => void)[] = [];

  constructor(ruleOf: (flow: TracedFlow) => TracedRule, names: TraceNames) {
    this.#ruleOf = ruleOf;
    this.#names = names;
  }

  add(step: TraceStep): void {
    if ('depth' in step) {
      this.#depth = step.kind === 'bucket' ? step.depth + 1 : step.depth;
      this.#tables.splice(step.kind === 'table' ? step.depth : step.depth + 1);
    }
    const line = this.#line(step);
    if (line !== undefined) this.lines.push({ depth: this.#depth, ...line } as TraceLine);
  }

  /** When there is nothing more to come. */
  outcome(): TraceOutcome {
    for (const finish of this.#unfinished.splice(0)) finish();
    const nothing = [this.#delivered, this.#controller, this.#dropped].every(({ length }) => length === 0);
    return {
      delivered: this.#delivered,
      controller: this.#controller,
      dropped: nothing ? [{ reason: NO_ACTIONS, ...this.#table }] : this.#dropped,
    };
  }

  get #table(): { readonly table?: number; readonly rule?: RuleWords } {
    return this.#tables.findLast((table) => table !== undefined) ?? {};
  }

  #line(step: TraceStep): Record<string, unknown> | undefined {
    const names = this.#names;
    switch (step.kind) {
      case 'table': {
        const { table, egress, flow, nearest } = step;
        const rule = flow === undefined ? undefined : this.#rule(flow);
        this.#tables[step.depth] = known({ table, rule });
        const near = nearest === undefined ? undefined : this.#nearest(nearest);
        return known({ step: 'table', table, name: names.table(table), egress, rule, nearest: near });
      }
      case 'action': {
        const changes: unknown[] = [];
        this.#unfinished.push(() => {
          for (const { field, before, after } of step.changes) {
            const [was, is] = [before, after].map((value) => this.#value(field, value));
            changes.push({ field: fieldName(field), before: was, after: is });
          }
        });
        return { step: 'action', text: formatActions(readActionRecords([step.action]), names), changes };
      }
      case 'instruction': {
        const [text] = [formatInstructions(readInstructions(encodeInstructions([step.instruction])), names)];
        return { step: 'action', text, changes: [] };
      }
      case 'action_set':
        return { step: 'action_set' };
      case 'group': {
        const group = names.group(step.group) ?? String(step.group);
        return { step: 'group', group, type: groupTypes.get(step.type), buckets: step.buckets };
      }
      case 'bucket':
        return { step: 'bucket', group: names.group(step.group) ?? String(step.group), bucket: step.index };
      case 'meter': {
        const band = step.band === undefined ? undefined : bands.get(step.band);
        return known({ step: 'meter', meter: names.meter(step.meter) ?? String(step.meter), band });
      }
      case 'normal':
        return known({ step: 'normal', vlan: step.vlan, to: step.to === undefined ? undefined : this.#port(step.to) });
      case 'output': {
        const { port, frame } = step;
        const name = names.port(port);
        this.#delivered.push(known({ port, name, frame: hex(frame) }) as TraceOutcome['delivered'][number]);
        return known({ step: 'output', port, name });
      }
      case 'packet_in': {
        const { table, controller: controllerId, maxLen } = step;
        const reason = controllerId === localController ? 'for an agent of xvifd' : packetInReason(step.reason);
        this.#controller.push({ reason, table, controllerId, maxLen });
        return { step: 'controller', reason };
      }
      case 'learn':
        return { step: 'learn', verdict: learnWords.get(step.verdict), text: this.#learned(step.flow) };
      case 'cut':
        return { step: 'cut' };
      case 'drop': {
        const reason = dropReason(step.reason);
        const port = step.port === undefined ? undefined : this.#port(step.port);
        this.#dropped.push(known({ reason, ...this.#table, port }) as TraceOutcome['dropped'][number]);
        return { step: 'drop', reason: port === undefined ? reason : `${port}: ${reason}` };
      }
    }
  }

  readonly #port = (port: number): string => this.#names.port(port) ?? String(port);

  #value(field: number, value: bigint, mask?: bigint): string {
    return fieldWords(field, value, mask, this.#port);
  }

  #rule(traced: TracedFlow): RuleWords {
    const { flow, origin } = this.#ruleOf(traced);
    const text = formatFlow({ ...flow, cookie: 0n, tableId: 0 }, this.#names);
    const place = origin === undefined ? { owner: this.#names.owner(flow.cookie) } : placeOf(origin);
    const number = flow.cookie === 0n ? undefined : `0x${flow.cookie.toString(16)}`;
    return known({ ...place, cookie: number, text }) as RuleWords;
  }

  #learned(flow: AskedFlow): string {
    const { idle, hard } = flow;
    return formatFlow({ ...flowOf(flow), idleTimeout: idle, hardTimeout: hard }, this.#names);
  }

  #nearest({ flow, differences }: NearMiss): NearestRule {
    return {
      rule: this.#rule(flow),
      differences: differences.map(({ value, wanted }) => ({
        field: fieldName(wanted.field),
        packet: this.#value(wanted.field, value),
        wanted: this.#value(wanted.field, wanted.value, wanted.mask),
      })),
    };
  }
}
