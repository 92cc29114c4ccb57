// ocisign.wasm: signing with what the host's `credentials` gives.

import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { test } from 'node:test';

import { CredentialsError, keyForTheGuest, keyOfTheHost, rsaSign, signing, stable } from '../host.mjs';
import { SIGNING, cases, checkAll, headers, pem, request, text } from '../vectors.mjs';

const NOW = 1_704_110_645n;
const KEY_ID = 'tenancy/user/fingerprint';
const testKey = createPrivateKey(pem('test-key.pem'));

const published = cases('published').filter((one) => one.group === 'published');

test('what Oracle published is signed byte for byte with the key in the guest', async (t) => {
  await checkAll(t, published, (one) => {
    const { key_id: keyId, key } = one.credential;
    const instance = signing(keyForTheGuest(keyId, pem(key), { dangerAllowWeakKey: true }));
    assert.deepEqual(sign(instance, request(one), BigInt(one.now)), headers(one.headers));
  });
});

test('every signing case signs with a key that never leaves the host', async (t) => {
  await checkAll(t, cases(...SIGNING), (one) => {
    const { key, key_id: keyId, delegation_token: delegationToken, expires } = one.credential;
    const host = keyOfTheHost(keyId, createPrivateKey(pem(key)), {
      delegationToken,
      expires: expires === undefined ? undefined : BigInt(expires),
    });
    const attempt = () => sign(signing(host), request(one), BigInt(one.now));
    if (one.result === 'valid') {
      assert.deepEqual(attempt(), headers(one.headers));
      assert.deepEqual(host.signed, [[keyId, text(one.signing_string)]]);
    } else {
      assert.throws(attempt, refusal(one.error));
      assert.deepEqual(host.signed, []);
    }
  });
});

test('a credential is asked for once, and again when it expires', () => {
  const host = keyOfTheHost(KEY_ID, testKey);
  let expires = NOW + 60n;
  host.current = () => {
    host.asked += 1;
    return { tag: 'host', val: { keyId: KEY_ID, expires } };
  };
  const instance = signing(host);
  for (const now of [NOW, NOW + 1n, NOW + 59n]) {
    sign(instance, get(), now);
    assert.equal(host.asked, 1);
  }
  expires = NOW + 120n;
  for (const now of [NOW + 60n, NOW + 119n]) {
    sign(instance, get(), now);
    assert.equal(host.asked, 2);
  }
});

test('a credential that is given expired is refused, and asked for again', () => {
  const host = keyOfTheHost(KEY_ID, testKey, { expires: NOW });
  const instance = signing(host);
  for (const asked of [1, 2]) {
    assert.throws(() => sign(instance, get(), NOW), refusal('EXPIRED'));
    assert.equal(host.asked, asked);
  }
});

for (const [tag, val, message] of [
  ['not-configured', undefined, 'the host has no credential configured'],
  ['failed', 'the vault is sealed', 'the vault is sealed'],
  ['other', 'out of order', 'out of order'],
  ['other', undefined, 'the host gave no reason'],
]) {
  test(`a host without a credential (${tag} ${val ?? ''}) is an error in its own words`, () => {
    const host = keyOfTheHost(KEY_ID, testKey);
    host.current = () => {
      throw new CredentialsError(tag, val);
    };
    assert.throws(() => sign(signing(host), get(), NOW), refusal('NO_CREDENTIAL', message));
  });
}

test('a host that does not sign is an error, and signs the next time', () => {
  const host = keyOfTheHost(KEY_ID, testKey);
  const instance = signing(host);
  const answer = host.sign;
  host.sign = () => {
    throw new CredentialsError('failed', 'the card was pulled');
  };
  assert.throws(() => sign(instance, get(), NOW), refusal('SIGNING_FAILED', 'the card was pulled'));
  host.sign = () => 'not base64';
  assert.throws(() => sign(instance, get(), NOW), refusal('INVALID_ENCODING'));
  host.sign = answer;
  assert.equal(sign(instance, get(), NOW).length, 3);
});

for (const name of ['current', 'sign']) {
  test(`an exception of the host's ${name} reaches the caller, and the next call signs`, () => {
    const host = keyOfTheHost(KEY_ID, testKey);
    const instance = signing(host);
    const answer = host[name];
    host[name] = () => {
      throw new RangeError('no such slot');
    };
    assert.throws(() => sign(instance, get(), NOW), { name: 'RangeError', message: 'no such slot' });
    host[name] = answer;
    assert.equal(sign(instance, get(), NOW).length, 3);
  });

  test(`a host may sign another request in its ${name}, with the same instance`, () => {
    const host = keyOfTheHost(KEY_ID, testKey);
    const instance = signing(host);
    const answer = host[name];
    host[name] = (...given) => {
      host[name] = answer;
      assert.equal(sign(instance, get(), NOW).length, 3);
      return host[name](...given);
    };
    assert.equal(sign(instance, get(), NOW).length, 3);
  });
}

test('a key that is read once signs through its resource', () => {
  const instance = signing(keyOfTheHost(KEY_ID, testKey));
  const material = { keyId: KEY_ID, privateKey: pem('test-key.pem'), dangerAllowWeakKey: false, expires: NOW + 60n };
  const credential = instance.keys.Credential.read(material);
  const { signingString } = instance.halves.prepare(get(), KEY_ID, undefined, NOW);
  for (let round = 0; round < 2; round += 1) {
    const authorization = credential.sign(get(), NOW).find(({ name }) => name === 'authorization').value;
    assert.ok(authorization.endsWith(`signature="${rsaSign(testKey, signingString)}"`));
  }
  assert.equal(credential.expires(), NOW + 60n);
  assert.equal(credential.bindingChecked(), false);
  credential[Symbol.dispose]();
});

function sign(instance, given, now) {
  return instance.signer.sign(given, now).map(({ name, value }) => [name, value]);
}

function get() {
  const url = 'https://iaas.us-phoenix-1.oraclecloud.com/20160918/instances';
  return { method: 'GET', url, headers: [], body: { tag: 'empty' }, dateHeader: 'date' };
}

function refusal(code, message) {
  return ({ payload }) => {
    assert.equal(payload && stable(payload.code), code);
    if (message !== undefined) assert.equal(payload.message, message);
    return true;
  };
}
