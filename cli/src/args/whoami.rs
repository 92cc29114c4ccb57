//! `ocisign whoami`.

use clap::Args as ClapArgs;

use super::{IdentityArgs, exit_codes};

/// Say which identity is used here, and why.
///
/// Gets a credential as the other commands do, which asks the metadata service and the
/// authentication service where the identity needs them. What it prints is no secret.
#[derive(ClapArgs)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WhoamiArgs {
    #[command(flatten)]
    pub(crate) identity: IdentityArgs,

    /// Print JSON
    #[arg(long)]
    pub(crate) json: bool,
}

const EXAMPLES: &str = concat!(
    "\
Examples:
  ocisign whoami
  ocisign whoami --auth instance_principal --json

",
    exit_codes!()
);
