/** Holds the layering of docs/ARCHITECTURE.md: who may import whom, in TypeScript and in C++. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Folders of src/, from the top: a folder may import itself and whatever stands on a later line. */
const sourceLayers = [
  ['xvifd', 'demo'],
  ['main'],
  ['cli'],
  ['host'],
  ['api'],
  ['documents'],
  ['router-agent'],
  ['health'],
  ['bridge', 'guest', 'simulator', 'reconcile'],
  ['openflow', 'vif', 'ovsdb'],
  ['ofproto', 'xenbus', 'compiler'],
  ['datapath', 'xenstore'],
  ['base'],
];

/** Beyond the layers: the folder on the left must not import these, though they stand lower. */
const sourceForbidden: Record<string, readonly string[]> = {
  vif: ['ofproto', 'compiler'],
  ofproto: ['xenstore'],
  xenbus: ['datapath'],
  openflow: ['xenbus', 'xenstore', 'compiler'],
  main: ['cli'],
  compiler: ['xenstore'],
  reconcile: ['openflow', 'vif', 'ofproto', 'xenbus', 'datapath', 'xenstore'],
  simulator: ['openflow', 'vif', 'xenbus', 'xenstore'],
  host: ['bridge', 'guest', 'openflow', 'ofproto', 'xenbus'],
  // Of the switch itself the command line has only what works on files and over OpenFlow: compiler, simulator, reconcile.
  cli: ['documents', 'bridge', 'guest', 'openflow', 'vif', 'ofproto', 'xenbus', 'datapath', 'xenstore'],
};

const nativeLayers = [
  ['napi'],
  ['datapath'],
  ['worker', 'guest'],
  ['pipeline', 'netback'],
  // Below netback only because netback's tests and benchmarks play against it.
  ['netfront'],
  ['classifier', 'actions', 'port'],
  ['packet', 'xen', 'host'],
  ['base'],
];

const nativeForbidden: Record<string, readonly string[]> = {
  worker: ['xen', 'netback'],
  classifier: ['xen'],
  actions: ['xen'],
  pipeline: ['xen', 'netback'],
};

const native = join(root, 'native');

interface Edge {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

function files(folder: string, suffix: RegExp): string[] {
  let entries: string[];
  try {
    entries = readdirSync(folder);
  } catch {
    return [];
  }
  return entries
    .filter((name) => name !== 'node_modules' && name !== 'dist')
    .map((name) => join(folder, name))
    .flatMap((path) => (statSync(path).isDirectory() ? files(path, suffix) : suffix.test(path) ? [path] : []));
}

/** First folder below `base`, or the file's own name without suffix when it stands in `base` itself. */
function place(base: string, path: string): string {
  const parts = relative(base, path).split('/');
  return parts.length > 1 ? parts[0]! : parts[0]!.replace(/\.\w+$/, '');
}

function wrong(edges: readonly Edge[], layers: readonly string[][], forbidden: Record<string, readonly string[]>) {
  const level = new Map(layers.flatMap((names, index) => names.map((name) => [name, index] as const)));
  return edges
    .filter(({ from, to }) => {
      if (from === to) return false;
      const [a, b] = [level.get(from), level.get(to)];
      return a === undefined || b === undefined || b <= a || (forbidden[from]?.includes(to) ?? false);
    })
    .map(({ file, to }) => `${relative(root, file)} must not import ${to}/`);
}

const sources = files(native, /\.(h|cc)$/);

describe('imports go one way', () => {
  it('in src/', () => {
    const base = join(root, 'src');
    const edges = files(base, /\.ts$/).flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/(?:from|import)\s*\(?'(\.[^']+)'/g)].map(([, target]) => ({
        file,
        from: place(base, file),
        to: place(base, resolve(dirname(file), target!)),
      })),
    );
    expect(wrong(edges, sourceLayers, sourceForbidden)).toEqual([]);
  });

  it('packages import nothing outside themselves', () => {
    const bad = readdirSync(join(root, 'packages')).flatMap((name) => {
      const base = join(root, 'packages', name);
      return files(join(base, 'src'), /\.ts$/).flatMap((file) =>
        [...readFileSync(file, 'utf8').matchAll(/\b(?:from|import)\s*\(?'([^']+)'/g)]
          .map(([, target]) => target!)
          .filter((t) =>
            t.startsWith('.') ? relative(base, resolve(dirname(file), t)).startsWith('..') : !t.startsWith('node:'),
          )
          .map((t) => `${relative(root, file)} imports ${t}`),
      );
    });
    expect(bad).toEqual([]);
  });

  it('in native/', () => {
    const edges = sources.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^#include "([^"]+)\/[^"/]+"/gm)].map(([, folder]) => ({
        file,
        from: place(native, file),
        to: folder!.split('/')[0]!,
      })),
    );
    expect(wrong(edges, nativeLayers, nativeForbidden)).toEqual([]);
  });

  it('only napi/ knows Node and only xen/ knows hypervisor headers', () => {
    const bad = sources.flatMap((file) =>
      [...readFileSync(file, 'utf8').matchAll(/^#include [<"]([^>"]+)[>"]/gm)]
        .map(([, header]) => header!)
        .filter((header) => {
          if (/^(napi|node_api|js_native_api|uv)/.test(header)) return place(native, file) !== 'napi';
          return (
            /^xen(ctrl|gnttab|evtchn|store)?\.h|^xen\/[a-z]+\/|^sys\/.*xen/.test(header) &&
            place(native, file) !== 'xen'
          );
        })
        .map((header) => `${relative(root, file)} includes ${header}`),
    );
    expect(bad).toEqual([]);
  });
});

describe('size and leftovers', () => {
  const all = [
    ...files(join(root, 'src'), /\.ts$/),
    ...files(join(root, 'packages'), /\.ts$/),
    ...sources,
    ...files(join(root, 'test'), /\.ts$/),
  ].filter((file) => !/\.gen\.(ts|h)$/.test(file));

  it('no file is longer than 600 lines', () => {
    const long = all
      .map((file) => ({ file: relative(root, file), lines: readFileSync(file, 'utf8').split('\n').length }))
      .filter(({ lines }) => lines > 600);
    expect(long).toEqual([]);
  });

  it('no leftover markers', () => {
    const marks = new RegExp(['FIX', 'ME|TO', 'DO\\b|XX', 'X\\b'].join(''));
    const bad = all.filter((file) => marks.test(readFileSync(file, 'utf8'))).map((file) => relative(root, file));
    expect(bad).toEqual([]);
  });
});
