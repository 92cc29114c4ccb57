// Oracle's SDK for TypeScript against ocisign-emulator: node client.mjs PRINCIPAL.

import { generateKeyPairSync } from 'node:crypto';
import { Readable } from 'node:stream';
import common from 'oci-common';
import core from 'oci-core';
import identity from 'oci-identity';
import objectstorage from 'oci-objectstorage';
import secrets from 'oci-secrets';

const env = process.env;
const SERVICES = env.OCISIGN_EMULATOR;
const TENANCY = env.OCISIGN_EMULATOR_TENANCY;
const COMPARTMENT = env.OCISIGN_EMULATOR_COMPARTMENT;
const SECRET = env.OCISIGN_EMULATOR_SECRET;
const NAMESPACE = env.OCISIGN_EMULATOR_NAMESPACE;
const BUCKET = env.OCISIGN_EMULATOR_BUCKET;

// Characters that the SDK escapes, and that a careless server unescapes before it verifies.
const OBJECT = 'clients/node ü+%2F.bin';
const CONTENT = Buffer.from(Array.from({ length: 4352 }, (_, index) => index % 256));

// The five kinds of principal. The SDK's own variable for the metadata service is none: the builder has setters.

const PRINCIPALS = {
  api_key: () => new common.ConfigFileAuthenticationDetailsProvider(env.OCI_CONFIG_FILE, 'DEFAULT'),
  session_token: () => new common.SessionAuthDetailProvider(env.OCI_CONFIG_FILE, 'SESSION'),
  instance_principal: () => {
    const builder = new common.InstancePrincipalsAuthenticationDetailsProviderBuilder();
    builder.metadataBaseUrl = env.OCI_METADATA_BASE_URL;
    builder.federationEndpoint = SERVICES;
    return builder.build();
  },
  resource_principal: () => common.ResourcePrincipalAuthenticationDetailsProvider.builder(),
  oke_workload_identity: () =>
    new common.OkeWorkloadIdentityAuthenticationDetailsProvider.OkeWorkloadIdentityAuthenticationDetailsProviderBuilder(
      env.OCI_KUBERNETES_SERVICE_ACCOUNT_CERT_PATH,
      env.OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN,
    ).build(),
};

// What each of them does.

async function calls(provider) {
  const network = client(core.VirtualNetworkClient, provider);
  const vcns = (await network.listVcns({ compartmentId: COMPARTMENT })).items;
  expect('list VCNs', vcns.every(vcn => vcn.compartmentId === COMPARTMENT));

  const users = client(identity.IdentityClient, provider);
  expect('get tenancy', (await users.getTenancy({ tenancyId: TENANCY })).tenancy.id === TENANCY);
  expect('list regions', (await users.listRegions({})).items.length > 0);

  const bundles = client(secrets.SecretsClient, provider);
  expect('get secret by id', contentOf(await bundles.getSecretBundle({ secretId: SECRET })) === 's3cret');
  const byName = { secretName: env.OCISIGN_EMULATOR_SECRET_NAME, vaultId: env.OCISIGN_EMULATOR_VAULT };
  expect('get secret by name', contentOf(await bundles.getSecretBundleByName(byName)) === 's3cret');

  const storage = client(objectstorage.ObjectStorageClient, provider);
  expect('get namespace', (await storage.getNamespace({})).value === NAMESPACE);
  const place = { namespaceName: NAMESPACE, bucketName: BUCKET, objectName: OBJECT };
  const reversed = Buffer.from(CONTENT).reverse();
  for (const [what, putObjectBody, sent] of [
    ['text', 'plain text', Buffer.from('plain text')],
    ['stream', Readable.from([CONTENT, reversed]), Buffer.concat([CONTENT, reversed])],
  ]) {
    await storage.putObject({ ...place, putObjectBody, contentLength: sent.length });
    const chunks = [];
    for await (const chunk of (await storage.getObject(place)).value) chunks.push(chunk);
    expect(`put and get object, ${what}`, Buffer.concat(chunks).equals(sent));
  }
}

async function refusals(provider) {
  const stranger = { secretId: SECRET.slice(0, -4) + 'none' };
  const missing = client(secrets.SecretsClient, provider).getSecretBundle(stranger);
  await refused('get secret that is not there', 404, 'NotAuthorizedOrNotFound', missing);

  const keyId = await provider.getKeyId();
  for (const [what, bad] of [
    ['wrong key', { getKeyId: async () => keyId, getPrivateKey: anotherKey, getPassphrase: () => null }],
    ['changed key id', { getKeyId: async () => changed(keyId), getPrivateKey: () => provider.getPrivateKey(), getPassphrase: () => null }],
  ]) {
    const bundles = client(secrets.SecretsClient, bad);
    await refused(what, 401, 'NotAuthenticated', bundles.getSecretBundle({ secretId: SECRET }));
    const byName = { secretName: env.OCISIGN_EMULATOR_SECRET_NAME, vaultId: env.OCISIGN_EMULATOR_VAULT };
    await refused(`${what}, with a body`, 401, 'NotAuthenticated', bundles.getSecretBundleByName(byName));
  }
}

// Helpers.

function client(Client, authenticationDetailsProvider) {
  const made = new Client({ authenticationDetailsProvider });
  made.endpoint = SERVICES;
  return made;
}

function contentOf(bundle) {
  return Buffer.from(bundle.secretBundle.secretBundleContent.content, 'base64').toString();
}

function anotherKey() {
  return generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' });
}

/** A token with another year to live, which its signature does not cover, or a key id with another fingerprint. */
function changed(keyId) {
  if (!keyId.startsWith('ST$')) return keyId.replace(/[^/]*$/, Array(16).fill('ab').join(':'));
  const [head, claims, signature] = keyId.split('.');
  const text = JSON.parse(Buffer.from(claims, 'base64url'));
  text.exp += 365 * 24 * 3600;
  return [head, Buffer.from(JSON.stringify(text)).toString('base64url'), signature].join('.');
}

function expect(call, holds) {
  if (!holds) throw new Error(`FAILED: ${label}: ${call}`);
  console.log(`ok: ${label}: ${call}`);
}

async function refused(call, status, code, promise) {
  const error = await promise.then(() => undefined, error => error);
  expect(`${call}: ${error?.statusCode} ${error?.serviceCode}`, error?.statusCode === status && error.serviceCode === code);
}

const principal = process.argv[2];
const label = principal === 'resource_principal' ? `${principal} ${env.OCI_RESOURCE_PRINCIPAL_VERSION}` : principal;
console.warn = () => {}; // the SDK's remark on every refusal that it is not retried
const provider = await PRINCIPALS[principal]();
await calls(provider);
await refusals(provider);
