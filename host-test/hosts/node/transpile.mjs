// Makes JavaScript of the components: from target/component into dist/.
// This is what jco 1.35 has inside, without the rest of jco; with these options it writes the same bytes.

import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

import { transpileBytes } from '@bytecodealliance/jco-transpile';

const COMPONENTS = new URL('../../../target/component/', import.meta.url);
const DIST = new URL('dist/', import.meta.url);

// Without imports, the module is the instance; with them, each instance is given its own host.
const MODES = {
  'ocisign-core': {},
  ocisign: { instantiation: 'sync' },
};

const COMMON = {
  // Errors are thrown as instances of Error, as the jco command does it.
  noComponentErrorWrapping: false,
  // Or the case `digest` of `body` is declared under the name of its own payload.
  variantsInlineCases: true,
};

await rm(DIST, { recursive: true, force: true });
for (const [name, options] of Object.entries(MODES)) {
  const component = await readFile(new URL(`${name}.wasm`, COMPONENTS));
  const { files } = await transpileBytes(component, { name, ...COMMON, ...options });
  for (const [file, content] of Object.entries(files)) {
    const path = fileURLToPath(new URL(`${name}/${file}`, DIST));
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, content);
  }
}
