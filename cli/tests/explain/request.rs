//! The request, check by check.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::command::file;
use crate::{DATE, HOST, KEY_ID, Sent, URL, token};

#[test]
fn a_good_request_is_good_in_every_check() {
    let explained = Sent::new("POST").with_key("test-key.pem").explain();
    explained.is_good();
    for (check, part) in [
        ("clock", "the same as the time given"),
        ("authorization", "as OCI documents them"),
        ("header-set", "`content-length`, `content-type`, `x-content-sha256`"),
        ("whitespace", "no blank"),
        ("digest", "those of the body"),
        ("host", "is that of the URL"),
        ("region", "us-phoenix-1 exists, and is of the tenancy's realm, oc1"),
        ("key-id", "have their form"),
        ("key", "its fingerprint is the one in the key id, e2:be:6e:"),
        ("key", "the signature is one of this key over this request"),
        ("url", "nothing that a client is known to rewrite"),
    ] {
        explained.says("ok", check, part);
    }
    explained.says("note", "summary", "not uploaded for this user");
    Sent::new("GET").with_key("test-key.pub.pem").explain().is_good();
}

#[test]
fn the_authorization_header_is_told_apart() {
    let sent = || Sent::new("GET");
    sent().without("authorization").says("bad", "authorization", "sent unsigned");
    let twice = sent().header("Authorization: Basic hunter2").explain();
    twice.says("bad", "authorization", "several");
    for (from, to, part) in [
        ("Signature version", "Bearer version", "Bearer"),
        ("Signature version", "Basic version", "Basic"),
        ("Signature version", "AWS4 version", "not Signature"),
        ("keyId=", "kid=", "keyId is missing"),
        ("algorithm=", "alg=", "algorithm is missing"),
        (",signature=", ",sig=", "signature is missing"),
        ("headers=", "names=", "headers is missing"),
        ("rsa-sha256", "hmac-sha256", "not rsa-sha256"),
        ("version=\"1\"", "version=\"2\"", "version is not 1"),
        (",algorithm", ",version=\"1\",algorithm", "stands twice"),
        ("signature=\"", "signature=\"_", "not base64"),
    ] {
        let explained = sent().replace(from, to).explain();
        explained.says("bad", "authorization", part);
        explained.blames("authorization");
    }
    sent().replace("version=", "x=\"y\",version=").says("note", "authorization", "not known");
    let pss = sent().replace("rsa-sha256", "rsa-pss-sha256").with_key("test-key.pem").explain();
    pss.says("note", "authorization", "rsa-pss-sha256");
    pss.says("unknown", "key", "not checked here");
}

#[test]
fn what_has_to_be_signed_and_is_not_is_named() {
    for (method, name, part) in [
        ("GET", "date ", "neither `date` nor `x-date`"),
        ("GET", "(request-target) ", "`(request-target)` is not signed"),
        ("GET", " host", "`host` is not signed"),
        ("POST", " content-length", "POST has to sign `content-length` too"),
        ("PUT", " x-content-sha256", "PUT has to sign `x-content-sha256` too"),
    ] {
        let explained = Sent::new(method).replace(name, "").explain();
        explained.says("bad", "header-set", part);
        explained.blames("header-set");
    }
    let unsigned = |method| Sent::signed(method, URL, KEY_ID, &["--unsigned-body"]);
    unsigned("PATCH").says("bad", "header-set", "of the body nothing is signed");
    unsigned("PUT").with(&["--unsigned-body"]).says("note", "header-set", "some uploads only");
    let upload = "https://objectstorage.us-phoenix-1.oraclecloud.com/n/ns/b/bucket/o/name";
    let upload = Sent::signed("PUT", upload, KEY_ID, &["--unsigned-body"]).explain();
    upload.says("note", "header-set", "PutObject");
    upload.is_good();

    let sent = || Sent::new("GET");
    sent().header("opc-obo-token: hunter2").says("bad", "header-set", "`opc-obo-token`");
    sent().without("host").says("bad", "header-set", "`host` is signed and the request has none");
    sent().header("Host: other").says("bad", "header-set", "the request has several");
    sent().replace(" host\"", " host host\"").says("bad", "header-set", "`host` stands twice");
    let x_date = format!("x-date: {DATE}");
    sent().header(&x_date).says("bad", "header-set", "OCI prefers `x-date`");
    let both = Sent::signed("GET", URL, KEY_ID, &["--x-date"]).header("date: yesterday").explain();
    both.says("note", "header-set", "what `date` says does not count");
    both.is_good();
    let directory = tempfile::tempdir().unwrap();
    let token = file(&directory, "obo", "hunter2");
    let delegated = Sent::signed("GET", URL, KEY_ID, &["--delegation-token-file", &token]);
    delegated.with_key("test-key.pem").explain().is_good();
    let federation = "https://auth.us-phoenix-1.oraclecloud.com/v1/x509";
    let federation = Sent::signed("POST", federation, "ocid1.tenancy.oc1..a/fed-x509/AA:BB", &[]);
    let federation = federation.replace(" host ", " ").explain();
    federation.says("note", "header-set", "official SDKs leave it out");
    federation.says("ok", "key-id", "asks for its token");
}

