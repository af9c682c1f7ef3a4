/** FlowSet: first its names are declared, so that documents can refer to each other; then its rules are lowered. */
import type { Steps } from '../../base/slices.js';
import { type At, say, seen } from '../at.js';
import type { Builder } from '../builder.js';
import { ORDERED_RULES_MAX, TABLE_ID_MAX } from '../limits.js';
import { MappedText } from '../mapped-text.js';
import { meterText } from '../meter-text.js';
import type { Origin } from '../program.js';
import { Scope } from '../scope.js';
import { finish } from '../tests.js';
import { actionsText, wantedBy } from './actions.js';
import { expandMatch } from './match.js';
import { QuickRules } from './quick-rule.js';

const FIRST_PRIORITY = 60_000;
const PRIORITY_STEP = 10;
const FLOWS_PER_STEP = 16;

export class FlowSetLowering {
  readonly scope: Scope;
  readonly name: string;
  readonly #owner: string;
  readonly #spec: At;
  readonly #quick: QuickRules;

  constructor(
    root: At,
    readonly builder: Builder,
  ) {
    const { diagnostics, ports } = builder;
    this.#spec = root.key('spec');
    const vars = this.#spec.key('vars');
    this.scope = new Scope(vars.value === undefined ? undefined : vars, ports, diagnostics);
    this.#quick = new QuickRules(this.scope, builder);
    this.name = (root.key('metadata').value as { name: string }).name;
    this.#owner = builder.owner(root.key('metadata'));
    builder.allow(this.name, this.#spec.key('lint').key('allow'));
    this.#declareTables();
    this.#declareGroups();
    this.#declareMeters();
  }

  #declareTables(): void {
    let next = 0;
    const ids = new Map<number, At>();
    for (const at of this.#spec.key('tables').each()) {
      const { name, id = next } = at.value as { name: string; id?: number };
      next = id + 1;
      this.#declare('table', at, name, id);
      if (id > TABLE_ID_MAX)
        say(this.builder.diagnostics, at, 'limit', `table ${name} would be number ${id}; the last is ${TABLE_ID_MAX}`);
      const other = ids.get(id);
      if (other !== undefined) this.#twice(at.key('id'), `two tables have the number ${id}`, other);
      ids.set(id, at);
      this.builder.table({ document: this.name, name, id, at });
    }
  }

  #declareGroups(): void {
    const numbers = this.builder.groupNumbers(this.#owner);
    for (const at of this.#spec.key('groups').each()) {
      const { name, id } = at.value as { name: string; id?: number };
      const full = `${this.name}/${name}`;
      const holder = id === undefined ? undefined : numbers.take(id, full);
      if (holder !== undefined)
        say(this.builder.diagnostics, at.key('id'), 'duplicate', `group ${holder} has the number ${id} already`);
      this.#declare('group', at, name, id ?? numbers.make(full));
    }
  }

