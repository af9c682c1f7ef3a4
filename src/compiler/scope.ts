/** What names mean in a document: variables, ports, tables, groups, meters. */
import { ActionMemory, nearest } from 'node-openflow/text';
import { type At, say } from './at.js';
import type { Diagnostics } from './diagnostic.js';
import { type KnownPort, type PortResolver, portLabel, reservedPorts, wordsOf } from './ports.js';
import type { PortByWords, PortValue } from './schema/common.js';

/** A value of a file as text. */
export interface Value {
  readonly text: string;
  readonly at: At;
  /** The text is the value's own, letter by letter. */
  readonly exact: boolean;
  readonly port?: PortByWords;
}

export type Named = 'table' | 'group' | 'meter';

export class Scope {
  /** Numbers of tables, groups and meters by their names. */
  readonly names: Readonly<Record<Named, Map<string, number>>> = {
    table: new Map(),
    group: new Map(),
    meter: new Map(),
  };
  /** Of actions in the words of ovs-ofctl, which are read with these names. */
  readonly actions = new ActionMemory();
  readonly #used = new Set<string>();

  constructor(
    readonly vars: At | undefined,
    readonly ports: PortResolver,
    readonly diagnostics: Diagnostics,
  ) {}

  /** Variables that nothing refers to. */
  unused(): At[] {
    return (this.vars?.entries() ?? []).filter(([name]) => !this.#used.has(name)).map(([, at]) => at);
  }

  /** A table, group or meter by name or number; undefined, and said, where there is none. */
  number(what: Named, at: At): number | undefined {
    const { value } = at;
    if (typeof value === 'number') return value;
    const name = String(value);
    const found = this.names[what].get(name);
    if (found !== undefined) return found;
    const suggestion = nearest(name, this.names[what].keys());
    const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
    say(this.diagnostics, at, 'name', `there is no ${what} ${JSON.stringify(name)}${hint}`, { suggestion });
    return undefined;
  }

  /** The port's number; undefined, and said, where there is none. */
  portNumber(value: Value): number | undefined {
    return (reserved(value) ?? this.port(value))?.number;
  }

  port(value: Value): KnownPort | undefined {
    const fixed = reserved(value);
    if (fixed !== undefined && fixed.number !== reservedPorts.LOCAL) {
      say(this.diagnostics, value.at, 'value', `${value.text} is no port of its own`);
      return undefined;
    }
    const words = fixed ?? value.port ?? wordsOf(value.text);
    const found = this.ports.find(words);
    if (found !== undefined) return found;
    const label = portLabel(words);
    const suggestion = nearest(label, this.ports.names);
    const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
    say(this.diagnostics, value.at, 'name', `there is no port ${JSON.stringify(label)}${hint}`, { suggestion });
    return undefined;
  }

  /** For node-openflow/text, where a word that nobody knows may as well be an action that is misspelt. */
  portByText(text: string): number | undefined {
    const words = wordsOf(text);
    return this.ports.find(words, words.name !== undefined)?.number;
  }

  /** What stands there, with variables put in: a list, or a variable that is one, is several values. */
  values(at: At): Value[] {
    return at.each().flatMap((one) => {
      const whole = typeof one.value === 'string' ? /^\$\{([^}:]+)\}$/.exec(one.value) : null;
      if (whole === null) return this.#single(one, one);
      const variable = this.#variable(whole[1]!, one);
      return variable === undefined ? [] : variable.each().flatMap((each) => this.#single(each, one));
    });
  }

  /** A text with variables put in. */
  text(at: At): Value | undefined {
    return this.#single(at, at)[0];
  }

  /** `written`: what it says, `at`: where it is used. */
  #single(written: At, at: At): Value[] {
    const { value } = written;
    if (typeof value === 'object' && value !== null) {
      const port = value as PortByWords;
      return [{ text: portLabel(port), at, exact: false, port }];
    }
    const text = String(value);
    if (!text.includes('${')) return [{ text, at, exact: written === at && typeof value === 'string' }];
    if (written !== at) {
      say(this.diagnostics, written, 'value', 'a variable is not made of others');
      return [];
    }
    const put = this.filled(text, at);
    return put === undefined ? [] : [{ text: put, at, exact: false }];
  }

  /** A text that stands there, or a part of it, with variables put in; undefined, and said, where one is not known. */
  filled(text: string, at: At): string | undefined {
    let complete = true;
    const put = text.replace(/\$\{([^}]*)\}/g, (_, name: string) => {
      const found = this.#inText(name, at);
      if (found === undefined) complete = false;
      return found ?? '';
    });
    return complete ? put : undefined;
  }

  #inText(name: string, at: At): string | undefined {
    const [, what, port] = /^(mac|ip|number):(.+)$/.exec(name) ?? [];
    if (what !== undefined) return this.#ofPort(what as 'mac' | 'ip' | 'number', port!, at);
    const variable = this.#variable(name, at);
    if (variable === undefined) return undefined;
    if (Array.isArray(variable.value)) {
      say(this.diagnostics, at, 'value', `\${${name}} is a list and can only stand alone`);
      return undefined;
    }
    return this.#single(variable, variable)[0]?.text;
  }

  /** `${mac:web01/0}`, `${ip:…}`, `${number:…}`: what is known of a port. */
  #ofPort(what: 'mac' | 'ip' | 'number', text: string, at: At): string | undefined {
    const variable = this.vars?.key(text);
    if (variable?.value !== undefined) this.#used.add(text);
    if (Array.isArray(variable?.value)) {
      say(this.diagnostics, at, 'value', `${text} is a list, and \${${what}:…} is of one port`);
      return undefined;
    }
    const value = variable?.value === undefined ? { text, at, exact: false } : this.#single(variable, at)[0];
    const port = value === undefined ? undefined : this.port({ ...value, at });
    if (port === undefined) return undefined;
    const found = what === 'mac' ? port.mac : what === 'ip' ? port.addresses?.[0] : String(port.number);
    if (found === undefined)
      say(this.diagnostics, at, 'name', `the ${what} of port ${JSON.stringify(text)} is not known`);
    return found;
  }

  #variable(name: string, at: At): At | undefined {
    const found = this.vars?.key(name);
    if (found?.value !== undefined) {
      this.#used.add(name);
      return found;
    }
    const suggestion = nearest(name, Object.keys((this.vars?.value ?? {}) as object));
    const hint = suggestion === undefined ? '' : `; perhaps ${suggestion}`;
    say(this.diagnostics, at, 'name', `there is no variable ${JSON.stringify(name)}${hint}`, { suggestion });
    return undefined;
  }
}

function reserved({ text, port }: Value): KnownPort | undefined {
  const number = port === undefined ? reservedPorts[text.toUpperCase()] : undefined;
  return number === undefined ? undefined : { number };
}

/** A port as a schema has it. */
export const portValue = (at: At): PortValue => at.value as PortValue;
