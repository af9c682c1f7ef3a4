/** JSON is read by a way of its own; what is found, and where, is what reading it as YAML finds. */
import { describe, expect, it } from 'vitest';
import { Diagnostics, SourceFile } from '../../../src/compiler/index.js';
import { readDocuments } from '../../../src/compiler/read.js';
import { readJson } from '../../../src/compiler/read-json.js';
import { compiled } from './cases.js';

const document = (rule: string) =>
  `{"apiVersion": "xvif.dev/v1alpha1", "kind": "FlowSet", "metadata": {"name": "a"},
 "spec": {"tables": [{"name": "in", "rules": [
  ${rule}
 ]}]}}`;
/** A comment makes it YAML that is not JSON. */
const asYaml = (text: string) => `${text} # YAML`;

const found = (text: string) => {
  const { program, diagnostics } = compiled(text);
  const said = diagnostics.sorted().map(({ file, range, ...rest }) => ({
    ...rest,
    related: rest.related?.map(({ message, range }) => ({ message, range })),
    from: file.place(range.start),
    to: file.place(range.end),
  }));
  const flows = program.flows.map(({ mod, origin }) => ({ mod, name: origin.name, place: origin.at.place() }));
  return { said, flows };
};

describe('JSON', () => {
  it.each([
    ['right', '{"name": "web", "match": {"tcp_dst": [80, "8000-8099"]}, "do": ["normal"]}', 0],
    ['an unknown key', '{"match": {"tcp_dts": 80}, "do": "drop"}', 1],
    ['a value out of range', '{"priority": 70000, "do": "drop"}', 1],
    ['a mistake in a text', '{"flow": "priority=5,tcp,tp_dts=5 actions=drop"}', 1],
    ['escaped letters', '{"name": "\\u0061:\\"b", "do": "drop"}', 1],
    ['rules of one name', '{"name": "a", "do": "drop"}, {"name": "a", "do": "normal"}', 1],
  ])('%s', (_, rule, errors) => {
    const text = document(rule);
    expect(readJson(text)).toBeDefined();
    expect(readJson(asYaml(text))).toBeUndefined();
    const json = found(text);
    expect(json.said.length > 0).toBe(errors > 0);
    expect(json).toEqual(found(asYaml(text)));
  });

  it.each([
    ['keys that are there twice', '{"a": 1, "a": 2}'],
    ['keys that are there twice, far in', '{"a": [{"b": {"c": 1, "c": 1}}]}'],
    ['numbers that a double cannot hold', '{"a": 12345678901234567890}'],
    ['prototypes', '{"__proto__": {"a": 1}}'],
    ['too deep', `{"a": ${'['.repeat(70)}${']'.repeat(70)}}`],
    ['lists', '[1]'],
    ['texts', '"a"'],
    ['nothing', ''],
    ['half of it', '{"a": '],
  ])('is left to the reader of YAML: %s', (_, text) => expect(readJson(text)).toBeUndefined());

  it('is kept as it was written', () => {
    const text = `\n\n  ${document('{"do": "drop"}')}\n`;
    const [read] = readDocuments(new SourceFile('f.json', text), new Diagnostics());
    expect(read!.span).toBeDefined();
    expect(read!.written).toEqual({ line: 3, text: text.slice(2) });
  });

  it('with texts that look like keys', () => {
    const text = '{"a": "\\"b\\": {", "c\\\\": [":", "d:"], "e" : {"f": -1.5e3}}';
    expect(readJson(text)).toEqual(JSON.parse(text));
  });

  it('a key that is there twice is said', () => {
    const diagnostics = new Diagnostics();
    expect(readDocuments(new SourceFile('f.json', '{"a": 1, "a": 2}'), diagnostics)).toEqual([]);
    expect(diagnostics.sorted()).toMatchObject([{ code: 'syntax', range: { start: 9 } }]);
  });
});
