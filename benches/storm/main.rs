//! `ocisign` in a storm of refreshes: `storm SECONDS THREADS`, in the emulator's environment.
//!
//! The same as `storm.py`, which has Oracle's SDK do it: every thread signs as the same instance,
//! again and again, and verifies what it got with the key that the token itself names, by
//! AWS-LC and none of our code. One line of JSON says how that went.
#![allow(clippy::print_stdout)]

use std::collections::BTreeMap;
use std::error::Error;
use std::thread;
use std::time::{Duration, Instant};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use ocisign::{Request, Signed, Signer};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let seconds: f64 = arguments.next().ok_or("SECONDS is missing")?.parse()?;
    let threads: usize = arguments.next().ok_or("THREADS is missing")?.parse()?;
    let signer = Signer::instance_principal();
    signer.warm()?;
    let end = Instant::now() + Duration::from_secs_f64(seconds);
    let mut all = Counts::default();
    thread::scope(|scope| {
        // Oracle's SDK refreshes a minute before a token ends, which is every other second by the
        // lives of this storm. Ours would be content with half of them: so it is made to.
        scope.spawn(|| {
            while Instant::now() < end {
                let _ = signer.refresh();
                thread::sleep(
                    Duration::from_secs(1).min(end.saturating_duration_since(Instant::now())),
                );
            }
        });
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(|| work(&signer, end))).collect();
        for counts in workers.into_iter().filter_map(|worker| worker.join().ok()) {
            all.good += counts.good;
            all.mismatched += counts.mismatched;
            all.longest = all.longest.max(counts.longest);
            for (kind, count) in counts.errors {
                *all.errors.entry(kind).or_default() += count;
            }
        }
    });
    let said = json!({
        "signer": concat!("ocisign ", env!("CARGO_PKG_VERSION")),
        "signed": all.good + all.mismatched,
        "good": all.good,
        "mismatched": all.mismatched,
        "errors": all.errors.values().sum::<u64>(),
        "longest_ms": u64::try_from(all.longest.as_millis())?,
        "kinds": all.errors,
    });
    println!("{said}");
    Ok(())
}

#[derive(Default)]
struct Counts {
    good: u64,
    mismatched: u64,
    errors: BTreeMap<&'static str, u64>,
    longest: Duration,
}

fn work(signer: &Signer, end: Instant) -> Counts {
    let mut counts = Counts::default();
    while Instant::now() < end {
        let start = Instant::now();
        let signed = signer.sign(&Request::new("GET", URL));
        counts.longest = counts.longest.max(start.elapsed());
        match signed {
            Ok(signed) if verifies(&signed) == Some(true) => counts.good += 1,
            Ok(_) => counts.mismatched += 1,
            Err(error) => {
                *counts.errors.entry(error.code()).or_default() += 1;
                // A caller that was refused does something else first.
                thread::sleep(Duration::from_millis(10));
            }
        }
    }
    counts
}

/// Whether the key in the token made the signature, as OCI finds out.
fn verifies(signed: &Signed) -> Option<bool> {
    let headers = signed.headers();
    let parameters = headers.authorization().strip_prefix("Signature ")?;
    let parameter = |wanted: &str| {
        let pairs = parameters.split(',').filter_map(|pair| pair.split_once('='));
        let mut found = pairs.filter(|(name, _)| *name == wanted);
        found.next().map(|(_, value)| value.trim_matches('"'))
    };
    let (authority, target) = URL.strip_prefix("https://")?.split_once('/')?;
    let lines = parameter("headers")?.split(' ').map(|name| {
        let value = match name {
            "(request-target)" => format!("get /{target}"),
            "host" => authority.to_owned(),
            name => headers.get(name)?.to_owned(),
        };
        Some(format!("{name}: {value}"))
    });
    let text = lines.collect::<Option<Vec<_>>>()?.join("\n");
    let claims = URL_SAFE_NO_PAD.decode(parameter("keyId")?.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    let jwk: Value = serde_json::from_str(claims.get("jwk")?.as_str()?).ok()?;
    let number = |name| URL_SAFE_NO_PAD.decode(jwk.get(name)?.as_str()?).ok();
    let key = RsaPublicKeyComponents { n: number("n")?, e: number("e")? };
    let signature = STANDARD.decode(parameter("signature")?).ok()?;
    Some(key.verify(&RSA_PKCS1_2048_8192_SHA256, text.as_bytes(), &signature).is_ok())
}

const URL: &str = "https://identity.us-ashburn-1.oci.oraclecloud.com/20160918/regions";
