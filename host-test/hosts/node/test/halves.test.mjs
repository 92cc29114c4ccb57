// ocisign-core.wasm: the two halves, and verification. It needs nothing of its host.

import assert from 'node:assert/strict';
import { createPrivateKey, createPublicKey } from 'node:crypto';
import { test } from 'node:test';

import { halves, rsaSign, rsaVerifies, stable, verification, webCryptoKey, webCryptoSign } from '../host.mjs';
import { SIGNING, cases, checkAll, headers, pem, request, text } from '../vectors.mjs';

// The halves do not know when a credential expires: that is the holder's.
const signingCases = cases(...SIGNING).filter((one) => one.error !== 'EXPIRED');
const validCases = signingCases.filter((one) => one.result === 'valid');
const invalidCases = signingCases.filter((one) => one.result === 'invalid');

test('every valid signing case signs in two halves with node:crypto between them', async (t) => {
  await checkAll(t, validCases, (one) => {
    const prepared = prepare(one);
    assert.equal(prepared.signingString, text(one.signing_string));
    const signature = rsaSign(createPrivateKey(pem(one.credential.key)), prepared.signingString);
    assert.equal(signature, one.signature);
    assert.deepEqual(finish(prepared, signature), headers(one.headers));
  });
});

test('every valid signing case signs in two halves with WebCrypto between them', async (t) => {
  await checkAll(t, validCases, async (one) => {
    const prepared = prepare(one);
    const signature = await webCryptoSign(await webCryptoKey(pem(one.credential.key)), prepared.signingString);
    assert.equal(signature, one.signature);
    assert.deepEqual(finish(prepared, signature), headers(one.headers));
  });
});

test('a hundred requests in flight at WebCrypto do not mix', async () => {
  const key = await webCryptoKey(pem('test-key.pem'));
  const some = validCases.filter((one) => one.credential.key === 'test-key.pem').slice(0, 100);
  const signed = await Promise.all(
    some.map(async (one) => {
      const prepared = prepare(one);
      return finish(prepared, await webCryptoSign(key, prepared.signingString));
    }),
  );
  assert.deepEqual(signed, some.map((one) => headers(one.headers)));
});

test('every invalid signing case is refused in its first half', async (t) => {
  await checkAll(t, invalidCases, (one) => {
    assert.throws(() => prepare(one), ({ payload }) => {
      assert.equal(stable(payload.code), one.error);
      assert.ok(payload.message.toLowerCase().includes(one.header ?? ''), payload.message);
      return true;
    });
  });
});

test('every verify case is judged with node:crypto checking the signature', async (t) => {
  await checkAll(t, cases('verify'), (one) => {
    let claim;
    try {
      claim = verification.verify(request(one), { expectedHost: one.expected_host }, BigInt(one.now));
    } catch (error) {
      assert.equal(error.payload && stable(error.payload.code), one.error, error.message);
      return;
    }
    const verified = rsaVerifies(createPublicKey(pem(one.key)), claim.signature, claim.signingString);
    assert.equal(verified ? undefined : 'SIGNATURE_MISMATCH', one.error);
    if (verified) assert.equal(claim.keyId, one.key_id);
  });
});

function prepare(one) {
  const { key_id: keyId, delegation_token: delegationToken } = one.credential;
  return halves.prepare(request(one), keyId, delegationToken, BigInt(one.now));
}

function finish(prepared, signature) {
  return halves.finish(prepared, signature).map(({ name, value }) => [name, value]);
}
