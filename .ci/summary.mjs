// Adds up the reports of the gate's steps: `node .ci/summary.mjs DIR`. DIR holds steps.tsv (name, exit status) and the
// runners' own reports. Names what failed and what passed at the second try; the last line is "N passed, N failed".
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const dir = process.argv[2];
const json = (file) => JSON.parse(readFileSync(join(dir, file), 'utf8'));

/** Each reads its runner's report: how many passed, and a line for each that did not or needed a second try. */
const runners = {
  vitest: (report) => {
    const tests = report.testResults.flatMap((file) =>
      file.assertionResults.map((test) => ({ ...test, file: file.name.replace(`${process.cwd()}/`, '') })),
    );
    const line = (test) =>
      `${test.file}: ${test.fullName}: ${(test.failureMessages?.[0] ?? test.status).split(`\n    at `, 3).join(`\n    at `)}`;
    // What is skipped was not checked. A file that could not be run has no tests of its own.
    const broken = report.testResults.filter(
      (file) => file.status === 'failed' && !file.assertionResults.some((t) => t.status === 'failed'),
    );
    return {
      passed: report.numPassedTests,
      failed: [
        ...tests.filter((test) => test.status !== 'passed').map(line),
        ...broken.map((file) => `${file.name}: ${file.message}`),
      ],
      again: tests.filter((test) => test.status === 'passed' && test.failureMessages?.length > 0).map(line),
    };
  },
  gtest: (report) => {
    const tests = report.testsuites.flatMap((suite) => suite.testsuite);
    const bad = tests.filter((test) => test.failures !== undefined || test.result !== 'COMPLETED');
    return {
      passed: tests.length - bad.length,
      failed: bad.map(
        (test) => `${test.classname}.${test.name}: ${test.failures?.[0]?.failure?.slice(0, 600) ?? test.result}`,
      ),
      again: [],
    };
  },
  xen: (report) => ({
    passed: report.passed,
    failed: Array.from({ length: report.failed }, (_, i) => `see its output, ${i + 1}`),
    again: [],
  }),
};

const reports = {
  'npm test': 'unit.vitest.json',
  interoperability: 'interop.vitest.json',
  'Xen lab, short form': 'lab.xen.json',
  'C++ tests, release': 'release.gtest.json',
  'C++ tests, address and undefined behaviour sanitizers': 'asan.gtest.json',
  'C++ tests, thread sanitizer': 'tsan.gtest.json',
};

let passed = 0;
let failed = 0;
for (const [name, status] of readFileSync(join(dir, 'steps.tsv'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => line.split('\t'))) {
  const file = reports[name];
  if (file === undefined || !existsSync(join(dir, file))) {
    // A check without a report counts as one.
    if (status === '0' && file === undefined) passed++;
    else {
      failed++;
      console.log(`FAILED ${name}`);
    }
    continue;
  }
  const result = runners[file.split('.')[1]](json(file));
  // A runner that fails without naming a test still failed.
  if (result.failed.length === 0 && status !== '0') result.failed.push(`ended with status ${status}`);
  passed += result.passed;
  failed += result.failed.length;
  console.log(`${name}: ${result.passed} passed, ${result.failed.length} failed`);
  for (const line of result.again) console.log(`  passed at the second try: ${line}`);
  for (const line of result.failed) console.log(`  FAILED ${line}`);
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