#[test]
fn blanks_and_line_ends_are_told() {
    let sent = || Sent::new("GET");
    let blank = |change: &str| sent().replace(HOST, change);
    blank(&format!(" {HOST}")).says("bad", "whitespace", "`host` is signed and has blanks");
    blank(&format!("{HOST} ")).says("bad", "whitespace", "`host` is signed and has blanks");
    let verified = blank(&format!("{HOST}\t")).with_key("test-key.pem").explain();
    verified.says("note", "whitespace", "the server drops them");
    verified.is_good();
    sent().header("accept:  x").says("note", "whitespace", "`accept` has blanks");
    sent().replace("host:", "host :").says("bad", "whitespace", "around the name `host`");
    let ends = sent().replace("\",algorithm", "\n\",algorithm").explain();
    ends.says("bad", "whitespace", "`authorization` has a line end");
    ends.blames("whitespace");
    sent().replace("\",algorithm", "\\n\",algorithm").says("bad", "whitespace", "two characters");
    sent().replace("/ocid1", "/ ocid1").says("bad", "whitespace", "holds a blank");
    let token = format!("ST${}", token("instance-principal"));
    let token = Sent::signed("GET", URL, &token, &[]).replace("\",algorithm", "\r\n\",algorithm");
    token.says("bad", "whitespace", "the token in the key id has a line end");
    sent().replace("(request-target) host", "(request-target) Host").says(
        "note",
        "whitespace",
        "mixed case",
    );
}

#[test]
fn length_and_digest_are_compared_with_the_body() {
    let directory = tempfile::tempdir().unwrap();
    let body = file(&directory, "body", "{\"a\":1}");
    let sent = || Sent::signed("POST", URL, KEY_ID, &["--body-file", &body]);
    let given = |name, text: &str| format!("--body-file={}", file(&directory, name, text));
    sent().with(&[&given("same", "{\"a\":1}")]).explain().is_good();
    sent().says("unknown", "digest", "give --body-file");
    for (text, part) in [
        ("{\"a\":2}", "is not that of the body"),
        ("{\"a\":1}\n", "a line end at the end of the file"),
        ("{\"a\":1", "a line end that the client added"),
        ("{\"a\":1}    ", "characters counted in place of bytes"),
        ("", "another body"),
    ] {
        let explained = sent().with(&[&given("other", text)]).explain();
        explained.says("bad", "digest", part);
        explained.blames("digest");
    }
    let empty = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let digest = STANDARD.encode(Sha256::digest("{\"a\":1}"));
    let hex = "0".repeat(64);
    for (to, part) in [
        (empty, "`content-length` says there is one"),
        (&*hex, "is in hex"),
        ("_7DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU=", "base64url"),
        ("hunter2", "not 32 bytes"),
    ] {
        sent().replace(&digest, to).says("bad", "digest", part);
    }
    let early = sent().replace(&digest, empty).with(&[&given("full", "{\"a\":1}")]);
    early.says("bad", "digest", "not there when it was hashed");
    sent().replace("content-length: 7", "content-length: x").says("bad", "digest", "not a number");
    let none = Sent::signed("POST", URL, KEY_ID, &["--unsigned-body"]).explain();
    none.says("bad", "digest", "POST has no `x-content-sha256`");
    let chunks = sent().without("content-length").header("transfer-encoding: chunked");
    chunks.says("bad", "digest", "sent in chunks");
    for method in ["GET", "DELETE"] {
        let unsigned = Sent::new(method).with(&[&given("extra", "{}")]);
        unsigned.says("note", "digest", "which is sent unsigned");
    }
}

