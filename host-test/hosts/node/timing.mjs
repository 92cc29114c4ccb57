// What a call costs in Node, by way of jco: `npm run timing`.

import { createPrivateKey } from 'node:crypto';

import { halves, keyForTheGuest, keyOfTheHost, rsaSign, signing, webCryptoKey, webCryptoSign } from './host.mjs';
import { pem } from './vectors.mjs';

const NOW = 1_704_110_645n;
const KEY_ID = 'tenancy/user/fingerprint';
const URL = 'https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances';
const CONSTANT = `${'AAAA'.repeat(85)}AA==`;

const key = createPrivateKey(pem('test-key.pem'));
const webKey = await webCryptoKey(pem('test-key.pem'));
const get = request('GET', { tag: 'empty' });
const post = request('POST', { tag: 'text', val: 'x'.repeat(1024) });
const octets = request('POST', { tag: 'bytes', val: new Uint8Array(1024) });
const text = 'x'.repeat(200);
const host = keyOfTheHost(KEY_ID, key);
const provided = signing(host);
const guest = signing(keyForTheGuest(KEY_ID, pem('test-key.pem')));

await report('RSA alone, by node:crypto', () => rsaSign(key, text));
await report('RSA alone, by WebCrypto', () => webCryptoSign(webKey, text));
await report('halves, GET, RSA left out', () => inHalves(get, () => CONSTANT));
await report('halves, POST of 1 KiB of text, RSA left out', () => inHalves(post, () => CONSTANT));
await report('halves, POST of 1 KiB as list<u8>, RSA left out', () => inHalves(octets, () => CONSTANT));
await report('halves, GET, signed by node:crypto', () => inHalves(get, (string) => rsaSign(key, string)));
await report('halves, GET, signed by WebCrypto', async () => {
  const prepared = halves.prepare(get, KEY_ID, undefined, NOW);
  return halves.finish(prepared, await webCryptoSign(webKey, prepared.signingString));
});
await report('provider, GET, signed by node:crypto', () => provided.signer.sign(get, NOW));
host.sign = () => CONSTANT;
await report('provider, GET, RSA left out', () => provided.signer.sign(get, NOW));
await report('provider, GET, key in the guest', () => guest.signer.sign(get, NOW));
await report('a new instance of ocisign.wasm', () => signing(host), 5);

function inHalves(given, sign) {
  const prepared = halves.prepare(given, KEY_ID, undefined, NOW);
  return halves.finish(prepared, sign(prepared.signingString));
}

function request(method, body) {
  return { method, url: URL, headers: [], body, dateHeader: 'date' };
}

/** The mean of a slice of calls, in the best of thirty slices after ten that warm up, as others use the machine too. */
async function report(what, call, calls = 40) {
  let best = Infinity;
  for (let slice = 0; slice < 40; slice += 1) {
    const start = performance.now();
    for (let made = 0; made < calls; made += 1) await call();
    if (slice >= 10) best = Math.min(best, (performance.now() - start) / calls);
  }
  console.log(`${what.padEnd(48)} ${(best * 1000).toFixed(1).padStart(10)} µs`);
}
