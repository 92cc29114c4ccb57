//! What is printed, of types and of errors, holds no secret.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ocisign_core::{
    Body, Credential, KeyId, KeyOptions, PrivateKeyDer, Profile, Request, RsaKey, SecurityToken,
    VerifyOptions, examine, prepare, sign,
};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::keys::{Fake, REAL};
use crate::texts::printed;
use crate::{NOW, cases};

proptest! {
    #![proptest_config(cases(300))]

    #[test]
    fn no_secret_is_in_any_debug_or_display(
        claims in "[a-z0-9]{30,60}",
        delegation in "[A-Za-z0-9]{30,60}",
        passphrase in "[!-~]{16,30}",
        value in "[a-z0-9]{30,60}",
        cut: Index,
    ) {
        let claims = format!("{{\"sub\":\"{claims}\",\"exp\":{}}}", NOW + 60);
        let payload = URL_SAFE_NO_PAD.encode(&claims);
        let token = format!("e30.{payload}.{value}");
        let secrets = [&*payload, &*delegation, &*passphrase, &*value];

        let mut texts = Vec::new();
        let credential = Credential::security_token(&token, Fake::new()).unwrap();
        let credential = credential.with_delegation_token(&delegation).unwrap();
        texts.push(format!("{credential:?} {:?} {:?}", credential.key_id(), SecurityToken::parse(&token).unwrap()));
        texts.push(format!("{:?}", KeyId::new(&token).unwrap()));
        texts.push(format!("{:?}", KeyOptions::new().passphrase(passphrase.as_bytes())));

        let url = format!("https://h/p?{value}#{value}");
        let given = [("accept", &*value), ("content-type", &*value)];
        let request = Request::new("POST", &url).headers(&given).body(Body::Bytes(value.as_bytes()));
        let signed = sign(&request, &credential, NOW).unwrap();
        let prepared = prepare(&request, credential.key_id(), NOW).unwrap();
        texts.push(format!("{request:?} {signed:?} {prepared:?}"));
        let headers: Vec<(&str, &str)> = signed.headers().iter().map(|(n, v)| (*n, &**v)).collect();
        let received = Request::new("POST", &url).headers(&headers).body(request.body);
        texts.push(format!("{:?}", examine(&received, &VerifyOptions::new(), NOW).unwrap()));

        let config = format!("[DEFAULT]\npass_phrase={passphrase}\nuser={value}\n");
        texts.push(format!("{:?}", Profile::parse(&config, "DEFAULT").unwrap()));

        // Errors, each with a secret in what it is about.
        let cut = |text: &str| text[..cut.index(text.len())].to_owned();
        texts.extend(SecurityToken::parse(&format!("{token}.{token}")).err().map(|e| printed(&e)));
        texts.extend(SecurityToken::parse(&cut(&token)).err().map(|e| printed(&e)));
        texts.extend(KeyId::new(&format!("ST${token}\"")).err().map(|e| printed(&e)));
        texts.extend(KeyId::new("k").unwrap().with_delegation_token(&format!("{delegation}\u{1}")).err().map(|e| printed(&e)));
        texts.extend(Profile::parse(&format!("{config}{passphrase}\u{1}\n[").replace(['=', ':'], " "), "DEFAULT").err().map(|e| printed(&e)));
        texts.extend(Profile::parse(&format!("{config}{config}"), "DEFAULT").err().map(|e| printed(&e)));
        for headers in [
            [("content-type", &*format!("{value}\u{1}")), ("accept", "")],
            [("date", &*value), ("date", &*value)],
            [("content-length", &*value), ("accept", "")],
            [("x-content-sha256", &*value), ("accept", "")],
            [("opc-obo-token", &*delegation), ("accept", "")],
            [(&*format!("authorization: Bearer {value}"), ""), ("accept", "")],
            [("authorization", &*value), ("authorization", &*value)],
        ] {
            let request = Request::new("POST", &url).headers(&headers);
            let error = prepare(&request, credential.key_id(), NOW).unwrap_err();
            texts.push(printed(&error));
            texts.extend(examine(&request, &VerifyOptions::new(), NOW).err().map(|e| printed(&e)));
        }
        for url in [
            format!("https://user:{value}@h/"),
            format!("https://user:{value}?{value}@h/"),
            format!("https://user:{value}/{value}@h?a=@{value}"),
            format!("https://h/ {value}"),
            format!("{value}://h/"),
            format!("https://h\u{1}{value}/"),
            format!("https://h:{value}/"),
        ] {
            let request = Request::new("GET", &url);
            texts.push(format!("{request:?}"));
            texts.push(printed(&prepare(&request, credential.key_id(), NOW).unwrap_err()));
        }

        for text in &texts {
            for secret in secrets {
                // Any twelve characters of it would be too many.
                for part in secret.as_bytes().windows(12) {
                    let part = std::str::from_utf8(part).unwrap();
                    prop_assert!(!text.contains(part), "{part:?} is in {text:?}");
                }
            }
        }
    }

    #[test]
    fn no_byte_of_a_key_is_in_any_debug_or_display(line in 0..100_usize, put in "[ -~]", at: Index) {
        let key = &*REAL;
        let text = format!("{:?} {:?}", key.der, key.signing);
        let der = key.der.secret_pkcs1_der();
        // A broken key is an error, or the same key.
        let mut broken: Vec<String> = key.text.lines().map(str::to_owned).collect();
        let line = line % broken.len();
        let position = at.index(broken[line].len());
        broken[line].replace_range(position..=position, &put);
        let error = PrivateKeyDer::from_pem(&broken.join("\n"), &KeyOptions::new());
        let error = error.and_then(|der| RsaKey::new(&der)).err().map(|error| printed(&error));
        let text = text + error.as_deref().unwrap_or_default();
        for line in key.text.lines().filter(|line| !line.starts_with('-')) {
            for part in line.as_bytes().windows(12) {
                prop_assert!(!text.contains(std::str::from_utf8(part).unwrap()));
            }
        }
        let numbers: String = text.chars().filter(char::is_ascii_hexdigit).collect();
        let hex: String = der[300..].iter().flat_map(|byte| format!("{byte:02x}").into_bytes()).map(char::from).collect();
        for part in hex.as_bytes().windows(12) {
            prop_assert!(!numbers.contains(std::str::from_utf8(part).unwrap()));
        }
        let decimal = |from: usize| format!("{:?}", &der[from..from + 4]).trim_matches(['[', ']']).to_owned();
        prop_assert!((300..der.len() - 4).all(|from| !text.contains(&decimal(from))));
    }
}
