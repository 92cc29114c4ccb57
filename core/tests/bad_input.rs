//! Input that is too much, cut short or made to harm: a typed error, soon, and
//! never a part of a result.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign_core::{
    AuthorizationFault, Body, HeaderFault, KeyError, KeyId, KeyOptions, PrivateKeyDer, Profile,
    ProfileError, ProfileFault, PublicKey, Region, RegionError, RegionSources, Request, RsaKey,
    RsaVerifyingKey, SecurityToken, SignError, TokenFault, UrlFault, VerifyError, VerifyOptions,
    VerifyingKey, examine, prepare,
};

#[test]
fn ten_megabytes_of_pem_are_too_large() {
    let key = key_text("test-key.pem");
    let megabytes = 10 << 20;
    for text in [
        "x".repeat(megabytes),
        key.clone() + &"x".repeat(megabytes),
        "-----BEGIN RSA PRIVATE KEY-----\n".repeat(megabytes / 32),
        "\\n".repeat(megabytes / 2),
        key.repeat(megabytes / key.len()),
    ] {
        soon(|| {
            assert_eq!(read_key(&text), Err(KeyError::TooLarge));
            let public = PublicKey::from_pem(&text, &KeyOptions::new());
            assert_eq!(public, Err(KeyError::TooLarge));
        });
    }
}

#[test]
fn as_much_pem_as_is_read_costs_little() {
    let fill = |piece: &str| piece.repeat(65_536 / piece.len());
    for (text, expected) in [
        (fill("-----BEGIN RSA PRIVATE KEY-----\n"), KeyError::Malformed),
        (fill("-----BEGIN "), KeyError::Malformed),
        (fill("-----BEGIN A-----\n-----END A-----\n"), KeyError::Unsupported),
        (fill("-----BEGIN PUBLIC KEY----------END PUBLIC KEY-----"), KeyError::PublicKey),
        (fill("\\n"), KeyError::NotPem),
        (fill("-----END A-----"), KeyError::NotPem),
        (pem("RSA PRIVATE KEY", &vec![0x30; 48_000]), KeyError::Malformed),
        (pem("PRIVATE KEY", &[0x30, 0x80].repeat(24_000)), KeyError::Malformed),
        (pem("ENCRYPTED PRIVATE KEY", &vec![0; 48_000]), KeyError::Malformed),
        (fill("a: b\n") + "-----BEGIN RSA PRIVATE KEY-----", KeyError::TooLarge),
        (
            format!(
                "-----BEGIN RSA PRIVATE KEY-----\n{}-----END RSA PRIVATE KEY-----",
                "a: b\n".repeat(13_000)
            ),
            KeyError::Malformed,
        ),
    ] {
        soon(|| assert_eq!(read_key(&text), Err(expected), "{}", &text[..60]));
    }
}

