/** What Dom0 reports to the host: one JSON object a line, after a mark that no program prints by chance. */

export const mark = '@@xvif-report ';

export type Report =
  | {
      readonly kind: 'check';
      readonly check: string;
      readonly ok: boolean;
      readonly seconds: number;
      readonly detail: string;
    }
  | { readonly kind: 'table'; readonly text: string };

export function print(report: Report): void {
  console.log(`${mark}${JSON.stringify(report)}`);
}
