//! A private key: a byte that says in what form, then its text, or the DER that
//! is to stand in it. What is read signs what its public half verifies.
#![no_main]

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use libfuzzer_sys::fuzz_target;
use ocisign_core::{
    KeyOptions, PrivateKeyDer, PublicKey, RsaKey, RsaVerifyingKey, SigningKey, VerifyingKey,
};
use ocisign_fuzz::{hidden, printed};

fuzz_target!(|input: &[u8]| {
    let Some((&form, content)) = input.split_first() else { return };
    let armoured = |label: &str, fields: &str| {
        let base64 = STANDARD.encode(content);
        format!("-----BEGIN {label}-----\n{fields}{base64}\n-----END {label}-----\n")
    };
    let (text, cheap) = match form {
        b'1' => (armoured("RSA PRIVATE KEY", ""), true),
        b'8' => (armoured("PRIVATE KEY", ""), true),
        b'e' => (armoured("ENCRYPTED PRIVATE KEY", ""), is_cheap(content)),
        b'a' => (armoured("RSA PRIVATE KEY", &legacy("AES-256-CBC", 32)), true),
        b'd' => (armoured("RSA PRIVATE KEY", &legacy("DES-EDE3-CBC", 16)), true),
        _ => {
            let text = String::from_utf8_lossy(content).into_owned();
            let cheap = !text.contains("ENCRYPTED PRIVATE KEY");
            (text, cheap)
        }
    };
    // The work that a key asks for is bounded, but far from quick.
    let passphrase: Option<&[u8]> = cheap.then_some(b"test-passphrase");
    for weak in [false, true] {
        let mut options = KeyOptions::new().danger_allow_weak_key(weak);
        if let Some(passphrase) = passphrase {
            options = options.passphrase(passphrase);
        }
        let _ = PublicKey::from_pem(&text, &options).map(|key| RsaVerifyingKey::new(&key));
        match PrivateKeyDer::from_pem(&text, &options) {
            Ok(key) => check(&key, &options),
            Err(error) => {
                hidden(&printed(&error), content);
                hidden(&printed(&error), text.as_bytes());
            }
        }
    }
});

fn check(key: &PrivateKeyDer, options: &KeyOptions<'_>) {
    let der = key.secret_pkcs1_der();
    let bits = key.public_key().bits();
    assert!((1_024..=8_192).contains(&bits) && !der.is_empty());
    hidden(&format!("{key:?}"), der);
    let base64 = STANDARD.encode(der);
    let text = format!("-----BEGIN RSA PRIVATE KEY-----\n{base64}\n-----END RSA PRIVATE KEY-----");
    let again = PrivateKeyDer::from_pem(&text, options).expect("it is the same");
    assert_eq!(again.secret_pkcs1_der(), der);
    assert_eq!(again.public_key(), key.public_key());
    // A larger one takes long, and does nothing else.
    if bits <= 2_048
        && let Ok(signing) = RsaKey::new(key)
        && let Ok(signature) = signing.sign(b"message")
    {
        let verifying = RsaVerifyingKey::new(key.public_key()).expect("its public half");
        assert!(verifying.verify(b"message", &signature));
    }
}

fn legacy(cipher: &str, digits: usize) -> String {
    format!("Proc-Type: 4,ENCRYPTED\nDEK-Info: {cipher},{}\n\n", "5".repeat(digits))
}

/// Whether an `EncryptedPrivateKeyInfo` asks for little work, as far as can be seen.
fn is_cheap(der: &[u8]) -> bool {
    // PBKDF2 with up to 4,095 rounds; scrypt with N up to 1,024, r and p up to 8.
    let settings = |oid: &[u8]| {
        let at = der.windows(oid.len()).position(|window| window == oid)?;
        let [0x30, _, 0x04, length, rest @ ..] = &der[at + oid.len()..] else { return None };
        rest.get(usize::from(*length)..)
    };
    let pbkdf2 = settings(b"\x2a\x86\x48\x86\xf7\x0d\x01\x05\x0c");
    let scrypt = settings(b"\x2b\x06\x01\x04\x01\xda\x47\x04\x0b");
    matches!(
        (pbkdf2, scrypt),
        (Some([0x02, 0x01, ..] | [0x02, 0x02, 0..=0x0f, ..]), None)
            | (None, Some([0x02, 0x01, _, 0x02, 0x01, 0..=8, 0x02, 0x01, 0..=8, ..]))
            | (None, Some([0x02, 0x02, 0..=0x04, _, 0x02, 0x01, 0..=8, 0x02, 0x01, 0..=8, ..]))
    )
}