#[test]
fn the_work_that_a_passphrase_asks_for_is_bounded() {
    let salt = tlv(0x04, &[7; 8]);
    let pbkdf2 = |iterations: &[u8]| {
        let prf = tlv(0x30, &[oid("2a864886f70d0209"), tlv(0x05, &[])].concat());
        let settings = tlv(0x30, &[salt.clone(), tlv(0x02, iterations), prf].concat());
        encrypted(&[oid("2a864886f70d01050c"), settings].concat())
    };
    let scrypt = |n: &[u8], r: &[u8], p: &[u8]| {
        let numbers = [n, r, p].map(|number| tlv(0x02, number)).concat();
        let settings = tlv(0x30, &[salt.clone(), numbers].concat());
        encrypted(&[oid("2b06010401da47040b"), settings].concat())
    };
    let power = |bits: usize| {
        let mut number = vec![0; bits / 8 + 1];
        number[0] = 1 << (bits % 8);
        if number[0] >= 0x80 {
            number.insert(0, 0);
        }
        number
    };
    for (text, expected) in [
        (pbkdf2(&[0x7f, 0xff, 0xff, 0xff]), &[KeyError::TooLarge][..]),
        (pbkdf2(&power(31)), &[KeyError::TooLarge]),
        (pbkdf2(&[0, 0xff, 0xff, 0xff, 0xff]), &[KeyError::TooLarge]),
        (pbkdf2(&power(32)), &[KeyError::Unsupported]),
        (pbkdf2(&power(1_000)), &[KeyError::Unsupported]),
        (pbkdf2(&[0xff]), &[KeyError::Unsupported]),
        (scrypt(&power(20), &[8], &[1]), &[KeyError::TooLarge]),
        (scrypt(&power(30), &[8], &[1]), &[KeyError::TooLarge]),
        (scrypt(&power(62), &[8], &[1]), &[KeyError::TooLarge]),
        (scrypt(&power(63), &[0x7f, 0xff], &[1]), &[KeyError::TooLarge]),
        (scrypt(&power(64), &[8], &[1]), &[KeyError::Unsupported]),
        (scrypt(&power(14), &[0x7f, 0xff], &[1]), &[KeyError::TooLarge]),
        (scrypt(&power(14), &[8], &[0x7f, 0xff]), &[KeyError::TooLarge]),
        (scrypt(&[3], &[8], &[1]), &[KeyError::Malformed, KeyError::Unsupported]),
        (scrypt(&[0], &[8], &[1]), &[KeyError::Malformed, KeyError::Unsupported]),
        (scrypt(&power(14), &[0], &[1]), &[KeyError::Malformed, KeyError::Unsupported]),
        (scrypt(&power(14), &[8], &[0]), &[KeyError::Malformed, KeyError::Unsupported]),
        // What is allowed is done.
        (scrypt(&[1], &[8], &[1]), &[KeyError::PassphraseWrong]),
        (pbkdf2(&[0x1e, 0x84, 0x80]), &[KeyError::PassphraseWrong]),
        (scrypt(&power(16), &[8], &[4]), &[KeyError::PassphraseWrong]),
        (scrypt(&power(19), &[1], &[4]), &[KeyError::PassphraseWrong]),
    ] {
        soon(|| {
            let error = read_key(&text).unwrap_err();
            assert!(expected.contains(&error), "{error:?} is none of {expected:?} for\n{text}");
            let error = PrivateKeyDer::from_pem(&text, &KeyOptions::new()).unwrap_err();
            let unread = [KeyError::PassphraseMissing, KeyError::Unsupported];
            assert!(unread.contains(&error), "{error:?} without a passphrase");
        });
    }
}

#[test]
fn keys_of_absurd_numbers_are_refused() {
    let key = read_key(&key_text("test-key.pem")).unwrap();
    let good = numbers(&key);
    let small = |value: u8| vec![value];
    let absurd =
        [small(0), small(1), small(2), vec![0xff; 5_000], vec![0xff; 30_000], good[1].clone()];
    for at in 1..9 {
        for value in &absurd {
            if at == 1 && *value == good[1] {
                continue;
            }
            let mut changed = good.clone();
            changed[at].clone_from(value);
            let body: Vec<Vec<u8>> = changed.iter().map(|value| number_of(value)).collect();
            let text = pem("RSA PRIVATE KEY", &tlv(0x30, &body.concat()));
            soon(|| {
                let result = read_key(&text).and_then(|key| RsaKey::new(&key));
                // d mod p-1, d mod q-1 and 1/q are computed and not read.
                assert!(result.is_err() || at >= 6, "number {at} is {value:02x?}");
            });
        }
    }
    for length in [0, 1, 127, 1_024, 1_025, 8_192, 1 << 20] {
        for exponent in [vec![], small(1), small(2), vec![1, 0, 1], vec![0xff; 4_000]] {
            soon(|| {
                let key = PublicKey::from_components(&vec![0xff; length], &exponent);
                let _ = (key.fingerprint(), key.spki_der().len());
                if let Ok(key) = RsaVerifyingKey::new(&key) {
                    assert!(!key.verify(b"message", &vec![1; length]));
                }
            });
        }
    }
}

