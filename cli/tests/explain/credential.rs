//! Key id, token, key, and what was signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{KeyOptions, NativeKey, PrivateKeyDer, SigningKey};

use crate::command::{file, key, ocisign};
use crate::{DATE, HOST, KEY_ID, Sent, URL, token};

#[test]
fn the_parts_of_an_api_keys_id_are_checked() {
    let fingerprint = KEY_ID.rsplit('/').next().unwrap();
    let of = |key_id: &str| Sent::signed("GET", URL, key_id, &[]);
    for (key_id, part) in [
        (
            KEY_ID.replace("ocid1.tenancy.", "ocid1.compartment."),
            "first part is the OCID of a comp",
        ),
        (KEY_ID.replace("ocid1.user.", "ocid1.tenancy."), "second part is the OCID of a tenancy"),
        (KEY_ID.replace("ocid1.user.oc1..aaaauser", "ann"), "not the OCID of a user"),
        (KEY_ID.replace("ocid1.user.oc1..aaaauser", ""), "the user's OCID, is empty"),
        (KEY_ID.replace("aaaauser", ""), "is cut short"),
        (KEY_ID.replace("aaaauser", "<user>"), "strange character"),
        (KEY_ID.to_uppercase().replace("OCID1", "ocid1"), "not the OCID"),
        (KEY_ID.replace(fingerprint, &fingerprint.to_uppercase()), "upper case"),
        (KEY_ID.replace(fingerprint, &fingerprint.replace(':', "")), "lacks colons"),
        (KEY_ID.replace(fingerprint, &"ab".repeat(20)), "SHA-1 or SHA-256"),
        (KEY_ID.replace(fingerprint, "SHA256:hunter2"), "ssh-keygen"),
        (KEY_ID.replace(fingerprint, "hunter2"), "not 16 pairs"),
        (KEY_ID.replace(fingerprint, ""), "fingerprint is empty"),
        ("hunter2".to_owned(), "neither"),
        ("eyJh.hunter2.hunter2".to_owned(), "without `ST$` in front"),
        ("ST.hunter2".to_owned(), "a shell took"),
        ("st$hunter2".to_owned(), "upper case"),
    ] {
        let explained = of(&key_id).explain();
        explained.says("bad", "key-id", part);
        explained.blames("key-id");
    }
    of("resource/v2.1/ocid1.x.oc1..a").says("ok", "key-id", "asks for its token");
    of("ocid1.tenancy.oc1..a/fed-x509-sha256/aa:bb").says("ok", "key-id", "asks for its token");
}

#[test]
fn a_token_is_read_and_its_life_judged() {
    let jwt = |claims: &str| {
        let encode = |text: &str| STANDARD.encode(text).replace('=', "").replace('/', "_");
        format!("ST${}.{}.c2lnbmF0dXJlLWh1bnRlcjI", encode("{\"alg\":\"RS256\"}"), encode(claims))
    };
    let of = |key_id: &str| Sent::signed("GET", URL, key_id, &[]);
    let token = format!("ST${}", token("instance-principal"));
    let good = of(&token).explain();
    good.says("ok", "key-id", "the token lasts for");
    good.says("ok", "key-id", "a token that can be read");
    // Its own key is in it.
    good.says("ok", "key", "the signature is one of this token's own key");
    good.is_good();
    for (key_id, level, part) in [
        (jwt("{\"exp\":1704110645}"), "bad", "the token expired 0 seconds before"),
        (jwt("{\"exp\":1704103445}"), "bad", "the token expired 2 hours before"),
        (jwt("{\"exp\":1704110646}"), "ok", "lasts for 1 second more"),
        (jwt("{}"), "unknown", "does not say when it expires"),
        (jwt("{\"exp\":4102444800,\"nbf\":1704114245}"), "bad", "60 minutes later"),
        (jwt("{\"exp\":4102444800,\"nbf\":1704110675}"), "note", "30 seconds later"),
        (jwt("{\"exp\":\"never\"}"), "bad", "a claim `exp`"),
        (jwt("{\"jwk\":\"hunter2\"}"), "bad", "a claim `jwk`"),
        (token.replace("ST$", "ST$ST$"), "bad", "`ST$` stands twice"),
        (token[..60].to_owned(), "bad", "is not a JWT"),
        ("ST$".to_owned(), "bad", "no token stands behind"),
    ] {
        of(&key_id).says(level, "key-id", part);
    }
    let mut now = of(&jwt("{\"exp\":1704110645}"));
    now.more.clear();
    now.says("bad", "key-id", "by this machine's clock");
    let other = of(&token).with_key("other-key.pem").explain();
    other.says("bad", "key", "not the key in the token's claim jwk");
    of(&token).with_key("test-key.pem").says("ok", "key", "the key in the token's claim jwk");
    of(&jwt("{\"exp\":4102444800}")).with_key("test-key.pem").says(
        "unknown",
        "key",
        "no claim jwk",
    );
}

