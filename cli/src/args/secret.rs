//! `ocisign secret`.

use std::path::PathBuf;

use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args as ClapArgs, Subcommand};

use super::{IdentityArgs, exit_codes};

/// Read secrets of OCI Vault.
#[derive(ClapArgs)]
pub(crate) struct SecretArgs {
    #[command(subcommand)]
    pub(crate) command: SecretCommand,
}

#[derive(Subcommand)]
pub(crate) enum SecretCommand {
    Get(SecretGetArgs),
}

/// Print a secret: its bytes, decoded, and nothing else.
///
/// 429 and 5xx are asked again, three times at most.
#[derive(ClapArgs)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("which").args(["id", "name"]).required(true))]
pub(crate) struct SecretGetArgs {
    /// OCID of the secret
    #[arg(value_name = "OCID")]
    pub(crate) id: Option<String>,

    /// Name of the secret, in place of its OCID
    #[arg(long, requires = "vault", help_heading = "Secret")]
    pub(crate) name: Option<String>,

    /// OCID of the vault in which the name is
    #[arg(long, value_name = "OCID", requires = "name", conflicts_with = "id")]
    #[arg(help_heading = "Secret")]
    pub(crate) vault: Option<String>,

    /// Version [default: the current one]
    #[arg(long, value_name = "NUMBER", conflicts_with = "stage", help_heading = "Secret")]
    pub(crate) version_number: Option<u64>,

    /// Stage of the version
    #[arg(long, value_parser = stages(), ignore_case = true, help_heading = "Secret")]
    pub(crate) stage: Option<String>,

    #[command(flatten)]
    pub(crate) identity: IdentityArgs,

    /// Where the service answers [default: $OCI_CLI_ENDPOINT, else the identity's region]
    #[arg(long, value_name = "URL", help_heading = "Secret")]
    pub(crate) endpoint: Option<String>,

    /// File for the secret, for its owner alone; it appears when all is good
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(crate) output: Option<PathBuf>,

    /// Add a line end
    #[arg(long, help_heading = "Output")]
    pub(crate) newline: bool,
}

fn stages() -> PossibleValuesParser {
    PossibleValuesParser::new(["CURRENT", "PENDING", "LATEST", "PREVIOUS", "DEPRECATED"])
}

const EXAMPLES: &str = concat!(
    "\
Examples:
  password=$(ocisign secret get ocid1.vaultsecret.oc1.iad.example)

  ocisign secret get --name tls.key --vault \"$vault\" --stage PREVIOUS --output tls.key

",
    exit_codes!()
);