#[test]
fn a_header_of_a_megabyte_is_too_long_whether_signed_or_not() {
    let long = "a".repeat(1 << 20);
    for name in ["content-type", "Accept", "host", "x-date", "authorization", "Content-Length"] {
        soon(|| {
            let error = prepare_with(&[(name, &long)], "https://h/").unwrap_err();
            assert_eq!(error, header(&name.to_ascii_lowercase(), HeaderFault::TooLong));
        });
    }
    soon(|| {
        let error = prepare_with(&[(&long, "a")], "https://h/").unwrap_err();
        assert_eq!(error, header(&long[..64], HeaderFault::TooLong));
        assert!(error.to_string().len() < 200);
    });
    let exact = "a".repeat(65_536 - "accept".len());
    assert!(prepare_with(&[("accept", &exact)], "https://h/").is_ok());
    let over = exact + "a";
    let error = prepare_with(&[("accept", &over)], "https://h/").unwrap_err();
    assert_eq!(error, header("accept", HeaderFault::TooLong));

    soon(|| {
        let error = examine_with(&[("authorization", &long)]).unwrap_err();
        assert_eq!(error, VerifyError::MalformedAuthorization(AuthorizationFault::TooLong));
        for headers in [[("date", &*long), ("host", "h")], [("date", DATE), ("host", &*long)]] {
            let headers = [&headers[..], &[("authorization", AUTHORIZATION)]].concat();
            let request = Request::new("GET", "https://h/").headers(&headers);
            assert!(examine(&request, &VerifyOptions::new().expected_host("h"), NOW).is_err());
        }
    });
}

#[test]
fn a_hundred_thousand_headers_are_too_many() {
    for header in [("accept", "*/*"), ("date", DATE), ("authorization", AUTHORIZATION), ("", "")] {
        let headers = vec![header; 100_000];
        soon(|| {
            let error = prepare_with(&headers, "https://h/").unwrap_err();
            assert_eq!(error.code(), "INVALID_HEADER");
            assert_eq!(examine_with(&headers).unwrap_err().code(), "INVALID_HEADER");
        });
    }
    let headers = vec![("accept", "*/*"); 1_001];
    let error = prepare_with(&headers, "https://h/").unwrap_err();
    assert_eq!(error, header("accept", HeaderFault::TooMany));
    assert!(prepare_with(&headers[1..], "https://h/").is_ok());
}

#[test]
fn a_thousand_headers_all_said_to_be_signed_cost_little() {
    let names: Vec<String> = (0..1_000).map(|index| format!("x-{index}")).collect();
    let mut headers: Vec<(&str, &str)> = names.iter().map(|name| (&**name, "value")).collect();
    let list = names.join(" ");
    let authorization = AUTHORIZATION.replace("date", &list);
    headers[999] = ("authorization", &authorization);
    soon(|| assert_eq!(examine_with(&headers).unwrap_err().code(), "MALFORMED_AUTHORIZATION"));
}

#[test]
fn a_url_of_a_megabyte_is_too_long() {
    let long = |piece: &str| piece.repeat((1 << 20) / piece.len());
    for url in [
        format!("https://h/{}", long("a")),
        format!("https://h/?{}", long("a=1&")),
        format!("https://{}/", long("a.")),
        format!("https://{}/", long(":")),
        format!("https://h/#{}", long("a")),
        format!("https://[{}]/", long(":1")),
        long("\u{1}"),
    ] {
        soon(|| match prepare_with(&[], &url).unwrap_err() {
            SignError::InvalidUrl(error) => assert_eq!(error.fault, UrlFault::TooLong),
            other => panic!("{other:?}"),
        });
        let request = Request::new("GET", &url).headers(&SIGNED);
        let error = examine(&request, &VerifyOptions::new(), NOW).unwrap_err();
        assert_eq!(error.code(), "INVALID_URL");
    }
}

#[test]
fn a_method_key_id_or_delegation_token_of_a_megabyte_is_refused_or_signed_whole() {
    let long = "A".repeat(1 << 20);
    soon(|| {
        assert_eq!(KeyId::new(&long), Err(SignError::InvalidKeyId));
        assert_eq!(KeyId::api_key(&long, "user", "fingerprint"), Err(SignError::InvalidKeyId));
        let error = KeyId::new("k").unwrap().with_delegation_token(&long).unwrap_err();
        assert_eq!(error, header("opc-obo-token", HeaderFault::TooLong));
        if let Ok(prepared) = prepare(&Request::new(&long, "https://h/"), &key_id(), NOW) {
            assert!(prepared.signing_string().contains(&long.to_ascii_lowercase()));
        }
    });
}

#[test]
fn a_token_of_a_megabyte_is_too_long() {
    for text in ["a".repeat(1 << 20), ".".repeat(1 << 20), " ".repeat(1 << 20)] {
        soon(|| {
            let error = SecurityToken::parse(&text).unwrap_err();
            assert_eq!(error, SignError::InvalidToken(TokenFault::TooLong));
        });
    }
}

#[test]
fn json_as_deep_as_a_token_can_hold_is_an_error_and_no_overflow() {
    let deep = |open: &str, close: &str| open.repeat(6_000) + "1" + &close.repeat(6_000);
    let token = |claims: &str| format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(claims));
    let array = deep("[", "]");
    for (claims, expected) in [
        (array.clone(), TokenFault::NotJwt),
        ("[".repeat(40_000), TokenFault::NotJwt),
        (deep("{\"a\":", "}"), TokenFault::NotJwt),
        (format!("{{\"exp\":{array}}}"), TokenFault::NotJwt),
        (format!("{{\"jwk\":\"{array}\"}}"), TokenFault::Jwk),
        (format!("{{\"jwk\":\"{}\"}}", deep("{'a':", "}").replace('\'', "\\\"")), TokenFault::Jwk),
        (format!("{{\"exp\":1{}}}", "0".repeat(40_000)), TokenFault::NotJwt),
        (format!("{{\"exp\":1e{}}}", "9".repeat(40_000)), TokenFault::NotJwt),
        (format!("{{\"exp\":0.{}1}}", "0".repeat(40_000)), TokenFault::Expiry),
        (r#"{"jwk":{"kty":"RSA","n":"","e":"AQAB"}}"#.into(), TokenFault::Jwk),
        (r#"{"jwk":{"kty":"RSA","n":"AAAA","e":"AQAB"}}"#.into(), TokenFault::Jwk),
    ] {
        soon(|| {
            let error = SecurityToken::parse(&token(&claims)).unwrap_err();
            assert_eq!(error, SignError::InvalidToken(expected), "{}", &claims[..30]);
        });
    }
    let mut sources = RegionSources::default();
    sources.region_metadata = Some(&array);
    soon(|| {
        let error = Region::lookup("xx-test-1", &sources).unwrap_err();
        assert!(matches!(error, RegionError::InvalidMetadata(_)));
    });
}

#[test]
fn ten_megabytes_of_configuration_are_too_long() {
    for line in ["[DEFAULT]\nuser=u\n", "a=b\n", "x", "\n", "#\n", "\u{feff}"] {
        let text = line.repeat((10 << 20) / line.len());
        soon(|| match Profile::parse(&text, "DEFAULT").map(|_| ()).unwrap_err() {
            ProfileError::Invalid { fault, .. } => assert_eq!(fault, ProfileFault::TooLong),
            other => panic!("{line:?}: {other:?}"),
        });
    }
}

#[test]
fn as_many_profiles_and_keys_as_are_read_cost_little() {
    let lines = |line: &dyn Fn(usize) -> String| {
        let mut text = String::new();
        for index in 0.. {
            let line = line(index);
            if text.len() + line.len() > 1 << 20 {
                break;
            }
            text += &line;
        }
        text
    };
    let profiles = lines(&|index| format!("[{index:x}]\n"));
    soon(|| assert!(Profile::parse(&profiles, "1f").unwrap().keys().next().is_none()));
    let keys = "[DEFAULT]\n".to_owned() + &lines(&|index| format!("{index:x}=\n"))[..1_000_000];
    let keys = &keys[..=keys.rfind('\n').unwrap()];
    soon(|| assert!(Profile::parse(keys, "DEFAULT").unwrap().keys().count() > 100_000));
    // Half of it inherited, and all of that overridden.
    let half = lines(&|index| format!("{index:x}=\n"));
    let half = &half[..=half[..500_000].rfind('\n').unwrap()];
    let both = format!("[DEFAULT]\n{half}[P]\n{half}");
    soon(|| assert_eq!(Profile::parse(&both, "P").unwrap().keys().count(), half.lines().count()));
}

#[test]
fn a_region_of_a_megabyte_is_no_region() {
    let long = "a".repeat(1 << 20);
    soon(|| {
        let error = Region::lookup(&long, &RegionSources::default()).unwrap_err();
        assert_eq!(error, RegionError::InvalidName);
        let mut sources = RegionSources::default();
        sources.default_domain = Some(&long);
        assert_eq!(
            Region::lookup("xx-test-1", &sources),
            Err(RegionError::InvalidMetadata("default domain"))
        );
    });
    let config = format!("[{}]", vec!["{}"; 1 << 20].join(","));
    let mut sources = RegionSources::default();
    sources.regions_config = Some(&config);
    soon(|| assert!(Region::lookup("xx-test-1", &sources).is_err()));
}

#[test]
fn a_key_cut_short_anywhere_is_no_key() {
    for file in
        ["test-key.pem", "test-key.pkcs8.pem", "test-key.pkcs8-enc.pem", "test-key.pkcs1-enc.pem"]
    {
        let text = key_text(file);
        for length in 0..text.trim_end().len() {
            let error = read_key(&text[..length]).unwrap_err();
            let expected =
                if length < "-----BEGIN ".len() { KeyError::NotPem } else { KeyError::Malformed };
            assert_eq!(error, expected, "{file} cut to {length} bytes");
        }
    }
    // Cut within, and put into whole PEM again.
    for (file, label) in [
        ("test-key.pem", "RSA PRIVATE KEY"),
        ("test-key.pkcs8.pem", "PRIVATE KEY"),
        ("test-key.pkcs8-enc.pem", "ENCRYPTED PRIVATE KEY"),
    ] {
        let base64: String = key_text(file).lines().filter(|line| !line.starts_with('-')).collect();
        let der = STANDARD.decode(base64).unwrap();
        for length in 0..der.len() {
            let error = read_key(&pem(label, &der[..length])).unwrap_err();
            assert_eq!(error, KeyError::Malformed, "{file} cut to {length} bytes of DER");
        }
        let longer = [&*der, &[0]].concat();
        assert_eq!(read_key(&pem(label, &longer)), Err(KeyError::Malformed));
    }
}

#[test]
fn a_token_cut_before_its_signature_is_no_token() {
    let claims = format!("{{\"sub\":\"{}\",\"exp\":1700000000}}", "a".repeat(300));
    let token = format!("e30.{}.{}", URL_SAFE_NO_PAD.encode(claims), "c2ln".repeat(80));
    let signature = token.rfind('.').unwrap();
    for length in 0..token.len() {
        match SecurityToken::parse(&token[..length]) {
            Err(error) => assert_eq!(error, SignError::InvalidToken(TokenFault::NotJwt)),
            Ok(read) => {
                // Only OCI can see that a signature is not whole.
                assert!(length > signature, "cut to {length} bytes");
                assert_eq!(read.key_id().unwrap().as_str(), format!("ST${}", &token[..length]));
            }
        }
    }
}

#[test]
fn an_authorization_cut_short_anywhere_is_malformed() {
    for length in 0..AUTHORIZATION.len() {
        let error = examine_with(&[
            ("date", DATE),
            ("host", "h"),
            ("authorization", &AUTHORIZATION[..length]),
        ]);
        assert_eq!(error.unwrap_err().code(), "MALFORMED_AUTHORIZATION", "{length} bytes");
    }
    assert!(examine_with(&SIGNED).is_ok());
}

#[test]
fn a_configuration_cut_short_gives_no_value_that_is_not_a_beginning() {
    let text =
        "\u{feff}# c\r\n[DEFAULT]\r\nuser = ocid1.user\r\n\r\n[P]\r\nregion=us-phoenix-1\r\n";
    let whole = Profile::parse(text, "P").unwrap();
    for length in (0..text.len()).filter(|&length| text.is_char_boundary(length)) {
        match Profile::parse(&text[..length], "P") {
            Ok(profile) => {
                for key in profile.keys() {
                    assert!(whole.get(key).unwrap().starts_with(profile.get(key).unwrap()));
                }
            }
            Err(error) => assert!(["INVALID_PROFILE", "PROFILE_NOT_FOUND"].contains(&error.code())),
        }
    }
}

#[test]
fn noise_is_an_error_everywhere() {
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = |length: usize| -> Vec<u8> {
        let next = |_| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[3]
        };
        (0..length).map(next).collect()
    };
    for length in (1..400).chain([1_000, 10_000, 40_000]) {
        let bytes = noise(length);
        let text = String::from_utf8_lossy(&bytes);
        soon(|| {
            for label in ["RSA PRIVATE KEY", "PRIVATE KEY", "ENCRYPTED PRIVATE KEY"] {
                assert_eq!(read_key(&pem(label, &bytes)), Err(KeyError::Malformed));
            }
            let legacy = STANDARD.encode(&bytes);
            let legacy = format!(
                "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,{}\n\n{legacy}\n-----END RSA PRIVATE KEY-----",
                "00".repeat(16)
            );
            assert_eq!(read_key(&legacy), Err(KeyError::PassphraseWrong));
            assert!(read_key(&text).is_err());
            assert!(SecurityToken::parse(&text).is_err());
            let token = format!("e30.{}.c2ln", URL_SAFE_NO_PAD.encode(&bytes));
            assert!(SecurityToken::parse(&token).is_err());
            assert!(Profile::parse(&text, "DEFAULT").is_err());
            assert!(Region::lookup(&text, &RegionSources::default()).is_err() || length < 4);
            assert!(prepare_with(&[], &text).is_err());
            assert!(prepare_with(&[], &format!("https://h/{text} ")).is_err());
            assert!(
                examine_with(&[("date", DATE), ("host", "h"), ("authorization", &text)]).is_err()
            );
        });
    }
}

