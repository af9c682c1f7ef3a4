/** Where this package is installed: from here on its files that are not code are found, from sources and from dist/ alike. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  // No folder below it has such a file.
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder) throw new Error('the package of this program has no package.json');
    folder = above;
  }
  return folder;
}

/** Folder of the package: where package.json is. */
export const packageRoot = findRoot();
