/** SARIF 2.1.0 (OASIS), which code hosts and editors show beside the lines. */
import { type Diagnostic, type DiagnosticCode, diagnosticCodes } from '../diagnostic.js';
import type { Range, SourceFile } from '../source.js';

const location = (file: SourceFile, range: Range) => {
  const [start, end] = [file.place(range.start), file.place(range.end)];
  return {
    physicalLocation: {
      artifactLocation: { uri: encodeURI(file.name.replaceAll('\\', '/')) },
      region: { startLine: start.line, startColumn: start.column, endLine: end.line, endColumn: end.column },
    },
  };
};

export function sarifReport(found: readonly Diagnostic[], version: string): string {
  const codes = [...new Set(found.map(({ code }) => code))] as DiagnosticCode[];
  const rules = codes.map((id) => ({ id, shortDescription: { text: diagnosticCodes[id] } }));
  const results = found.map(({ severity, code, message, file, range, related }) => ({
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level: severity,
    message: { text: message },
    locations: [location(file, range)],
    ...(related === undefined
      ? {}
      : {
          relatedLocations: related.map((other) => ({
            ...location(other.file, other.range),
            message: { text: other.message },
          })),
        }),
  }));
  const driver = { name: 'xvif', version, rules };
  const run = { tool: { driver }, columnKind: 'utf16CodeUnits', results };
  return JSON.stringify(
    { $schema: 'https://json.schemastore.org/sarif-2.1.0.json', version: '2.1.0', runs: [run] },
    null,
    2,
  );
}
