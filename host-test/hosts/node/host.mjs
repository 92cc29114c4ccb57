// A host for the components of ocisign, by way of jco: what a Node program has to write.

import { createPrivateKey, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';

import { halves, verification } from './dist/ocisign-core/ocisign-core.js';
import { instantiate } from './dist/ocisign/ocisign.js';

export { halves, verification };

/** An instance of ocisign.wasm, signing with what these credentials give. */
export function signing(credentials) {
  return instantiate(compiled, {
    // jco takes the functions out of this object when it instantiates, and calls them without `this`.
    'ocisign:signing/credentials': {
      current: () => credentials.current(),
      sign: (keyId, signingString) => credentials.sign(keyId, signingString),
    },
  });
}

/** Credentials that are a private key, which goes into the component. */
export function keyForTheGuest(keyId, privateKey, more = {}) {
  return {
    asked: 0,
    current() {
      this.asked += 1;
      return { tag: 'key', val: { keyId, privateKey, dangerAllowWeakKey: false, ...more } };
    },
    sign() {
      throw new Error('asked to sign, with the key in the guest');
    },
  };
}

/** Credentials whose key stays here: the component learns its name and its signatures. */
export function keyOfTheHost(keyId, privateKey, more = {}) {
  return {
    asked: 0,
    signed: [],
    current() {
      this.asked += 1;
      return { tag: 'host', val: { keyId, ...more } };
    },
    sign(id, signingString) {
      this.signed.push([id, signingString]);
      return rsaSign(privateKey, signingString);
    },
  };
}

/** What a function of the host throws to give the component an error of the interface. */
export class CredentialsError extends Error {
  constructor(tag, val) {
    super(tag);
    this.payload = { tag, val };
  }
}

/** RSASSA-PKCS1-v1_5 with SHA-256, in base64, by node:crypto. */
export function rsaSign(privateKey, text) {
  return sign('sha256', text, privateKey).toString('base64');
}

/** Whether this is a signature by that key over this text, by node:crypto. */
export function rsaVerifies(publicKey, signature, text) {
  return verify('sha256', text, publicKey, Buffer.from(signature, 'base64'));
}

/** The same key for WebCrypto, which reads PKCS#8 only. */
export function webCryptoKey(pem) {
  const der = createPrivateKey(pem).export({ type: 'pkcs8', format: 'der' });
  return crypto.subtle.importKey('pkcs8', der, PKCS1, false, ['sign']);
}

/** RSASSA-PKCS1-v1_5 with SHA-256, in base64, by WebCrypto. */
export async function webCryptoSign(key, text) {
  const signature = await crypto.subtle.sign(PKCS1.name, key, new TextEncoder().encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(signature)));
}

/** A code in the form that it has in every other language: `INVALID_URL`. */
export function stable(code) {
  return code.toUpperCase().replaceAll('-', '_');
}

function compiled(file) {
  modules[file] ??= new WebAssembly.Module(readFileSync(new URL(`dist/ocisign/${file}`, import.meta.url)));
  return modules[file];
}

const modules = {};

const PKCS1 = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };
