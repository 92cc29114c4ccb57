// Oracle's SDK for Go against ocisign-emulator: client PRINCIPAL.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/oracle/oci-go-sdk/v65/common"
	"github.com/oracle/oci-go-sdk/v65/common/auth"
	"github.com/oracle/oci-go-sdk/v65/core"
	"github.com/oracle/oci-go-sdk/v65/identity"
	"github.com/oracle/oci-go-sdk/v65/objectstorage"
	"github.com/oracle/oci-go-sdk/v65/secrets"
)

var (
	services    = os.Getenv("OCISIGN_EMULATOR")
	tenancy     = os.Getenv("OCISIGN_EMULATOR_TENANCY")
	compartment = os.Getenv("OCISIGN_EMULATOR_COMPARTMENT")
	secret      = os.Getenv("OCISIGN_EMULATOR_SECRET")
	secretName  = os.Getenv("OCISIGN_EMULATOR_SECRET_NAME")
	vault       = os.Getenv("OCISIGN_EMULATOR_VAULT")
	namespace   = os.Getenv("OCISIGN_EMULATOR_NAMESPACE")
	bucket      = os.Getenv("OCISIGN_EMULATOR_BUCKET")

	label string
)

// Characters that the SDK escapes, and that a careless server unescapes before it verifies.
const object = "clients/go ü+%2F.bin"

func main() {
	principal, known := principals[os.Args[1]]
	if !known {
		fail("no such principal: %s", os.Args[1])
	}
	label = os.Args[1]
	if label == "resource_principal" {
		label += " " + os.Getenv("OCI_RESOURCE_PRINCIPAL_VERSION")
	}
	// Without it the SDK puts a name into the path as it is.
	must(os.Setenv(common.EncodePathParamsEnvVar, "true"))
	provider, err := principal()
	must(err)
	calls(provider)
	refusals(provider)
}

// The five kinds of principal.
var principals = map[string]func() (common.ConfigurationProvider, error){
	"api_key": func() (common.ConfigurationProvider, error) {
		return common.ConfigurationProviderFromFileWithProfile(os.Getenv("OCI_CONFIG_FILE"), "DEFAULT", "")
	},
	"session_token": func() (common.ConfigurationProvider, error) {
		return common.ConfigurationProviderForSessionTokenWithProfile(os.Getenv("OCI_CONFIG_FILE"), "SESSION", "")
	},
	// OCI_METADATA_BASE_URL and OCI_SDK_AUTH_CLIENT_REGION_URL say where.
	"instance_principal": auth.InstancePrincipalConfigurationProvider,
	// So do they in version 1.1, which begins with an instance principal.
	"resource_principal": func() (common.ConfigurationProvider, error) {
		return auth.ResourcePrincipalConfigurationProvider()
	},
	"oke_workload_identity": func() (common.ConfigurationProvider, error) {
		token := auth.NewDefaultServiceAccountTokenProvider().WithSaTokenPath(os.Getenv("OCISIGN_EMULATOR_SERVICE_ACCOUNT_TOKEN"))
		return auth.OkeWorkloadIdentityConfigurationProviderWithServiceAccountTokenProvider(token)
	},
}

// What each of them does.

func calls(provider common.ConfigurationProvider) {
	ctx := context.Background()

	network, err := core.NewVirtualNetworkClientWithConfigurationProvider(provider)
	must(err)
	network.Host = services
	vcns, err := network.ListVcns(ctx, core.ListVcnsRequest{CompartmentId: &compartment})
	must(err)
	elsewhere := slices.ContainsFunc(vcns.Items, func(vcn core.Vcn) bool { return *vcn.CompartmentId != compartment })
	expect("list VCNs", !elsewhere)

	users, err := identity.NewIdentityClientWithConfigurationProvider(provider)
	must(err)
	users.Host = services
	found, err := users.GetTenancy(ctx, identity.GetTenancyRequest{TenancyId: &tenancy})
	must(err)
	expect("get tenancy", *found.Id == tenancy)
	regions, err := users.ListRegions(ctx)
	must(err)
	expect("list regions", len(regions.Items) > 0)

	bundles := secretsClient(provider)
	byID, err := bundles.GetSecretBundle(ctx, secrets.GetSecretBundleRequest{SecretId: &secret})
	must(err)
	expect("get secret by id", contentOf(byID.SecretBundle) == "s3cret")
	byName, err := bundles.GetSecretBundleByName(ctx, secrets.GetSecretBundleByNameRequest{SecretName: &secretName, VaultId: &vault})
	must(err)
	expect("get secret by name", contentOf(byName.SecretBundle) == "s3cret")

	storage, err := objectstorage.NewObjectStorageClientWithConfigurationProvider(provider)
	must(err)
	storage.Host = services
	space, err := storage.GetNamespace(ctx, objectstorage.GetNamespaceRequest{})
	must(err)
	expect("get namespace", *space.Value == namespace)

	content := make([]byte, 4352)
	for index := range content {
		content[index] = byte(index)
	}
	for _, put := range []struct {
		what   string
		body   io.Reader
		length *int64
	}{
		{"bytes", bytes.NewReader(content), common.Int64(int64(len(content)))},
		// Neither its length nor a way back is known to the SDK.
		{"stream", io.LimitReader(bytes.NewReader(content), int64(len(content))), nil},
	} {
		name := object
		_, err = storage.PutObject(ctx, objectstorage.PutObjectRequest{
			NamespaceName: &namespace, BucketName: &bucket, ObjectName: &name,
			PutObjectBody: io.NopCloser(put.body), ContentLength: put.length,
		})
		must(err)
		got, err := storage.GetObject(ctx, objectstorage.GetObjectRequest{
			NamespaceName: &namespace, BucketName: &bucket, ObjectName: &name,
		})
		must(err)
		received, err := io.ReadAll(got.Content)
		must(err)
		expect("put and get object, "+put.what, bytes.Equal(received, content))
	}
}