#[test]
fn the_last_second_is_signed_and_the_next_is_not() {
    let request = Request::new("GET", "https://h/");
    let last = 253_402_300_799;
    assert!(prepare(&request, &key_id(), last).is_ok());
    for now in [last + 1, u64::from(u32::MAX) << 20, u64::MAX] {
        assert_eq!(prepare(&request, &key_id(), now).unwrap_err().code(), "INVALID_DATE");
        let late = examine(&request.headers(&SIGNED), &VerifyOptions::new(), now).unwrap_err();
        assert!(matches!(late, VerifyError::DateOutOfWindow { .. }));
    }
}

#[test]
fn a_body_of_any_claimed_length_is_signed_with_that_length() {
    let body = Body::Digest { sha256: [7; 32], length: u64::MAX };
    let prepared = prepare(&Request::new("PUT", "https://h/").body(body), &key_id(), NOW).unwrap();
    assert!(prepared.signing_string().contains("\ncontent-length: 18446744073709551615\n"));
}

/// Far more time than the work takes; hours are what this is about.
fn soon(work: impl FnOnce()) {
    let start = Instant::now();
    work();
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
}

fn key_text(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../vectors/keys").join(name);
    fs::read_to_string(path).unwrap()
}

/// A key under the passphrase of the vectors, without what is not comparable.
fn read_key(text: &str) -> Result<Key, KeyError> {
    PrivateKeyDer::from_pem(text, &KeyOptions::new().passphrase(b"test-passphrase")).map(Key)
}

