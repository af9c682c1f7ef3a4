/** `npm run bench -- [REGEX]`: runs the scenarios whose name matches and prints their figures. --json FILE keeps them. */
import { writeFileSync } from 'node:fs';
import { heading, print, type Scenario } from './report.js';
import { controlScenarios } from './scenarios/control.js';
import { flowFileScenarios } from './scenarios/flow-files.js';
import { iperfScenarios } from './scenarios/iperf.js';
import { pcapScenarios } from './scenarios/pcap.js';
import { ringScenarios } from './scenarios/rings.js';

const all: readonly Scenario[] = [
  ...pcapScenarios,
  ...ringScenarios,
  ...iperfScenarios,
  ...flowFileScenarios,
  ...controlScenarios,
];

const args = process.argv.slice(2);
const jsonAt = args.indexOf('--json');
const json = jsonAt < 0 ? undefined : args.splice(jsonAt, 2)[1];
const pattern = new RegExp(args[0] ?? '');
const chosen = all.filter(({ name }) => pattern.test(name));
if (chosen.length === 0) {
  console.error(`no scenario matches ${pattern}; there are ${all.map(({ name }) => name).join(', ')}`);
  process.exit(2);
}
console.log(heading());
const results: Record<string, unknown> = { heading: heading(), at: new Date().toISOString() };
for (const scenario of chosen) {
  try {
    const figures = await scenario.run();
    print(scenario, figures);
    results[scenario.name] = figures;
  } catch (error) {
    process.exitCode = 1;
    console.error(`\n${scenario.name}: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
  }
}
if (json !== undefined) writeFileSync(json, `${JSON.stringify(results, undefined, 2)}\n`);
