/** `npm run test:xen`: boots the lab for each scenario and adds up what Dom0 reports. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Command } from 'commander';
import { scenarios } from '../scenarios/list.js';
import { defaultCache, readyImages } from './images.js';
import { boot } from './machine.js';
import { packPayload } from './payload.js';
import { Outcomes } from './report.js';

interface Options {
  readonly short?: true;
  readonly report?: string;
  readonly output: string;
  readonly cache: string;
  readonly verbose?: true;
  readonly script?: string;
  readonly memory: string;
  readonly limit?: string;
  readonly results?: string;
  readonly only?: string;
  readonly counted?: true;
}

const root = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..');

const command = new Command('npm run test:xen --')
  .description('boots a real Xen in QEMU and runs scenarios in its Dom0')
  .argument('[scenario...]', `of ${scenarios.map(({ name }) => name).join(', ')} (default: all)`)
  .option('--short', 'the short form of each scenario that has one')
  .option('--only <regex>', 'only checks whose name matches, and those they stand on')
  .option('--report <file>', 'write the outcome as JSON')
  .option('--output <directory>', "consoles, logs and results of Dom0's runs", join(root, 'build/xen'))
  .option('--cache <directory>', 'where the images are, or are built', defaultCache())
  .option('--results <directory>', "write the benchmark's tables there, as xen-COMMIT.txt")
  .option('--script <file>', 'no scenario: run this shell script in Dom0 and show what it prints')
  .option('--counted', 'with --script: one processor, whose time is the instructions it has run')
  .option('--memory <MiB>', 'of the machine; Dom0 gets half', '3072')
  .option('--limit <seconds>', 'time for each boot, instead of its own')
  .option('--verbose', 'also show what programs in Dom0 print')
  .parse();
const options = command.opts<Options>();
const [names] = command.processedArgs as [string[]];

const unknown = names.filter((name) => !scenarios.some((scenario) => scenario.name === name));
if (unknown.length > 0) command.error(`error: no such scenario: ${unknown.join(', ')}`);
const short = options.short === true;
const chosen = scenarios.filter(({ name, shortSeconds }) =>
  names.length > 0 ? names.includes(name) : !short || shortSeconds > 0,
);

const only = options.only === undefined ? '' : `--only='${options.only.replaceAll("'", '.')}' `;
const flags = `${short ? '--short ' : ''}${only}`;
const outcomes = new Outcomes(options.verbose === true);
const work = mkdtempSync(join(tmpdir(), 'xvif-xen-'));
process.once('exit', () => rmSync(work, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

// Of what is packed, not of what is there when it has run.
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout.trim();

const images = readyImages(join(root, 'test/xen/images'), resolve(options.cache), (line) => console.log(line));

async function bootWith(
  name: string,
  shell: string,
  limit: { readonly seconds: number; readonly counted: boolean },
  onLine: (line: string) => void,
): Promise<number> {
  const { seconds, counted } = limit;
  const payload = join(work, 'payload.tar');
  const prelude = 'export XVIF=/payload/xvif PATH=/payload/xvif/test/xen/assets:$PATH NODE_NO_WARNINGS=1\n';
  packPayload(root, work, payload, prelude + shell, existsSync(join(work, 'extra')) ? ['extra'] : []);
  return boot({
    images,
    payload,
    output: join(resolve(options.output), name),
    limitSeconds: options.limit === undefined ? seconds : Number(options.limit),
    memoryMiB: Number(options.memory),
    // Two that are counted hardly proceed: one spins while it waits for the other, which is not run meanwhile.
    processors: counted ? 1 : 2,
    counted,
    onLine,
  });
}

if (options.script !== undefined) {
  const script = resolve(options.script);
  mkdirSync(join(work, 'extra'));
  copyFileSync(script, join(work, 'extra/script'));
  process.exitCode = await bootWith(
    'script',
    'exec bash extra/script\n',
    { seconds: 3600, counted: options.counted === true },
    (line) => console.log(line),
  );
} else {
  for (const { name, seconds, shortSeconds, counted } of chosen) {
    const started = Date.now();
    const limit = short && shortSeconds > 0 ? shortSeconds : seconds;
    let ended = false;
    let trouble = '';
    try {
      const status = await bootWith(
        name,
        `exec node xvif/dist/test/xen/dom0/main.js ${flags}${name}\n`,
        { seconds: limit, counted: counted === true },
        (line) => outcomes.line(name, line),
      );
      ended = status === 0;
      if (!ended) trouble = `the scenario's program ended with status ${status}`;
    } catch (error) {
      trouble = (error as Error).message;
    }
    const spent = (Date.now() - started) / 1000;
    outcomes.add({ scenario: name, check: 'ran to its end', ok: ended, seconds: spent, detail: trouble });
  }
  if (options.results !== undefined && outcomes.tables.length > 0) {
    const head = `commit ${commit}, ${cpus().length} x ${cpus()[0]?.model ?? 'processor'}, Node ${process.versions.node}`;
    const text = [head, ...outcomes.tables.map((table) => table.text)].join('\n\n');
    writeFileSync(join(resolve(options.results), `xen-${commit}.txt`), `${text}\n`);
  }
  if (options.report !== undefined) outcomes.write(options.report);
  console.log(`${outcomes.passed} passed, ${outcomes.failed} failed`);
  process.exitCode = outcomes.failed === 0 && outcomes.passed > 0 ? 0 : 1;
}
