import com.oracle.bmc.ConfigFileReader;
import com.oracle.bmc.Region;
import com.oracle.bmc.auth.BasicAuthenticationDetailsProvider;
import com.oracle.bmc.auth.ConfigFileAuthenticationDetailsProvider;
import com.oracle.bmc.auth.InstancePrincipalsAuthenticationDetailsProvider;
import com.oracle.bmc.auth.ResourcePrincipalAuthenticationDetailsProvider;
import com.oracle.bmc.auth.SessionTokenAuthenticationDetailsProvider;
import com.oracle.bmc.auth.okeworkloadidentity.OkeWorkloadIdentityAuthenticationDetailsProvider;
import com.oracle.bmc.core.VirtualNetworkClient;
import com.oracle.bmc.core.requests.ListVcnsRequest;
import com.oracle.bmc.identity.IdentityClient;
import com.oracle.bmc.identity.requests.GetTenancyRequest;
import com.oracle.bmc.identity.requests.ListRegionsRequest;
import com.oracle.bmc.model.BmcException;
import com.oracle.bmc.objectstorage.ObjectStorageClient;
import com.oracle.bmc.objectstorage.requests.GetNamespaceRequest;
import com.oracle.bmc.objectstorage.requests.GetObjectRequest;
import com.oracle.bmc.objectstorage.requests.PutObjectRequest;
import com.oracle.bmc.secrets.SecretsClient;
import com.oracle.bmc.secrets.model.Base64SecretBundleContentDetails;
import com.oracle.bmc.secrets.model.SecretBundle;
import com.oracle.bmc.secrets.requests.GetSecretBundleByNameRequest;
import com.oracle.bmc.secrets.requests.GetSecretBundleRequest;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.security.KeyPairGenerator;
import java.util.Arrays;
import java.util.Base64;
import java.util.regex.Pattern;

/** Oracle's SDK for Java against ocisign-emulator: Client PRINCIPAL. */
public class Client {
    static final String SERVICES = System.getenv("OCISIGN_EMULATOR");
    static final String TENANCY = System.getenv("OCISIGN_EMULATOR_TENANCY");
    static final String COMPARTMENT = System.getenv("OCISIGN_EMULATOR_COMPARTMENT");
    static final String SECRET = System.getenv("OCISIGN_EMULATOR_SECRET");
    static final String SECRET_NAME = System.getenv("OCISIGN_EMULATOR_SECRET_NAME");
    static final String VAULT = System.getenv("OCISIGN_EMULATOR_VAULT");
    static final String NAMESPACE = System.getenv("OCISIGN_EMULATOR_NAMESPACE");
    static final String BUCKET = System.getenv("OCISIGN_EMULATOR_BUCKET");

    /** Characters that the SDK escapes, and that a careless server unescapes before it verifies. */
    static final String OBJECT = "clients/java ü+%2F.bin";

    static String label;

    public static void main(String[] arguments) throws Exception {
        label = arguments[0];
        if (label.equals("resource_principal")) label += " " + System.getenv("OCI_RESOURCE_PRINCIPAL_VERSION");
        var provider = principal(arguments[0]);
        calls(provider);
        refusals(provider);
    }

    /** The five kinds of principal. */
    static BasicAuthenticationDetailsProvider principal(String name) throws IOException {
        var file = System.getenv("OCI_CONFIG_FILE");
        return switch (name) {
            case "api_key" -> new ConfigFileAuthenticationDetailsProvider(file, "DEFAULT");
            case "session_token" -> {
                var profile = ConfigFileReader.parse(file, "SESSION");
                yield SessionTokenAuthenticationDetailsProvider.builder()
                        .tenantId(profile.get("tenancy"))
                        .region(profile.get("region"))
                        .privateKeyFilePath(profile.get("key_file"))
                        .sessionTokenFilePath(profile.get("security_token_file"))
                        .disableScheduledRefresh() // the first would be at once, at an address that cannot be set
                        .build();
            }
            // The SDK appends to OCI_METADATA_BASE_URL without a slash, so it has to end in one.
            case "instance_principal" -> InstancePrincipalsAuthenticationDetailsProvider.builder()
                    .federationEndpoint(SERVICES)
                    .build();
            case "resource_principal" -> ResourcePrincipalAuthenticationDetailsProvider.builder().build();
            case "oke_workload_identity" -> OkeWorkloadIdentityAuthenticationDetailsProvider.builder()
                    .tokenPath(System.getenv("OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"))
                    .region(Region.fromRegionCodeOrId(System.getenv("OCI_RESOURCE_PRINCIPAL_REGION")))
                    .build();
            default -> throw new IllegalArgumentException(name);
        };
    }

    // What each of them does.

