/** In Dom0: runs the scenarios named, one after the other. */
import { scenarios } from '../scenarios/list.js';
import { messages, Run, ScenarioEnded } from './run.js';

const args = process.argv.slice(2);
const short = args.includes('--short');
const only = args.find((arg) => arg.startsWith('--only='))?.slice('--only='.length);

for (const name of args.filter((arg) => !arg.startsWith('--'))) {
  const scenario = scenarios.find((candidate) => candidate.name === name);
  if (scenario === undefined) throw new Error(`no such scenario: ${name}`);
  const run = new Run(name, short, only === undefined ? undefined : new RegExp(only));
  try {
    await scenario.run(run);
  } catch (error) {
    if (!(error instanceof ScenarioEnded)) {
      await run.check('goes on', () => Promise.reject(new Error(messages(error))));
    }
  } finally {
    await run.close();
  }
}
// Consoles and children that a failed scenario left open must not hold the machine.
process.exit(0);