#[test]
fn the_key_file_is_compared_with_the_key_id_and_the_signature() {
    let sent = || Sent::new("GET");
    let wrong = sent().with_key("other-key.pem").explain();
    wrong.says("bad", "key", "belong to different keys");
    wrong.says("bad", "key", "another key signed");
    wrong.blames("key");
    let changed = sent().url(&URL.replace("10", "11")).with_key("test-key.pem").explain();
    changed.says("bad", "key", "the signature is not one of this key");
    for (name, level, part) in [
        ("test-key.pub.pem", "note", "is a public key, enough to check"),
        ("test-key.cert.pem", "bad", "is a certificate: the signer needs the private key"),
        ("ec-p256.pkcs8.pem", "bad", "not RSA"),
        ("oracle-docs-1024.pem", "bad", "1024 bits"),
        ("test-key.openssh.pem", "bad", "not supported"),
        ("test-key.pkcs8-enc.pem", "unknown", "encrypted: give --passphrase-file"),
    ] {
        sent().with_key(name).says(level, "key", part);
    }
    let directory = tempfile::tempdir().unwrap();
    let passphrase = |text: &str| {
        let file = format!("--passphrase-file={}", file(&directory, "passphrase", text));
        sent().with_key("test-key.pkcs8-enc.pem").with(&[&file]).explain()
    };
    passphrase("test-passphrase\n").says("ok", "key", "over this request");
    passphrase("hunter2").says("bad", "key", "passphrase does not open");
    let args = ["explain", "--status=401", "--key-file=no-such-file"];
    assert_eq!(ocisign(&args).refused(), "FILE_UNREADABLE");
}

#[test]
fn what_was_signed_instead_is_found() {
    let signed = |url: &str, sent_as: &str| {
        Sent::signed("GET", &format!("https://{HOST}{url}"), KEY_ID, &[])
            .url(&format!("https://{HOST}{sent_as}"))
            .with_key("test-key.pem")
    };
    for (target, sent_as, part) in [
        ("/a/../c", "/a/../c", ""),
        ("/c", "/a/../c", "dot segments resolved"),
        ("/a%2F", "/a%2f", "`%XX` in upper case"),
        ("/a%2f", "/a%2F", "`%XX` in lower case"),
        ("/A~", "/%41%7E", "needless escapes decoded"),
        ("/a(b", "/a%28b", "signed decoded"),
        ("/a%2520b", "/a%20b", "escaped twice"),
        ("/a%7Cb", "/a|b", "odd characters escaped"),
        ("/?a=%27", "/?a='", "odd characters and quotes escaped"),
        ("/?a=b+c", "/?a=b%20c", "`%20` as `+`"),
        ("/?a=b%20c", "/?a=b+c", "`+` as `%20`"),
        ("/?a=1&b=2", "/?b=2&a=1", "query sorted"),
        ("/a", "/a?b=c", "without its query"),
        ("/a", "/a?", "without its query"),
        ("/a?b", "/a?b?", "without the `?` at its end"),
        ("/a", "/a/", "without the `/` at its end"),
        ("/a/", "/a", "with a `/` at its end"),
    ] {
        let explained = signed(target, sent_as).explain();
        match part {
            "" => explained.is_good(),
            part => explained.says("bad", "key", part),
        }
    }
    let port = format!("https://{HOST}:8443/");
    let port = Sent::signed("GET", &port, KEY_ID, &[&format!("--header=host: {HOST}")]);
    let port = port.replace(&format!("host: {HOST}"), &format!("host: {HOST}:8443"));
    port.with_key("test-key.pem").says("bad", "key", "the host was signed without its port");
}

#[test]
fn what_signers_written_by_hand_get_wrong_is_found() {
    let pem = std::fs::read_to_string(key("test-key.pem")).unwrap();
    let key = NativeKey::new(&PrivateKeyDer::from_pem(&pem, &KeyOptions::new()).unwrap()).unwrap();
    let target = "/20160918/vcns?limit=10";
    for (text, part) in [
        (format!("date: {DATE}\n(request-target): get {target}\nhost: {HOST}"), ""),
        (format!("date: {DATE}\n(request-target): GET {target}\nhost: {HOST}"), "upper case"),
        (
            format!("date: {DATE}\n(request-target): get {target}\nhost: {HOST}\n"),
            "ends with a line end",
        ),
        (format!("date: {DATE}\r\n(request-target): get {target}\r\nhost: {HOST}"), "CR LF"),
        (format!("date:{DATE}\n(request-target):get {target}\nhost:{HOST}"), "no blank behind"),
        (format!("date: {DATE}\n(request-target): get {target}\nhost: {HOST}:443"), "port 443"),
        (
            format!("date: {DATE}\n(request-target): get {target}\nhost: {HOST}{target}"),
            "path behind",
        ),
        (format!("date: {DATE}\n(request-target): get {URL}\nhost: {HOST}"), "host and scheme"),
    ] {
        let signature = STANDARD.encode(key.sign(text.as_bytes()).unwrap());
        let sent = Sent::new("GET").with_key("test-key.pem").map(|line| {
            let (before, _) = line.split_once("signature=\"").unwrap_or((line, ""));
            Some(if before == line {
                line.into()
            } else {
                format!("{before}signature=\"{signature}\"")
            })
        });
        match part {
            "" => sent.explain().is_good(),
            part => sent.says("bad", "key", part),
        }
    }
}
