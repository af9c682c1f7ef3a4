/** `xvif check` and `compile` on files: what they print in each form, and how they end. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ApiClient } from '../../../src/api/client.js';
import { check } from '../../../src/cli/check.js';
import { compileFiles } from '../../../src/cli/compile.js';
import { type CommandContext, CommandFailed } from '../../../src/cli/context.js';
import type { ReportFormat } from '../../../src/compiler/index.js';

const folder = mkdtempSync(join(tmpdir(), 'xvif-flow-files-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

const document = (rule: string) => `apiVersion: xvif.dev/v1alpha1
kind: FlowSet
metadata: {name: shop}
spec:
  tables:
  - name: in
    rules:
    - ${rule}
`;
const good = write('good.yaml', document('{name: web, match: {in_port: web/0, protocol: arp}, do: [{output: up}]}'));
const bad = write('bad.yaml', document('{match: {tcp_dts: 80}, do: drop}'));
const suspicious = write('suspicious.yaml', `${document('{do: normal}')}  - {name: lost, miss: drop}\n`);

class Printed {
  readonly lines: string[] = [];
  readonly context: CommandContext = {
    api: undefined as unknown as ApiClient,
    json: false,
    print: (text) => this.lines.push(text),
    untilInterrupted: () => new AbortController().signal,
  };
  get text(): string {
    return this.lines.join('\n');
  }
}

const options = (format: ReportFormat = 'text') => ({ port: [], format, tests: true, strict: false });

async function failing(path: string, format: ReportFormat): Promise<string> {
  const printed = new Printed();
  await expect(check(printed.context, [path], options(format))).rejects.toMatchObject({ exitCode: 1 });
  return printed.text;
}

describe('check', () => {
  it('says that a file is fine, and which ports it made up', async () => {
    const printed = new Printed();
    await check(printed.context, [good], options());
    expect(printed.text).toBe(
      'numbers were made up for 2 ports: web/0, up\n1 flow, 0 groups, 0 meters; 0 tests passed; 0 warnings',
    );
  });

  it('shows the line with a caret', async () => {
    expect(await failing(bad, 'text')).toBe(
      [
        `${bad}:8:16: error: unknown key "tcp_dts" in match; perhaps tcp_dst [unknown-key]`,
        ' 8 |     - {match: {tcp_dts: 80}, do: drop}',
        '   |                ^~~~~~~',
      ].join('\n'),
    );
  });

  it('speaks JSON', async () => {
    const { diagnostics, omitted } = JSON.parse(await failing(bad, 'json'));
    expect(omitted).toBe(0);
    expect(diagnostics).toEqual([
      expect.objectContaining({ code: 'unknown-key', line: 8, column: 16, endColumn: 23, suggestion: 'tcp_dst' }),
    ]);
  });

  it('speaks SARIF', async () => {
    const { version, runs } = JSON.parse(await failing(bad, 'sarif'));
    expect(version).toBe('2.1.0');
    expect(runs[0].tool.driver.rules).toEqual([expect.objectContaining({ id: 'unknown-key' })]);
    expect(runs[0].results).toEqual([
      expect.objectContaining({
        ruleId: 'unknown-key',
        level: 'error',
        locations: [
          {
            physicalLocation: {
              artifactLocation: { uri: bad },
              region: { startLine: 8, startColumn: 16, endLine: 8, endColumn: 23 },
            },
          },
        ],
      }),
    ]);
  });

  it("speaks GitHub's workflow commands", async () => {
    expect(await failing(bad, 'github')).toBe(
      `::error file=${bad},line=8,col=16,endLine=8,endColumn=23,title=unknown-key::unknown key "tcp_dts" in match; perhaps tcp_dst`,
    );
  });

  it('takes warnings for mistakes when it is told to', async () => {
    await check(new Printed().context, [suspicious], options());
    const strict = check(new Printed().context, [suspicious], { ...options(), strict: true });
    await expect(strict).rejects.toBeInstanceOf(CommandFailed);
  });

  it('takes what is not UTF-8 for no text, and nothing for a mistake', async () => {
    const latin = join(folder, 'latin.yaml');
    writeFileSync(latin, Buffer.from(document('{do: drop, description: "caf\xe9"}'), 'latin1'));
    const wide = join(folder, 'wide.yaml');
    writeFileSync(wide, Buffer.from(`\ufeff${document('{do: drop}')}`, 'utf16le'));
    for (const [path, line] of [
      [latin, 8],
      [wide, 1],
    ] as const) {
      const checked = check(new Printed().context, [path], options());
      const message = `cannot read ${path}: line ${line} is not UTF-8`;
      await expect(checked).rejects.toMatchObject({ exitCode: 2, message });
    }
    const empty = write('empty.yaml', '---\n# to be written\n');
    expect(await failing(empty, 'text')).toContain(`${empty}:1:1: error: there is no document [missing]`);
    await check(new Printed().context, [empty, good], options());
  });

  it('says what is wrong with a list of ports', async () => {
    const ports = write('ports.yaml', 'ports: [{number: 1, vm: web, mac: zz, addresses: [10.0.0.1, nonsense]}]\n');
    const printed = new Printed();
    await expect(check(printed.context, [good], { ...options(), ports })).rejects.toMatchObject({ exitCode: 1 });
    expect(printed.text).toContain(`${ports}:1:35: error: "zz" is no MAC address [value]`);
    expect(printed.text).toContain(`${ports}:1:61: error: an IP address must stand here [value]`);
  });

  it('says which file cannot be read', async () => {
    const missing = check(new Printed().context, [join(folder, 'none.yaml')], options());
    await expect(missing).rejects.toMatchObject({ exitCode: 2, message: expect.stringContaining('none.yaml') });
  });
});

describe('compile', () => {
  it('prints flows with the place that they come from', async () => {
    const printed = new Printed();
    const ports = [
      { number: 3, vm: 'web' },
      { number: 4, name: 'up' },
    ];
    await compileFiles(printed.context, [good], { port: ports, format: 'text', as: 'flows' });
    expect(printed.text).toMatch(
      new RegExp(`^cookie=0x5856[0-9a-f]{12},priority=60000,arp,in_port=3 actions=output:4 # ${good}:8 shop/in/web$`),
    );
  });

  it('tells what other switches than xvifd leave out, in comments', async () => {
    const router = `kind: Router\nmetadata: {name: r}\nspec: {subnets: [{name: s, gateway: 10.0.0.1/24, ports: [1]}]}\n`;
    const path = write('router.yaml', `apiVersion: xvif.dev/v1alpha1\n${router}`);
    const printed = new Printed();
    await compileFiles(printed.context, [path], { port: [], format: 'text', as: 'flows' });
    expect(printed.lines[0]).toMatch(
      /^# .*router.yaml:4:8: note: .* without an ICMP error.*\n# {2}4 \| spec:.*\n#.*\^~+$/,
    );
    expect(printed.lines[1]).toMatch(/^cookie=/);
  });

  it('does not make up ports', async () => {
    const printed = new Printed();
    const compiled = compileFiles(printed.context, [good], { port: [], format: 'text', as: 'flows' });
    await expect(compiled).rejects.toMatchObject({ message: '1 error' });
    expect(printed.text).toContain('there is no port "web/0"');
  });
});
