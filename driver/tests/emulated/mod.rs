//! The emulator, signers that live by its environment, and requests to it.
#![allow(dead_code)] // each test file uses its own part

use ocisign::{Environment, Kind, Request, Signed, Signer, SignerBuilder, SignerError, Source};
use ocisign_emulator::{Config, Emulator, ResourcePrincipal};

pub(crate) struct Emulated {
    pub(crate) emulator: Emulator,
    pub(crate) acting: Option<ResourcePrincipal>,
}

impl Emulated {
    pub(crate) fn start(config: Config) -> Self {
        let listen = "127.0.0.1:0".parse().unwrap();
        let config = Config { listen, tls_listen: listen, ..config };
        Self { emulator: Emulator::start(config).unwrap(), acting: None }
    }

    /// The environment of a program that runs in it, with variables of one's own last.
    pub(crate) fn environment(&self, more: &[(&str, &str)]) -> Environment {
        let mut variables = self.emulator.environment(self.acting);
        variables.push((
            "OCI_DEFAULT_CERTS_PATH".into(),
            self.emulator.file("ca.pem").display().to_string(),
        ));
        variables.extend(more.iter().map(|(name, value)| ((*name).into(), (*value).into())));
        Environment::of(variables)
    }

    pub(crate) fn builder(&self, source: impl Source + 'static) -> SignerBuilder {
        Signer::builder(source).environment(self.environment(&[]))
    }

    /// What the emulator answers to a signed GET of this path.
    pub(crate) fn get(&self, signer: &Signer, path: &str) -> Result<(u16, Signed), SignerError> {
        let url = [&self.emulator.url(), path].concat();
        let signed = signer.sign(&Request::new("GET", &url))?;
        Ok((send(&url, &signed), signed))
    }

    /// How often something was asked.
    pub(crate) fn count(&self, method: &str, path: &str) -> usize {
        let log = self.emulator.log();
        log.iter().filter(|entry| entry.method == method && entry.path == path).count()
    }

    /// Who the last caller was.
    pub(crate) fn caller(&self) -> String {
        let log = self.emulator.log();
        log.last().and_then(|entry| entry.caller.clone()).unwrap_or_default()
    }
}

pub(crate) fn send(url: &str, signed: &Signed) -> u16 {
    let agent =
        ureq::Agent::config_builder().http_status_as_error(false).proxy(None).build().new_agent();
    let mut request = agent.get(url);
    for (name, value) in signed.headers().headers() {
        request = request.header(*name, value);
    }
    request.call().unwrap().status().as_u16()
}

pub(crate) fn kind(signer: &Signer) -> Kind {
    signer.identity().unwrap().kind
}