  #declareMeters(): void {
    const numbers = this.builder.meterNumbers;
    for (const at of this.#spec.key('meters').each()) {
      const { name, id } = at.value as { name: string; id?: number };
      const full = `${this.name}/${name}`;
      const holder = id === undefined ? undefined : numbers.take(id, full);
      if (holder !== undefined)
        say(this.builder.diagnostics, at.key('id'), 'duplicate', `meter ${holder} has the number ${id} already`);
      this.#declare('meter', at, name, id ?? numbers.make(full));
    }
  }

  readonly #declared = new Map<string, At>();
  #declare(what: 'table' | 'group' | 'meter', at: At, name: string, number: number): void {
    const other = this.#declared.get(`${what} ${name}`);
    if (other !== undefined) this.#twice(at.key('name'), `there are two ${what}s ${JSON.stringify(name)}`, other);
    this.#declared.set(`${what} ${name}`, at);
    this.scope.names[what].set(name, number);
  }

  #twice(at: At, message: string, other: At): void {
    const where = at.value === undefined ? at.parent() : at;
    say(this.builder.diagnostics, where, 'duplicate', message, { related: [seen(other, 'the other one')] });
  }

  /** Rules, groups, meters and tests; the tables of all documents are declared by now. */
  *lower(): Steps<void> {
    for (const group of this.#spec.key('groups').each()) this.#group(group);
    for (const meter of this.#spec.key('meters').each()) this.#meter(meter);
    for (const table of this.#spec.key('tables').each()) yield* this.#table(table);
    finish(this.name, this.#spec, this.scope, this.builder);
  }

  #origin(at: At, name: string): Origin {
    return { at, owner: this.#owner, document: this.name, name };
  }

  *#table(table: At): Steps<void> {
    const { name } = table.value as { name: string };
    const id = this.scope.names.table.get(name)!;
    const rules = table.key('rules').each();
    const ordered = rules.filter(
      ({ value }) => (value as Rule).priority === undefined && (value as Rule).flow === undefined,
    );
    if (ordered.length > ORDERED_RULES_MAX) {
      const text = `${ordered.length} rules of table ${name} have no priority; order alone can tell ${ORDERED_RULES_MAX} apart: give rules a priority, those that exclude each other the same`;
      say(this.builder.diagnostics, table.key('rules'), 'limit', text, { range: table.key('rules').keyRange() });
      return;
    }
    const miss = table.key('miss');
    const names = new Map(miss.value === undefined ? [] : [['miss', miss]]);
    let priority = FIRST_PRIORITY;
    for (const [index, at] of rules.entries()) {
      const rule = at.value as Rule;
      const called = rule.name ?? `#${index + 1}`;
      const other = names.get(called);
      if (other !== undefined)
        this.#twice(at.key('name'), `there are two rules ${JSON.stringify(called)} in table ${name}`, other);
      names.set(called, at);
      const origin = this.#origin(at, `${name}/${called}`);
      if (rule.flow !== undefined) this.#inline(at.key('flow'), 0, String(rule.flow), id, origin);
      else yield* this.#rule(at, id, rule.priority ?? priority, origin);
      if (rule.priority === undefined && rule.flow === undefined) priority -= PRIORITY_STEP;
      yield;
    }
    yield* this.#lines(table.key('flows'), id, name);
    this.#miss(table, id, name);
  }

  /** In steps: its lists may make very many flows. */
  *#rule(at: At, table: number, priority: number, origin: Origin): Steps<void> {
    const { idle_timeout: idle, hard_timeout: hard, flags = [] } = at.value as Rule;
    const [match, actions] = [at.key('match'), at.key('do')];
    const quick = flags.length > 0 ? undefined : this.#quick.flows(match, actions, table);
    if (quick !== undefined) {
      const cookie = this.builder.cookie(origin);
      const settings = { tableId: table, priority, idleTimeout: idle ?? 0, hardTimeout: hard ?? 0, cookie };
      for (const flow of quick) this.builder.add(origin, flow, settings);
      return;
    }
    const texts = expandMatch(match, wantedBy(actions, this.scope), this.scope);
    const cookie = this.builder.cookie(origin);
    const settings = [
      `table=${table},priority=${priority}`,
      ...(idle === undefined ? [] : [`idle_timeout=${idle}`]),
      ...(hard === undefined ? [] : [`hard_timeout=${hard}`]),
      ...flags,
    ].join(',');
    const { diagnostics } = this.builder;
    for (const [index, { context, text }] of texts.entries()) {
      if (index % FLOWS_PER_STEP === FLOWS_PER_STEP - 1) yield;
      const before = diagnostics.errors;
      const done = actionsText(actions, context, this.scope);
      if (done !== undefined) {
        const whole = new MappedText().add(settings, at);
        if (text.text !== '') whole.add(',').append(text);
        this.builder.flow(whole.add(' actions=', actions, -1).append(done), origin, cookie, this.scope);
      }
      // What is wrong with one of its flows is wrong with all.
      if (diagnostics.errors > before) return;
    }
  }

  /** A flow in ovs-ofctl's words, or a line of several; `index`: where in the text it begins. */
  #inline(at: At, index: number, text: string, table: number, origin: Origin): void {
    const beyond = /(?:^|[\s,])(table|cookie)\s*=/.exec(text.split(/actions?\s*=/)[0]!);
    if (beyond !== null) {
      const from = index + beyond.index + beyond[0].indexOf(beyond[1]!);
      say(this.builder.diagnostics, at, 'text', `${beyond[1]} is not for the flow to say: the document does`, {
        range: at.rangeIn(from, beyond[1]!.length),
      });
      return;
    }
    const exact = !text.includes('${');
    const value = exact ? text : this.scope.filled(text, at);
    if (value === undefined) return;
    const whole = new MappedText().add(`table=${table},`, at).add(value, at, exact ? index : undefined);
    this.builder.flow(whole, origin, this.builder.cookie(origin), this.scope);
  }

  *#lines(at: At, table: number, name: string): Steps<void> {
    if (at.value === undefined) return;
    let index = 0;
    for (const [number, line] of String(at.value).split('\n').entries()) {
      const text = line.replace(/#.*$/, '').trimEnd();
      const start = text.length - text.trimStart().length;
      if (text.trim() !== '') {
        const origin = this.#origin(at, `${name}/flows:${number + 1}`);
        this.#inline(at, index + start, text.trimStart(), table, origin);
        yield;
      }
      index += line.length + 1;
    }
  }

  #miss(table: At, id: number, name: string): void {
    const at = table.key('miss');
    const { value } = at;
    if (value === undefined) return;
    const actions = this.#missActions(at, id);
    if (actions === undefined) return;
    const origin = this.#origin(at, `${name}/miss`);
    const text = new MappedText().add(`table=${id},priority=0 actions=${actions}`, at);
    this.builder.flow(text, origin, this.builder.cookie(origin), this.scope);
  }

  #missActions(at: At, id: number): string | undefined {
    if (typeof at.value === 'object') {
      const to = this.scope.number('table', at.key('goto'));
      return to === undefined ? undefined : `goto_table:${to}`;
    }
    if (at.value !== 'continue') return at.value === 'controller' ? 'controller:65535' : String(at.value);
    const next = [...this.builder.tables]
      .filter((one) => one.document === this.name && one.id > id)
      .sort((a, b) => a.id - b.id)[0];
    if (next === undefined)
      say(this.builder.diagnostics, at, 'name', 'there is no table after this one to continue in');
    return next === undefined ? undefined : `goto_table:${next.id}`;
  }

  #group(at: At): void {
    const { name, type } = at.value as { name: string; type: string };
    const text = new MappedText().add(`group_id=${this.scope.names.group.get(name)},type=${type}`, at);
    for (const bucket of at.key('buckets').each()) {
      const done = actionsText(bucket.key('do'), {}, this.scope);
      if (done === undefined) return;
      text.add(',bucket=', bucket);
      const { weight } = bucket.value as { weight?: number };
      if (weight !== undefined) text.add(`weight=${weight},`, bucket.key('weight'));
      const watch = this.#watched(bucket);
      if (watch === undefined) return;
      text.add(`${watch}actions=`, bucket).append(done);
    }
    this.builder.group(text, this.#origin(at, name), this.scope);
  }

  /** The words for what a bucket watches; undefined, and said, where that is not there. */
  #watched(bucket: At): string | undefined {
    const [port, group] = [bucket.key('watch_port'), bucket.key('watch_group')];
    let words = '';
    if (port.value !== undefined) {
      const number = this.scope.values(port).map((value) => this.scope.portNumber(value))[0];
      if (number === undefined) return undefined;
      words += `watch_port=${number},`;
    }
    if (group.value !== undefined) {
      const number = this.scope.number('group', group);
      if (number === undefined) return undefined;
      words += `watch_group=${number},`;
    }
    return words;
  }

  #meter(at: At): void {
    const { name, dscp_remark: remark, ...limit } = at.value as Meter;
    const text = meterText(this.scope.names.meter.get(name)!, { ...limit, remark });
    this.builder.meter(new MappedText().add(text, at), this.#origin(at, name), this.scope);
  }
}

interface Rule {
  readonly name?: string;
  readonly priority?: number;
  readonly flow?: string;
  readonly idle_timeout?: number;
  readonly hard_timeout?: number;
  readonly flags?: readonly string[];
}

interface Meter {
  readonly name: string;
  readonly kbps?: number;
  readonly pktps?: number;
  readonly burst?: number;
  readonly dscp_remark?: number;
}