struct Key(PrivateKeyDer);

impl std::ops::Deref for Key {
    type Target = PrivateKeyDer;
    fn deref(&self) -> &PrivateKeyDer {
        &self.0
    }
}

impl std::fmt::Debug for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(f)
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.0.secret_pkcs1_der() == other.0.secret_pkcs1_der()
    }
}

fn header(name: &str, fault: HeaderFault) -> SignError {
    SignError::InvalidHeader { name: name.into(), fault }
}

fn key_id() -> KeyId {
    KeyId::new("tenancy/user/fingerprint").unwrap()
}

fn prepare_with(headers: &[(&str, &str)], url: &str) -> Result<(), SignError> {
    prepare(&Request::new("POST", url).headers(headers), &key_id(), NOW).map(|_| ())
}

fn examine_with(headers: &[(&str, &str)]) -> Result<(), VerifyError> {
    let request = Request::new("GET", "https://h/").headers(headers);
    examine(&request, &VerifyOptions::new(), NOW).map(|_| ())
}

fn pem(label: &str, der: &[u8]) -> String {
    format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", STANDARD.encode(der))
}

/// An `EncryptedPrivateKeyInfo` (RFC 8018, PBES2) with this derivation, AES-256-CBC and zeros.
fn encrypted(derivation: &[u8]) -> String {
    let cipher = [oid("60864801650304012a"), tlv(0x04, &[0; 16])].concat();
    let parameters = [tlv(0x30, derivation), tlv(0x30, &cipher)].concat();
    let scheme = [oid("2a864886f70d01050d"), tlv(0x30, &parameters)].concat();
    let info = [tlv(0x30, &scheme), tlv(0x04, &[0; 1_232])].concat();
    pem("ENCRYPTED PRIVATE KEY", &tlv(0x30, &info))
}

