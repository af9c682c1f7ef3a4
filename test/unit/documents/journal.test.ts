/** The journal of documents: what was said to be on the disk is there, whatever became of the file's end. */
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { type Logger, silentLogger } from '../../../src/base/logger.js';
import type { Kept } from '../../../src/documents/change.js';
import { Journal, readJournal } from '../../../src/documents/journal.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-journal-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const fresh = () => join(folder, `${++files}`, 'br0.documents');

const document = (name: string, text = 'text'): Kept => ({
  name,
  kind: 'FlowSet',
  owner: 'ops',
  file: `/etc/${name}.yaml`,
  line: 3,
  text,
  appliedMs: 1_795_000_000_123,
  portNames: ['up'],
});
const put = (...documents: readonly Kept[]) => ({ put: documents, removed: [] });

class Told {
  readonly lines: string[] = [];
  readonly logger: Logger = {
    ...silentLogger,
    warn: (fields, message) => this.lines.push(`${message} ${JSON.stringify(fields)}`),
  };
}

/** Three changes; the sizes of the file after each. */
function written(path: string): { readonly sizes: readonly number[]; readonly bytes: Buffer } {
  const journal = Journal.open(path, silentLogger);
  const sizes = [put(document('a')), put(document('b')), { put: [document('a', 'other')], removed: ['b'] }].map(
    (change) => {
      journal.append(change);
      return statSync(path).size;
    },
  );
  return { sizes, bytes: readFileSync(path) };
}

describe('a journal', () => {
  it('that is not there is empty, and made with the first change, for us alone', () => {
    const path = fresh();
    const journal = Journal.open(path, silentLogger);
    expect(journal.documents.size).toBe(0);
    journal.append(put(document('a')));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect([...Journal.open(path, silentLogger).documents.values()]).toEqual([document('a')]);
  });

  it('says what was written to it, in all', () => {
    const path = fresh();
    written(path);
    expect([...Journal.open(path, silentLogger).documents.values()]).toEqual([document('a', 'other')]);
  });

  it('cut off anywhere has what was whole before, and takes further changes', () => {
    const path = fresh();
    const { sizes, bytes } = written(path);
    const expected = [['a'], ['a', 'b'], ['a']];
    for (let size = 0; size < bytes.length; size++) {
      writeFileSync(path, bytes);
      truncateSync(path, size);
      const told = new Told();
      const journal = Journal.open(path, told.logger);
      const whole = sizes.filter((end) => end <= size).length;
      expect([...journal.documents.keys()]).toEqual(whole === 0 ? [] : expected[whole - 1]);
      const clean = size === 0 || size === 8 || sizes.includes(size);
      expect(told.lines.length, `${size}`).toBe(clean ? 0 : 1);
      journal.append(put(document('c')));
      expect([...Journal.open(path, told.logger).documents.keys()]).toEqual([...journal.documents.keys()]);
    }
  });

  it('with a wrong checksum ends there; the rest is kept aside and told', () => {
    const path = fresh();
    const { sizes, bytes } = written(path);
    bytes[sizes[0]! + 12]! ^= 1;
    writeFileSync(path, bytes);
    const told = new Told();
    expect([...Journal.open(path, told.logger).documents.keys()]).toEqual(['a']);
    expect(told.lines).toEqual([expect.stringContaining(`the checksum of the record at byte ${sizes[0]} is wrong`)]);
    expect(readFileSync(`${path}.damaged`)).toEqual(bytes.subarray(sizes[0]));
    expect(statSync(path).size).toBe(sizes[0]);
  });

  it('of another kind is set aside', () => {
    const path = fresh();
    written(path);
    writeFileSync(path, 'hello, this is no journal');
    const told = new Told();
    const journal = Journal.open(path, told.logger);
    expect(journal.documents.size).toBe(0);
    expect(told.lines[0]).toContain('it does not begin as a journal');
    journal.append(put(document('z')));
    expect([...Journal.open(path, told.logger).documents.keys()]).toEqual(['z']);
  });

  it('does not grow for ever', () => {
    const path = fresh();
    const journal = Journal.open(path, silentLogger);
    for (let n = 0; n < 200; n++) journal.append(put(document('a', `${n}`.padEnd(2000))));
    expect(statSync(path).size).toBeLessThan(80_000);
    expect([...Journal.open(path, silentLogger).documents.values()]).toEqual([document('a', '199'.padEnd(2000))]);
  });

  it('of any bytes never throws, and says how far it is good', () => {
    const { bytes } = written(fresh());
    const mutated = fc
      .array(fc.record({ at: fc.nat(bytes.length - 1), value: fc.nat(255) }), { minLength: 1, maxLength: 4 })
      .map((changes) => {
        const copy = Buffer.from(bytes);
        for (const { at, value } of changes) copy[at] = value;
        return copy;
      });
    const any = fc.oneof(
      mutated,
      fc.uint8Array({ maxLength: 200 }).map((rest) => Buffer.concat([bytes.subarray(0, 8), rest])),
    );
    fc.assert(
      fc.property(any, (file) => {
        const { good, damage } = readJournal(file);
        expect(good).toBeLessThanOrEqual(file.length);
        expect(damage === undefined).toBe(good === file.length);
        expect(readJournal(file.subarray(0, good)).damage).toBeUndefined();
      }),
      { numRuns: 2000 },
    );
  });
});
