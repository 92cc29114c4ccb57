// Makes JavaScript of the components: from target/component into dist/.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { transpile } from '@bytecodealliance/jco';

const COMPONENTS = new URL('../../../target/component/', import.meta.url);
const DIST = new URL('dist/', import.meta.url);

// Without imports, the module is the instance; with them, each instance is given its own host.
const MODES = {
  'ocisign-core': {},
  ocisign: { instantiation: 'sync' },
};

await rm(DIST, { recursive: true, force: true });
for (const [name, options] of Object.entries(MODES)) {
  const component = await readFile(new URL(`${name}.wasm`, COMPONENTS));
  const { files } = await transpile(component, { name, ...options });
  for (const [file, content] of Object.entries(files)) {
    const path = fileURLToPath(new URL(`${name}/${file}`, DIST));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
