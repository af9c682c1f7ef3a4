/**
 * `npm run fuzz -- openflow-decoder|openflow-channel [--seconds=N] [--seed=N] [--minimise]`
 *
 * Inputs are those kept in test/fuzz/corpus and changes of them; one that runs code no other ran is kept in
 * build/fuzz/TARGET.hex. Ends with 1 at a failure, an unhandled rejection or growth of memory; the input is then in
 * build/fuzz/TARGET.current, also after a crash. --minimise keeps, of all there are, those that run code no other runs.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { channelTarget } from './channel.js';
import { addInput, keptFile, lineOf, readInputs, writeInputs } from './corpus.js';
import { Coverage } from './coverage.js';
import { decoderTarget } from './decoder.js';
import { Random } from './random.js';
import type { Target } from './target.js';
import { Watchdog } from './watchdog.js';

const targets: Readonly<Record<string, () => Target | Promise<Target>>> = {
  'openflow-decoder': decoderTarget,
  'openflow-channel': channelTarget,
};
/** Inputs between two looks at the coverage, which are slow. */
const BATCH = 64;
/** Inputs between two looks at the memory, each with a new switch. */
const ROUND = 2048;
/** Rounds that fill caches and compile code. */
const WARM_ROUNDS = 3;
const GROWTH_BYTES = 96 * 1024 * 1024;

const option = (name: string) =>
  process.argv.find((argument) => argument.startsWith(`--${name}=`))?.slice(name.length + 3);
const name = process.argv.slice(2).find((argument) => !argument.startsWith('--')) ?? '';
const seconds = Number(option('seconds') ?? 60);
const seed = Number(option('seed') ?? Date.now() % 2 ** 32);
const open = targets[name];
if (open === undefined) {
  console.error(`no such target: ${name}; there are ${Object.keys(targets).join(', ')}`);
  process.exit(2);
}
mkdirSync('build/fuzz', { recursive: true });
const foundFile = `build/fuzz/${name}.hex`;
const currentFile = `build/fuzz/${name}.current`;
const rejections: unknown[] = [];
process.on('unhandledRejection', (reason) => rejections.push(reason));
process.on('uncaughtException', (error) => rejections.push(error));

const target = await open();
const watchdog = new Watchdog();
const coverage = await Coverage.start();

async function run(input: Uint8Array): Promise<void> {
  writeFileSync(currentFile, lineOf(input));
  watchdog.alive();
  await target.run(input);
  if (rejections.length > 0) throw new Error('an unhandled rejection', { cause: rejections });
}

/** Those that run code which none before them ran. */
async function minimised(inputs: readonly Uint8Array[]): Promise<Uint8Array[]> {
  const kept: Uint8Array[] = [];
  for (const input of inputs) {
    await run(input);
    if ((await coverage.fresh()).length > 0) kept.push(input);
  }
  return kept;
}

/** Bytes in use after everything that can be let go was. */
async function memory(): Promise<number> {
  for (let i = 0; i < 4; i++) {
    globalThis.gc?.();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

async function fuzz(): Promise<void> {
  const random = new Random(seed);
  const inputs = [...readInputs(keptFile(name)), ...readInputs(foundFile)];
  for (const input of inputs) await run(input);
  await coverage.fresh();
  const end = Date.now() + seconds * 1000;
  let [runs, rounds, first] = [0, 0, 0];
  console.log(`${name}: ${inputs.length} inputs, ${coverage.blocks} blocks, seed ${seed}`);
  while (Date.now() < end) {
    for (let i = 0; i < ROUND / BATCH && Date.now() < end; i++) {
      const batch = Array.from({ length: BATCH }, () =>
        target.mutate(random.pick(inputs), random.pick(inputs), random),
      );
      for (const input of batch) await run(input);
      runs += BATCH;
      const blocks = await coverage.fresh();
      if (blocks.length === 0) continue;
      coverage.forget(blocks);
      const found = await minimised(batch);
      for (const input of found) addInput(foundFile, input);
      inputs.push(...found);
      console.log(`${runs} runs: ${inputs.length} inputs, ${coverage.blocks} blocks`);
    }
    await target.renew?.();
    rounds++;
    const used = await memory();
    if (rounds === WARM_ROUNDS) first = used;
    if (rounds > WARM_ROUNDS && used - first > GROWTH_BYTES)
      throw new Error(`memory grew from ${first} to ${used} bytes`);
    console.log(
      `${runs} runs, ${Math.round(used / 1024)} KiB, ${Math.round(process.memoryUsage().rss / 1024)} KiB resident`,
    );
  }
  console.log(`${name}: ${seconds} s, ${runs} runs without a finding`);
}

async function minimise(): Promise<void> {
  const inputs = [...readInputs(keptFile(name)), ...readInputs(foundFile)].sort((a, b) => a.length - b.length);
  const kept = await minimised(inputs);
  writeInputs(keptFile(name), kept);
  console.log(`${name}: ${kept.length} of ${inputs.length} inputs, ${coverage.blocks} blocks`);
}

try {
  await (process.argv.includes('--minimise') ? minimise() : fuzz());
} catch (error) {
  process.exitCode = 1;
  console.error(error, `\nthe input is in ${currentFile}; seed ${seed}`);
}
// Not waiting for what a failure may have left hanging.
process.exit();