#[test]
fn the_host_is_compared_with_the_url() {
    let sent =
        |host: &str| Sent::new("GET").replace(&format!("host: {HOST}"), &format!("host: {host}"));
    sent("other.example.com").says("bad", "host", "another host");
    sent("other.example.com").explain().blames("host");
    sent(&format!("{HOST}:8443")).says("bad", "host", "another port");
    sent(&format!("{HOST}:443")).says("note", "host", "Python and Go sign `:443`");
    sent(&HOST.to_uppercase()).says("note", "host", "write lower case");
    Sent::new("GET").without("host").says("unknown", "host", "cannot be compared");
    let user = Sent::new("GET").url("https://u:hunter2@iaas.us-phoenix-1.oraclecloud.com/");
    user.says("bad", "host", "user name or password");
    let underscore = Sent::signed("GET", "https://my_ns.example.com/", KEY_ID, &[]);
    underscore.says("note", "host", "underscore");
}

#[test]
fn region_and_realm_are_those_of_oci() {
    let at = |host: &str| Sent::signed("GET", &format!("https://{host}/"), KEY_ID, &[]);
    for host in [
        "secrets.vaults.eu-frankfurt-1.oci.oraclecloud.com",
        "ns.objectstorage.us-ashburn-1.oci.customer-oci.com",
        "objectstorage.us-ashburn-1.ds.oci.oraclecloud.com",
    ] {
        at(host).says("ok", "region", "realm, oc1");
    }
    for (host, part) in [
        ("iaas.us-phenix-1.oraclecloud.com", "`us-phenix-1` is not one that is known"),
        ("iaas.phx.oraclecloud.com", "short code of a region: write `us-phoenix-1`"),
        ("iaas.us-phoenix-1.oraclecloud.eu", "is of realm oc1, whose domain is `oraclecloud.com`"),
        ("iaas.us-langley-1.oraclegovcloud.com", "the tenancy is of realm oc1, the host of oc2"),
    ] {
        let explained = at(host).explain();
        explained.says("bad", "region", part);
        explained.blames("region");
    }
    at("127.0.0.1:8080").says("unknown", "region", "fine for an emulator");
    at("telemetry.oraclecloud.com").says("unknown", "region", "names no region");
    let token = format!("ST${}", token("instance-principal"));
    let gov = Sent::signed("GET", "https://iaas.us-langley-1.oraclegovcloud.com/", &token, &[]);
    gov.says("bad", "region", "the tenancy is of realm oc1");
    let other = Sent::signed("GET", URL, "tenancy/user/fingerprint", &[]);
    other.says("ok", "region", "us-phoenix-1 exists, in realm oc1");
}

#[test]
fn what_clients_rewrite_is_noted() {
    let at = |path: &str| Sent::new("GET").url(&format!("https://{HOST}{path}"));
    for (path, part) in [
        ("/a[b]", "`[` or `]`"),
        ("/a|b", "`|` or `^`"),
        ("/?a='", "`'` in the query"),
        ("/?a={}", "`{` or `}` in the query"),
        ("/?a=<b>", "in the query: Python, Node and Ruby escape"),
        ("/a\\b", "Node makes it `/`"),
        ("/a{b}", "some clients escape it"),
        ("/a/../b", "`.` or `..`"),
        ("/a/%2e%2e/b", "`.` or `..`"),
        ("/a%2fb", "lower case"),
        ("/a%7Eb", "need not be one"),
        ("/a%zz", "without two digits"),
        ("/a?", "`?` at the end"),
        ("/a#b", "a fragment"),
    ] {
        at(path).says("note", "url", part);
    }
    for (path, part) in [
        ("/a b", "' ' at offset"),
        ("/a\u{e9}", "escape it as `%XX`"),
        ("/a\tb", "cannot be sent as given"),
    ] {
        at(path).says("bad", "url", part);
    }
}
