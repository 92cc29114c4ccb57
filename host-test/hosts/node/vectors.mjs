// The vectors, as these tests read them. What each member means stands in vectors/README.md.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';

const VECTORS = new URL('../../../vectors/', import.meta.url);

export const SIGNING = ['published', 'signing', 'rules', 'disagreements', 'invalid'];

/** All cases of these files. */
export function cases(...files) {
  return files.flatMap((file) => JSON.parse(readFileSync(new URL(`${file}.json`, VECTORS))).cases);
}

/** Run all cases, and fail with a list of those that failed. */
export async function checkAll(t, all, check) {
  assert.ok(all.length > 0);
  const failures = [];
  for (const one of all) {
    try {
      await check(one);
    } catch (error) {
      failures.push(`${one.id}: ${error.message}`);
    }
  }
  assert.equal(failures.length, 0, `${failures.length} failed:\n${failures.join('\n')}`);
  t.diagnostic(`${all.length} cases`);
}

/** The request of a case, as the interface has it. */
export function request({ request: given }) {
  return {
    method: text(given.method),
    url: text(given.url),
    headers: headers(given.headers).map(([name, value]) => ({ name, value })),
    body: body(given.body),
    dateHeader: given.date_header ?? 'date',
  };
}

/** A text: plain, repeated, or put together. */
export function text(value) {
  if (typeof value === 'string') return value;
  if (value.repeat) return value.repeat[0].repeat(value.repeat[1]);
  return value.concat.map(text).join('');
}

/** Headers as pairs, repeated ones written out. */
export function headers(entries) {
  return entries.flatMap((entry) => {
    const [header, count] = entry.repeat ?? [entry, 1];
    return Array(count).fill(header.map(text));
  });
}

/** The text of a key file. */
export function pem(name) {
  return readFileSync(new URL(`keys/${name}`, VECTORS), 'utf8');
}

function body(given) {
  switch (given.kind) {
    case 'text':
      return { tag: 'text', val: given.text };
    case 'base64':
      return { tag: 'bytes', val: Buffer.from(given.base64, 'base64') };
    case 'repeat':
      return { tag: 'text', val: given.unit.repeat(given.count) };
    case 'digest':
      return { tag: 'digest', val: { sha256: given.sha256, length: BigInt(given.length) } };
    default:
      return { tag: given.kind };
  }
}
