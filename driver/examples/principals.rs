//! A function and an instance of OCI, on this machine: the emulator gives them their
//! identities, and rotates one of them under load. Run by `cargo xtask demo`.
#![allow(clippy::print_stdout, reason = "this talks to a person")]

use std::error::Error;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign::{Environment, InstanceSource, Request, ResourceSource, Signer};
use ocisign_emulator::{Config, Emulator, ResourcePrincipal};
use serde_json::Value;

type Result<T = ()> = std::result::Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Result {
    let listen = "127.0.0.1:0".parse()?;
    let mut config = Config { listen, tls_listen: listen, ..Config::default() };
    config.lifetimes.resource = 3;
    config.files.rotate = Some(1);
    let (tenancy, secret) = (config.tenancy.id.clone(), first_secret(&config)?);
    let emulator = Emulator::start(config)?;
    println!("\nThe emulator is OCI's identity plane at {}.", emulator.url());

    let variables = emulator.environment(Some(ResourcePrincipal::V2_2));
    let function = Signer::builder(ResourceSource::new()).environment(Environment::of(variables));
    let function = function.build();
    println!("\nA function, by the two files that the platform writes:");
    introduce(&function)?;
    let body = get(&emulator, &function, &format!("/20160918/tenancies/{tenancy}"))?;
    println!("  its tenancy is called {}", body["name"]);
    let body = get(&emulator, &function, &format!("/20190301/secretbundles/{secret}"))?;
    let content = body["secretBundleContent"]["content"].as_str().unwrap_or_default();
    println!("  a secret that it may read has {} bytes", STANDARD.decode(content)?.len());

    let variables = emulator.environment(None);
    let instance = Signer::builder(InstanceSource::new()).environment(Environment::of(variables));
    let instance = instance.build();
    println!("\nAn instance, by its certificate from the metadata service and federation:");
    introduce(&instance)?;
    let regions = get(&emulator, &instance, "/20160918/regions")?;
    println!("  it reads the regions: {}", regions[0]["name"]);

    rotate_under_load(&emulator, &function)
}

fn introduce(signer: &Signer) -> Result {
    let start = Instant::now();
    let identity = signer.identity()?;
    let took = start.elapsed().as_secs_f64() * 1_000.0;
    println!("  {} ({}), in {took:.0} ms", identity.kind.name(), identity.origin);
    Ok(())
}

/// Four threads call as the function, whose token lives for three seconds and is replaced
/// every second.
fn rotate_under_load(emulator: &Emulator, function: &Signer) -> Result {
    println!(
        "\nThe function's token and key, replaced every second under the load of four threads:"
    );
    let (good, bad) = (AtomicU64::new(0), AtomicU64::new(0));
    let first = function.status().generation;
    let end = Instant::now() + Duration::from_secs(6);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while Instant::now() < end {
                    let called = get(emulator, function, "/20160918/regions");
                    if let Err(error) = &called
                        && bad.fetch_add(1, Ordering::Relaxed) == 0
                    {
                        println!("  {error}; {:?}", function.status());
                    }
                    good.fetch_add(called.is_ok().into(), Ordering::Relaxed);
                }
            });
        }
    });
    let (good, bad) = (good.into_inner(), bad.into_inner());
    let rotations = function.status().generation - first;
    println!("  {good} requests accepted, {bad} refused, {rotations} rotations");
    if bad > 0 || rotations == 0 || good == 0 {
        return Err("a rotation under load went wrong".into());
    }
    Ok(())
}

/// A signed GET, whose answer has to be 200 and JSON.
fn get(emulator: &Emulator, signer: &Signer, path: &str) -> Result<Value> {
    let url = [&emulator.url(), path].concat();
    let mut request = ureq::get(&url);
    for (name, value) in signer.sign(&Request::new("GET", &url))? {
        request = request.header(name, value);
    }
    let body = request.call()?.body_mut().read_to_vec()?;
    Ok(serde_json::from_slice(&body)?)
}

fn first_secret(config: &Config) -> Result<String> {
    Ok(config.secrets.first().ok_or("the emulator has no secret")?.id.clone())
}
