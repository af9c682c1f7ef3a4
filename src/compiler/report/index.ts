/** What was found, in the forms that people and programs read. */
import type { Diagnostics } from '../diagnostic.js';
import { githubReport } from './github.js';
import { jsonReport } from './json.js';
import { sarifReport } from './sarif.js';
import { textReport } from './text.js';

export const reportFormats = ['text', 'json', 'sarif', 'github'] as const;
export type ReportFormat = (typeof reportFormats)[number];

/** Without the last line break; '' where there is nothing to say. `version`: that of the program. */
export function report(diagnostics: Diagnostics, format: ReportFormat, version: string): string {
  const found = diagnostics.sorted();
  switch (format) {
    case 'text':
      return textReport(found, diagnostics.omitted);
    case 'json':
      return jsonReport(found, diagnostics.omitted);
    case 'sarif':
      return sarifReport(found, version);
    case 'github':
      return githubReport(found);
  }
}
