/** Checks as Dom0 reports them, one JSON object a line after a mark, and their sum. */
import { writeFileSync } from 'node:fs';
import { mark, type Report } from '../dom0/report-line.js';

export interface Outcome {
  readonly scenario: string;
  readonly check: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Why it failed, or what was measured. */
  readonly detail: string;
}

export class Outcomes {
  readonly all: Outcome[] = [];
  readonly tables: { readonly scenario: string; readonly text: string }[] = [];
  readonly #verbose: boolean;

  constructor(verbose: boolean) {
    this.#verbose = verbose;
  }

  /** Takes a line of Dom0: a report, or something a program printed. */
  line(scenario: string, text: string): void {
    const at = text.indexOf(mark);
    if (at < 0) {
      if (this.#verbose) console.log(`  | ${text.trimEnd()}`);
      return;
    }
    let report: Report;
    try {
      report = JSON.parse(text.slice(at + mark.length)) as Report;
    } catch {
      // Kernel messages may run into the line; a check that is lost this way must not count as passed.
      this.add({ scenario, check: 'report of Dom0 can be read', ok: false, seconds: 0, detail: text.trim() });
      return;
    }
    if (report.kind === 'table') {
      this.tables.push({ scenario, text: report.text });
      console.log(report.text);
    } else {
      this.add({ scenario, ...report });
    }
  }

  add(outcome: Outcome): void {
    this.all.push({ ...outcome });
    const { scenario, check, ok, seconds, detail } = outcome;
    const lines = detail === '' ? [] : detail.split('\n');
    const short = ok && lines.length === 1 ? `: ${lines[0]}` : '';
    console.log(`${ok ? 'ok    ' : 'FAILED'} ${scenario}: ${check}${short} (${seconds.toFixed(1)} s)`);
    if (!ok) for (const line of lines) console.log(`         ${line}`);
  }

  get passed(): number {
    return this.all.filter(({ ok }) => ok).length;
  }

  get failed(): number {
    return this.all.length - this.passed;
  }

  write(file: string): void {
    const { passed, failed, all, tables } = this;
    writeFileSync(file, `${JSON.stringify({ passed, failed, checks: all, tables }, undefined, 2)}\n`);
  }
}