    static void calls(BasicAuthenticationDetailsProvider provider) throws IOException {
        var network = VirtualNetworkClient.builder().endpoint(SERVICES).build(provider);
        var vcns = network.listVcns(ListVcnsRequest.builder().compartmentId(COMPARTMENT).build()).getItems();
        expect("list VCNs", vcns.stream().allMatch(vcn -> vcn.getCompartmentId().equals(COMPARTMENT)));

        var identity = IdentityClient.builder().endpoint(SERVICES).build(provider);
        var tenancy = identity.getTenancy(GetTenancyRequest.builder().tenancyId(TENANCY).build()).getTenancy();
        expect("get tenancy", tenancy.getId().equals(TENANCY));
        var regions = identity.listRegions(ListRegionsRequest.builder().build()).getItems();
        expect("list regions", !regions.isEmpty());

        expect("get secret by id", secretById(provider, SECRET).equals("s3cret"));
        expect("get secret by name", secretByName(provider).equals("s3cret"));

        var storage = ObjectStorageClient.builder().endpoint(SERVICES).build(provider);
        expect("get namespace", storage.getNamespace(GetNamespaceRequest.builder().build()).getValue().equals(NAMESPACE));
        var content = new byte[4352];
        for (int index = 0; index < content.length; index++) content[index] = (byte) index;
        for (var withLength : new boolean[] {true, false}) {
            var put = PutObjectRequest.builder()
                    .namespaceName(NAMESPACE)
                    .bucketName(BUCKET)
                    .objectName(OBJECT)
                    .putObjectBody(new ByteArrayInputStream(content));
            if (withLength) put.contentLength((long) content.length);
            storage.putObject(put.build());
            var get = GetObjectRequest.builder().namespaceName(NAMESPACE).bucketName(BUCKET).objectName(OBJECT).build();
            try (var stream = storage.getObject(get).getInputStream()) {
                var what = withLength ? "stream" : "stream of unknown length";
                expect("put and get object, " + what, Arrays.equals(stream.readAllBytes(), content));
            }
        }
    }

    static void refusals(BasicAuthenticationDetailsProvider provider) throws Exception {
        var stranger = SECRET.substring(0, SECRET.length() - 4) + "none";
        refused("get secret that is not there", 404, "NotAuthorizedOrNotFound", () -> secretById(provider, stranger));

        var generator = KeyPairGenerator.getInstance("RSA");
        generator.initialize(2048);
        var der = generator.generateKeyPair().getPrivate().getEncoded();
        var pem = "-----BEGIN PRIVATE KEY-----\n" + Base64.getMimeEncoder().encodeToString(der) + "\n-----END PRIVATE KEY-----\n";
        var keyId = provider.getKeyId();
        var key = new String(provider.getPrivateKey().readAllBytes(), StandardCharsets.US_ASCII);
        refusedBoth("wrong key", new Fixed(keyId, pem));
        refusedBoth("changed key id", new Fixed(changed(keyId), key));
    }

    static void refusedBoth(String what, BasicAuthenticationDetailsProvider bad) {
        refused(what, 401, "NotAuthenticated", () -> secretById(bad, SECRET));
        refused(what + ", with a body", 401, "NotAuthenticated", () -> secretByName(bad));
    }

    /** A credential that is never fetched again. */
    record Fixed(String keyId, String pem) implements BasicAuthenticationDetailsProvider {
        @Override
        public String getKeyId() {
            return keyId;
        }

        @Override
        public InputStream getPrivateKey() {
            return new ByteArrayInputStream(pem.getBytes(StandardCharsets.US_ASCII));
        }

        @Override
        public String getPassPhrase() {
            return null;
        }

        @Override
        public char[] getPassphraseCharacters() {
            return null;
        }
    }

    /** A token with another year to live, which its signature does not cover, or another fingerprint. */
    static String changed(String keyId) {
        if (!keyId.startsWith("ST$")) {
            return keyId.substring(0, keyId.lastIndexOf('/') + 1) + "ab:".repeat(15) + "ab";
        }
        var parts = keyId.split("\\.");
        var claims = new String(Base64.getUrlDecoder().decode(parts[1]), StandardCharsets.UTF_8);
        claims = Pattern.compile("\"exp\" *: *(\\d+)").matcher(claims)
                .replaceFirst(match -> "\"exp\":" + (Long.parseLong(match.group(1)) + 365 * 24 * 3600));
        parts[1] = Base64.getUrlEncoder().withoutPadding().encodeToString(claims.getBytes(StandardCharsets.UTF_8));
        return String.join(".", parts);
    }

    // Helpers.

    static String secretById(BasicAuthenticationDetailsProvider provider, String secret) {
        var client = SecretsClient.builder().endpoint(SERVICES).build(provider);
        return contentOf(client.getSecretBundle(GetSecretBundleRequest.builder().secretId(secret).build()).getSecretBundle());
    }

    static String secretByName(BasicAuthenticationDetailsProvider provider) {
        var client = SecretsClient.builder().endpoint(SERVICES).build(provider);
        var request = GetSecretBundleByNameRequest.builder().secretName(SECRET_NAME).vaultId(VAULT).build();
        return contentOf(client.getSecretBundleByName(request).getSecretBundle());
    }

    static String contentOf(SecretBundle bundle) {
        var content = ((Base64SecretBundleContentDetails) bundle.getSecretBundleContent()).getContent();
        return new String(Base64.getDecoder().decode(content), StandardCharsets.UTF_8);
    }

    static void refused(String call, int status, String code, Runnable function) {
        try {
            function.run();
        } catch (BmcException error) {
            var got = call + ": " + error.getStatusCode() + " " + error.getServiceCode();
            expect(got, error.getStatusCode() == status && code.equals(error.getServiceCode()));
            return;
        }
        expect(call + " was not refused", false);
    }

    static void expect(String call, boolean holds) {
        if (!holds) throw new AssertionError("FAILED: " + label + ": " + call);
        System.out.println("ok: " + label + ": " + call);
    }
}
