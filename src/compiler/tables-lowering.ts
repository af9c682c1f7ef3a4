/** What kinds have in common that become a fixed row of tables: names, an owner, numbers of tables, flows. */
import type { Steps } from '../base/slices.js';
import { type At, say, seen } from './at.js';
import type { Builder } from './builder.js';
import { MappedText } from './mapped-text.js';
import type { Origin } from './program.js';
import { Scope } from './scope.js';
import { finish } from './tests.js';

export abstract class TablesLowering<Table extends string> {
  readonly scope: Scope;
  readonly name: string;
  protected readonly owner: string;
  protected readonly spec: At;
  readonly #first: number;
  readonly #tables: readonly Table[];
  /** Its tables are another document's too, which was said. */
  protected readonly isCrowded: boolean;

  /** Declares its names. `tables` in the order of their numbers. */
  constructor(
    root: At,
    readonly builder: Builder,
    tables: readonly Table[],
  ) {
    this.spec = root.key('spec');
    this.#tables = tables;
    const vars = this.spec.key('vars');
    this.scope = new Scope(vars.value === undefined ? undefined : vars, builder.ports, builder.diagnostics);
    this.name = (root.key('metadata').value as { name: string }).name;
    this.owner = builder.owner(root.key('metadata'));
    builder.allow(this.name, this.spec.key('lint').key('allow'));
    this.#first = (this.spec.value as { table?: number }).table ?? 0;
    for (const name of tables) {
      this.scope.names.table.set(name, this.number(name));
      builder.table({ document: this.name, name, id: this.number(name), at: this.spec });
    }
    this.isCrowded = this.#takeTables(root);
  }

  /** Of all documents that have a row of tables each has its own. */
  #takeTables(root: At): boolean {
    const { rowTables, diagnostics } = this.builder;
    const table = this.spec.key('table');
    const at = table.value === undefined ? root.key('metadata').key('name') : table;
    const ids = this.#tables.map((name) => this.number(name));
    const id = ids.find((each) => rowTables.has(each));
    for (const each of ids) if (!rowTables.has(each)) rowTables.set(each, at);
    if (id === undefined) return false;
    const other = rowTables.get(id)!;
    const row = `tables ${ids[0]} to ${ids.at(-1)}`;
    const message = `${this.name} takes ${row}, and table ${id} is another document's: give one of them another table`;
    say(diagnostics, at, 'duplicate', message, { related: [seen(other, 'the other one')] });
    return true;
  }

  /** In steps, where there may be very many rules. */
  abstract lower(): Steps<void> | void;

  protected number(table: Table): number {
    return this.#first + this.#tables.indexOf(table);
  }

  protected origin(at: At, name: string): Origin {
    return { at, owner: this.owner, document: this.name, name };
  }

  /** `rule`: its name within the table. */
  protected flow(
    table: Table,
    priority: number,
    match: MappedText | string,
    actions: readonly string[],
    at: At,
    rule: string,
  ): void {
    const origin = this.origin(at, `${table}/${rule}`);
    const text = new MappedText().add(`table=${this.number(table)},priority=${priority}`, at);
    const words = typeof match === 'string' ? new MappedText().add(match, at) : match;
    if (words.text !== '') text.add(',').append(words);
    this.builder.flow(text.add(` actions=${actions.join(',')}`, at), origin, this.builder.cookie(origin), this.scope);
  }

  protected finish(): void {
    finish(this.name, this.spec, this.scope, this.builder);
  }
}
