//! Oracle's published GET and POST, signed by the native core, by the component
//! in wasmtime and by the command line. Run by `cargo xtask demo`.
#![allow(clippy::print_stdout, reason = "this talks to a person")]

use std::error::Error;
use std::process::Command;
use std::time::{Duration, Instant};

use ocisign::{
    Body as CoreBody, Credential, KeyId, KeyOptions, NativeKey, PrivateKeyDer,
    Request as CoreRequest, sign,
};
use ocisign_host_test::{Body, CredentialsError, Fixed, Header, KeyMaterial, Request, Signer, get};
use ocisign_vectors::{cases, key_path};
use serde_json::Value;

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result {
    println!(
        "\nOracle's documentation, \"Request Signatures\", prints two requests with their signatures."
    );
    for case in cases(&["published.json"]).iter().filter(|case| case["source"] == "oracle-docs") {
        let published = Published::of(case)?;
        println!("\n{} {}", published.method, published.url);
        println!("  {:<30} {}", "Oracle prints", published.signature);
        for (name, signed) in [
            ("the native core", in_the_core(&published)?),
            ("`ocisign.wasm` in wasmtime", in_the_component(&published)?),
            ("the command `ocisign sign`", by_the_command(&published)?),
        ] {
            let (authorization, took) = signed;
            if authorization != published.authorization {
                return Err(format!(
                    "{name}: {authorization}\nexpected: {}",
                    published.authorization
                )
                .into());
            }
            let signature = signature_of(&authorization);
            println!("  {name:<30} {signature}  {:.2} ms", took.as_secs_f64() * 1_000.0);
        }
        println!("  the whole header:\n  authorization: {}", published.authorization);
    }
    println!(
        "\nAll six are Oracle's, byte for byte. The times are of a debug build of ocisign, and the"
    );
    println!("first signature each: docs/benchmarks.md has those of a release build.");
    Ok(())
}

/// A published request, and the header that Oracle's documentation prints.
struct Published {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: String,
    key_id: String,
    key_file: String,
    pem: String,
    signature: String,
    authorization: String,
}

impl Published {
    fn of(case: &Value) -> Result<Self> {
        let (request, credential) = (&case["request"], &case["credential"]);
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let key = key_path(&credential["key"]);
        let headers = ocisign_vectors::headers(case);
        Ok(Self {
            method: text(&request["method"]),
            url: text(&request["url"]),
            headers: ocisign_vectors::headers(request),
            body: text(&request["body"]["text"]),
            key_id: text(&credential["key_id"]),
            pem: std::fs::read_to_string(&key)?,
            key_file: key.display().to_string(),
            signature: text(&case["signature"]),
            authorization: headers.into_iter().next_back().ok_or("no header is expected")?.1,
        })
    }
}

fn in_the_core(published: &Published) -> Result<(String, Duration)> {
    // Oracle's example key has 1,024 bits.
    let options = KeyOptions::new().danger_allow_weak_key(true);
    let key = NativeKey::new(&PrivateKeyDer::from_pem(&published.pem, &options)?)?;
    let credential = Credential::new(KeyId::new(&published.key_id)?, key);
    let headers: Vec<(&str, &str)> =
        published.headers.iter().map(|(name, value)| (&**name, &**value)).collect();
    let request = CoreRequest::new(&published.method, &published.url)
        .headers(&headers)
        .body(CoreBody::Bytes(published.body.as_bytes()));
    let start = Instant::now();
    let signed = sign(&request, &credential, 0)?;
    Ok((signed.authorization().to_owned(), start.elapsed()))
}

fn in_the_component(published: &Published) -> Result<(String, Duration)> {
    let mut signer = Signer::new(Fixed(Err(CredentialsError::NotConfigured)))?;
    let key = KeyMaterial {
        key_id: published.key_id.clone(),
        private_key: published.pem.clone(),
        passphrase: None,
        delegation_token: None,
        expires: None,
        blinding_seed: None,
        danger_allow_weak_key: true,
    };
    let header =
        |(name, value): &(String, String)| Header { name: name.clone(), value: value.clone() };
    let request = Request {
        method: published.method.clone(),
        headers: published.headers.iter().map(header).collect(),
        body: Body::Text(published.body.clone()),
        ..get(&published.url)
    };
    let start = Instant::now();
    let signed = signer.sign_with(&request, &key, 0)?.map_err(|error| error.message)?;
    let authorization = signed.into_iter().next_back().ok_or("no header came back")?.value;
    Ok((authorization, start.elapsed()))
}

fn by_the_command(published: &Published) -> Result<(String, Duration)> {
    let mut command = Command::new(std::env::var("OCISIGN")?);
    command.args(["sign", "--method", &published.method, "--url", &published.url]);
    for (name, value) in &published.headers {
        command.args(["--header", &format!("{name}: {value}")]);
    }
    let body = std::env::temp_dir().join(format!("ocisign-demo-{}", std::process::id()));
    std::fs::write(&body, &published.body)?;
    command.arg("--body-file").arg(&body);
    command.args([
        "--key-id",
        &published.key_id,
        "--key-file",
        &published.key_file,
        "--allow-weak-key",
    ]);
    let start = Instant::now();
    let output = command.output();
    let took = start.elapsed();
    std::fs::remove_file(&body)?;
    let output = output?;
    let printed = String::from_utf8(output.stdout)?;
    let header = printed.lines().find_map(|line| line.strip_prefix("authorization: "));
    Ok((header.ok_or(String::from_utf8(output.stderr)?)?.to_owned(), took))
}

fn signature_of(authorization: &str) -> &str {
    authorization.rsplit("signature=\"").next().unwrap_or_default().trim_end_matches('"')
}