func refusals(provider common.ConfigurationProvider) {
	stranger := secret[:len(secret)-4] + "none"
	_, err := secretsClient(provider).GetSecretBundle(context.Background(), secrets.GetSecretBundleRequest{SecretId: &stranger})
	refused("get secret that is not there", 404, "NotAuthorizedOrNotFound", err)

	key, err := rsa.GenerateKey(rand.Reader, 2048)
	must(err)
	id, err := provider.KeyID()
	must(err)
	for what, bad := range map[string]common.ConfigurationProvider{
		"wrong key":      changed{provider, id, key},
		"changed key id": changed{provider, changedID(id), nil},
	} {
		bundles := secretsClient(bad)
		_, err = bundles.GetSecretBundle(context.Background(), secrets.GetSecretBundleRequest{SecretId: &secret})
		refused(what, 401, "NotAuthenticated", err)
		_, err = bundles.GetSecretBundleByName(context.Background(), secrets.GetSecretBundleByNameRequest{SecretName: &secretName, VaultId: &vault})
		refused(what+", with a body", 401, "NotAuthenticated", err)
	}
}

// changed is a provider with one thing wrong.
type changed struct {
	common.ConfigurationProvider
	id  string
	key *rsa.PrivateKey
}

func (c changed) KeyID() (string, error) { return c.id, nil }

func (c changed) PrivateRSAKey() (*rsa.PrivateKey, error) {
	if c.key != nil {
		return c.key, nil
	}
	return c.ConfigurationProvider.PrivateRSAKey()
}

// changedID has another fingerprint, or a token with another year to live, which its signature does not cover.
func changedID(id string) string {
	parts := strings.Split(id, ".")
	if !strings.HasPrefix(id, "ST$") {
		return id[:strings.LastIndex(id, "/")+1] + strings.Repeat("ab:", 15) + "ab"
	}
	text, err := base64.RawURLEncoding.DecodeString(parts[1])
	must(err)
	var claims map[string]any
	must(json.Unmarshal(text, &claims))
	claims["exp"] = claims["exp"].(float64) + 365*24*3600
	text, err = json.Marshal(claims)
	must(err)
	parts[1] = base64.RawURLEncoding.EncodeToString(text)
	return strings.Join(parts, ".")
}

// Helpers.

func secretsClient(provider common.ConfigurationProvider) secrets.SecretsClient {
	client, err := secrets.NewSecretsClientWithConfigurationProvider(provider)
	must(err)
	client.Host = services
	return client
}

func contentOf(bundle secrets.SecretBundle) string {
	encoded := bundle.SecretBundleContent.(secrets.Base64SecretBundleContentDetails).Content
	content, err := base64.StdEncoding.DecodeString(*encoded)
	must(err)
	return string(content)
}

func refused(call string, status int, code string, err error) {
	var failure common.ServiceError
	if !errors.As(err, &failure) {
		fail("%s: %v", call, err)
	}
	got := fmt.Sprintf("%s: %d %s", call, failure.GetHTTPStatusCode(), failure.GetCode())
	expect(got, failure.GetHTTPStatusCode() == status && failure.GetCode() == code)
}

func expect(call string, holds bool) {
	if !holds {
		fail("%s", call)
	}
	fmt.Printf("ok: %s: %s\n", label, call)
}

func must(err error) {
	if err != nil {
		fail("%v", err)
	}
}

func fail(format string, arguments ...any) {
	fmt.Fprintf(os.Stderr, "FAILED: %s: %s\n", label, fmt.Sprintf(format, arguments...))
	os.Exit(1)
}
