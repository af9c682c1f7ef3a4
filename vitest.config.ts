import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  resolve: {
    // The packages' sources, so that a test never sees a stale build.
    alias: {
      'node-openflow/text': source('packages/node-openflow/src/text/index.ts'),
      'node-openflow': source('packages/node-openflow/src/index.ts'),
    },
  },
  test: {
    include: ['packages/*/test/**/*.test.ts', 'test/**/*.test.ts'],
    // Interoperability runs need root and Debian's tools: npm run test:interop.
    exclude: ['**/node_modules/**', '**/dist/**', ...(process.env.XVIF_INTEROP ? [] : ['**/interop/**'])],
    // Many wait most of the time.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    testTimeout: 60_000,
  },
});
