/** What is to be said of a file: an error, a warning or a note, with its place. */
import { DIAGNOSTICS_MAX } from './limits.js';
import type { Range, SourceFile } from './source.js';

/** One word for each kind of finding, for programs and for switching a warning off. */
export const diagnosticCodes = {
  syntax: 'the file is not well-formed YAML or JSON',
  limit: 'the file is larger than what is read',
  kind: 'a document of a kind or version that is not known',
  'unknown-key': 'a key that the schema does not have',
  missing: 'something that must be there is not',
  type: 'a value of another type than the schema wants',
  value: 'a value that is out of range or cannot be read',
  name: 'a name that stands for nothing',
  duplicate: 'a name or a number that is used twice',
  text: 'a mistake in a text in the syntax of ovs-ofctl',
  prerequisite: 'fields that cannot be in one packet',
  expansion: 'lists and ranges that become too many flows',
  test: 'an embedded test that fails',
  shadowed: 'a rule that never matches, because others of higher priority take all its packets',
  unreachable: 'a table that no packet comes to',
  overlap: 'rules of one priority that disagree about a packet',
  loop: 'rules that send packets round in a circle',
  'cuts-arp': 'ARP or neighbour discovery of a port goes nowhere',
  'cuts-dhcp': 'DHCP requests of a port go nowhere',
  'cuts-management': "the host's own port is cut off",
  unused: 'something that nothing refers to',
  unresolved: 'ports whose numbers are not known',
  unsupported: 'something that xvifd refuses',
  health: 'health that nobody asks for',
  copies: 'packets that come back more than once',
  stateless: 'what a stateless rule lets through besides',
  'icmp-errors': 'packets that a router drops without an ICMP error',
} as const;
export type DiagnosticCode = keyof typeof diagnosticCodes;
export type Severity = 'error' | 'warning' | 'note';

export interface Related {
  readonly message: string;
  readonly file: SourceFile;
  readonly range: Range;
}

export interface Diagnostic {
  readonly severity: Severity;
  readonly code: DiagnosticCode;
  /** One sentence without its place. */
  readonly message: string;
  readonly file: SourceFile;
  readonly range: Range;
  /** The right name nearest to a wrong one. */
  readonly suggestion?: string;
  readonly related?: readonly Related[];
}

/** Gathers; bounded, so that a file of mistakes makes no endless list. */
export class Diagnostics {
  readonly #kept: Diagnostic[] = [];
  readonly #counts: Record<Severity, number> = { error: 0, warning: 0, note: 0 };
  /** Tries that are under way, in each other, and what was said in any. */
  #trying = 0;
  #unsaid = 0;

  /** What was said of a place already is not said again. */
  add(diagnostic: Diagnostic): void {
    if (this.#trying > 0) {
      this.#unsaid++;
      return;
    }
    const { file, range, code, message } = diagnostic;
    const same = (kept: Diagnostic) =>
      kept.range.start === range.start && kept.file === file && kept.code === code && kept.message === message;
    if (this.#kept.some(same)) return;
    this.#counts[diagnostic.severity]++;
    if (this.#kept.length < DIAGNOSTICS_MAX) this.#kept.push(diagnostic);
  }

  /** What is said meanwhile is forgotten; undefined where something was. */
  trying<Result>(make: () => Result): Result | undefined {
    const before = this.#unsaid;
    this.#trying++;
    try {
      const made = make();
      return this.#unsaid > before ? undefined : made;
    } finally {
      this.#trying--;
    }
  }

  get errors(): number {
    return this.#counts.error;
  }
  get warnings(): number {
    return this.#counts.warning;
  }
  /** Those that were counted and not kept. */
  get omitted(): number {
    const { error, warning, note } = this.#counts;
    return error + warning + note - this.#kept.length;
  }

  /** By file, then by place. */
  sorted(): readonly Diagnostic[] {
    const order = new Map<SourceFile, number>();
    for (const { file } of this.#kept) if (!order.has(file)) order.set(file, order.size);
    return [...this.#kept].sort(
      (a, b) => order.get(a.file)! - order.get(b.file)! || a.range.start - b.range.start || a.range.end - b.range.end,
    );
  }
}