fn oid(hex: &str) -> Vec<u8> {
    let bytes: Vec<u8> = (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect();
    tlv(0x06, &bytes)
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).unwrap().to_be_bytes();
    let mut bytes = vec![tag];
    match length {
        [0, short @ 0..0x80] => bytes.push(short),
        [0, long] => bytes.extend([0x81, long]),
        long => bytes.extend([0x82, long[0], long[1]]),
    }
    bytes.extend(content);
    bytes
}

/// A number that is not negative.
fn number_of(value: &[u8]) -> Vec<u8> {
    let sign: &[u8] = if value.first().is_none_or(|&first| first >= 0x80) { &[0] } else { &[] };
    tlv(0x02, &[sign, value].concat())
}

/// The nine numbers of an `RSAPrivateKey`.
fn numbers(key: &PrivateKeyDer) -> Vec<Vec<u8>> {
    let mut numbers = Vec::new();
    let mut rest = &key.secret_pkcs1_der()[4..];
    while let [2, length, after @ ..] = rest {
        let (length, after) = match *length {
            0x81 => (usize::from(after[0]), &after[1..]),
            0x82 => (usize::from(after[0]) << 8 | usize::from(after[1]), &after[2..]),
            short => (usize::from(short), after),
        };
        let (number, after) = after.split_at(length);
        numbers.push(number.to_vec());
        rest = after;
    }
    numbers
}

const NOW: u64 = 1_388_923_200;
const DATE: &str = "Sun, 05 Jan 2014 12:00:00 GMT";
const AUTHORIZATION: &str = "Signature version=\"1\",keyId=\"tenancy/user/fingerprint\",\
     algorithm=\"rsa-sha256\",headers=\"date (request-target) host\",signature=\"AAAA\"";
const SIGNED: [(&str, &str); 3] = [("date", DATE), ("host", "h"), ("authorization", AUTHORIZATION)];
