//! By whom a request is to be signed.

use std::path::PathBuf;

use clap::Args as ClapArgs;
use clap::builder::PossibleValuesParser;
use ocisign::Kind;

/// The identity.
#[derive(ClapArgs)]
#[command(next_help_heading = "Identity")]
pub(crate) struct IdentityArgs {
    /// Kind of identity, as OCI_CLI_AUTH [default: whatever is here]
    #[arg(long, value_name = "KIND", value_parser = kinds())]
    #[arg(conflicts_with_all = ["profile", "config"])]
    pub(crate) auth: Option<String>,

    /// Profile of the configuration file; it says its kind itself
    #[arg(long, value_name = "NAME")]
    pub(crate) profile: Option<String>,

    /// Configuration file [default: $OCI_CLI_CONFIG_FILE, else ~/.oci/config]
    ///
    /// Without --profile, its profile is $OCI_CLI_PROFILE or DEFAULT.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
}

fn kinds() -> PossibleValuesParser {
    let kinds = [
        Kind::ApiKey,
        Kind::SessionToken,
        Kind::InstancePrincipal,
        Kind::ResourcePrincipal,
        Kind::WorkloadIdentity,
    ];
    PossibleValuesParser::new(kinds.map(Kind::name))
}
