//! Reading tokens, profiles and regions.

use alloc::string::{String, ToString};
use alloc::vec::Vec;

use ocisign_core::{Profile, Region, RegionSources, SecurityToken, Service};

use crate::Component;
use crate::bindings::exports::ocisign::signing::reading::{
    self as wit, Guest, RegionSources as Sources, SecurityToken as Token, Service as WitService,
};
use crate::bindings::types::Error;
use crate::convert;

impl Guest for Component {
    fn read_security_token(text: String) -> Result<Token, Error> {
        let token = SecurityToken::parse(&text)?;
        Ok(Token {
            key_id: token.key_id()?.as_str().into(),
            expires: token.expires(),
            session_key: token.session_key().map(|key| wit::PublicKey {
                modulus: convert::encode(key.modulus()),
                exponent: convert::encode(key.exponent()),
            }),
        })
    }

    fn read_profile(text: String, name: String) -> Result<Vec<(String, String)>, Error> {
        let profile = Profile::parse(&text, &name)
            .map_err(|error| Error::from_core(error.code(), error.to_string()))?;
        let value = |key: &str| profile.get(key).unwrap_or_default().into();
        Ok(profile.keys().map(|key| (key.into(), value(key))).collect())
    }

    fn read_region(name: String, sources: Sources) -> Result<wit::Region, Error> {
        Ok(region_of(&region(&name, &sources)?))
    }

    fn endpoint(name: String, service: WitService, sources: Sources) -> Result<String, Error> {
        let region = region(&name, &sources)?;
        Ok(region.endpoint(match service {
            WitService::Auth => Service::Auth,
            WitService::Iaas => Service::Iaas,
            WitService::Identity => Service::Identity,
            WitService::ObjectStorage => Service::ObjectStorage,
            WitService::Secrets => Service::Secrets,
        }))
    }
}

pub(crate) fn region_of(region: &Region) -> wit::Region {
    wit::Region {
        id: region.id().into(),
        realm: region.realm().map(Into::into),
        domain: region.domain().into(),
    }
}

fn region(name: &str, sources: &Sources) -> Result<Region, Error> {
    let mut known = RegionSources::default();
    known.regions_config = sources.regions_config.as_deref();
    known.region_metadata = sources.region_metadata.as_deref();
    known.default_domain = sources.default_domain.as_deref();
    Region::lookup(name, &known).map_err(|error| Error::from_core(error.code(), error.to_string()))
}
