//! A region on the first line, region metadata on the second, regions-config below.
#![no_main]

use libfuzzer_sys::fuzz_target;
use ocisign_core::{Region, RegionSources, Service};

fuzz_target!(|input: &str| {
    let mut lines = input.splitn(3, '\n');
    let name = lines.next().unwrap_or_default();
    let mut sources = RegionSources::default();
    sources.region_metadata = lines.next();
    sources.regions_config = lines.next();
    for sources in [RegionSources::default(), sources] {
        let Ok(region) = Region::lookup(name, &sources) else { continue };
        for service in [
            Service::Auth,
            Service::Iaas,
            Service::Identity,
            Service::ObjectStorage,
            Service::Secrets,
        ] {
            let endpoint = region.endpoint(service);
            let host = endpoint.strip_prefix("https://").expect("https");
            let legal = |byte: u8| {
                byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte)
            };
            assert!(host.bytes().all(legal) && host.contains(region.id()));
        }
    }
});
