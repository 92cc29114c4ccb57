//! What can be written on the command line. The doc comments are the help.
#![allow(clippy::doc_markdown)] // help is no Markdown

use std::ffi::OsString;
use std::path::PathBuf;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use clap::{ArgGroup, Args as ClapArgs, Parser, Subcommand};

mod identity;
mod request;
mod secret;
mod whoami;

pub(crate) use identity::IdentityArgs;
pub(crate) use request::SendArgs;
pub(crate) use secret::{SecretArgs, SecretCommand, SecretGetArgs};
pub(crate) use whoami::WhoamiArgs;

use crate::explain::ExplainArgs;

/// Signs requests to Oracle Cloud Infrastructure (OCI), and verifies them.
#[derive(Parser)]
#[command(name = "ocisign", version, max_term_width = 100, after_help = EXIT_CODES)]
pub(crate) struct Args {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    Emulate(EmulateArgs),
    Explain(ExplainArgs),
    Request(SendArgs),
    Secret(SecretArgs),
    Sign(SignArgs),
    Verify(VerifyArgs),
    Whoami(WhoamiArgs),
}

/// Be OCI's identity plane on loopback, for tests and laptops.
///
/// Starts the program ocisign-emulator, to which all arguments go: its own --help
/// says which there are.
#[derive(ClapArgs)]
#[command(disable_help_flag = true, after_help = EMULATE_EXAMPLE)]
pub(crate) struct EmulateArgs {
    /// What ocisign-emulator is told
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGUMENTS")]
    _args: Vec<OsString>,
}

/// Print the headers that sign a request.
///
/// The credential is one of: an API key or another key with its id (--key-id), a
/// session or resource principal token (--token-file), or a profile (--profile).
/// Without any it is the identity that is here: `ocisign whoami` says which.
///
/// The request is signed exactly as given, so it has to be sent exactly so: the
/// same method, URL, host and body.
#[derive(ClapArgs)]
#[command(after_help = SIGN_EXAMPLES)]
#[command(group = ArgGroup::new("named").args(["key_id", "token_file"]))]
#[command(group = ArgGroup::new("credential").args(["key_id", "token_file", "profile"]))]
pub(crate) struct SignArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,

    #[command(flatten)]
    pub(crate) identity: IdentityArgs,

    /// Key id: <tenancy>/<user>/<fingerprint>, or ST$<token>; sent as it is
    #[arg(long, value_name = "ID", requires = "key_file", help_heading = "Credential")]
    #[arg(conflicts_with_all = ["auth", "config"])]
    pub(crate) key_id: Option<String>,

    /// File with a session or resource principal token
    ///
    /// The token has to belong to the private key: its claim `jwk` says which.
    #[arg(long, value_name = "FILE", requires = "key_file", help_heading = "Credential")]
    #[arg(conflicts_with_all = ["auth", "config"])]
    pub(crate) token_file: Option<PathBuf>,

    /// Private key, RSA, in PEM
    #[arg(long, value_name = "FILE", requires = "named", help_heading = "Credential")]
    #[arg(conflicts_with_all = ["auth", "config", "profile"])]
    pub(crate) key_file: Option<PathBuf>,

    /// File with the passphrase of the private key
    ///
    /// One line end at its end is dropped. It goes before the profile's own.
    #[arg(long, value_name = "FILE", requires = "credential", help_heading = "Credential")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// File with the delegation token (opc-obo-token) of a user to act for
    ///
    /// It goes before the profile's own.
    #[arg(long, value_name = "FILE", requires = "credential", help_heading = "Credential")]
    pub(crate) delegation_token_file: Option<PathBuf>,

    /// Take an RSA key of 1,024 to 2,047 bits; such keys can be broken
    #[arg(long, requires = "credential", help_heading = "Credential")]
    pub(crate) allow_weak_key: bool,

    /// Time of signing, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX", help_heading = "Signature")]
    pub(crate) now: Option<u64>,

    /// Sign `x-date` in place of `date`
    #[arg(long, help_heading = "Signature")]
    pub(crate) x_date: bool,

    /// Print JSON: headers, signed_headers, signing_string, signature, authorization
    #[arg(long, help_heading = "Signature")]
    pub(crate) json: bool,
}

/// Check a signed request with a public key.
///
/// Give the request as it arrived, with its headers, `authorization` among them.
/// Prints `valid`, or says on standard error which check failed.
///
/// Checked are the form of `authorization`, that all is signed that has to be,
/// host, date (five minutes either way), length and digest of the body, and the
/// signature.
#[derive(ClapArgs)]
#[command(after_help = VERIFY_EXAMPLES)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    pub(crate) request: RequestArgs,

    /// Public key of the signer, RSA, in PEM
    #[arg(long, value_name = "FILE", help_heading = "Verification")]
    pub(crate) public_key_file: PathBuf,

    /// Host that has to be signed; without it, any is accepted
    ///
    /// Nothing else in a signature names the receiver.
    #[arg(long, value_name = "HOST", help_heading = "Verification")]
    pub(crate) expected_host: Option<String>,

    /// Take an RSA key of 1,024 to 2,047 bits; such keys can be broken
    #[arg(long, help_heading = "Verification")]
    pub(crate) allow_weak_key: bool,

    /// Time of receipt, in seconds since 1970 [default: now]
    #[arg(long, value_name = "UNIX", help_heading = "Verification")]
    pub(crate) now: Option<u64>,

    /// Print JSON: valid, key_id
    #[arg(long, help_heading = "Verification")]
    pub(crate) json: bool,
}

/// The request itself.
#[derive(ClapArgs)]
#[command(next_help_heading = "Request")]
pub(crate) struct RequestArgs {
    /// Method, in any case
    #[arg(long)]
    pub(crate) method: String,

    /// Absolute URL, already percent-encoded
    #[arg(long)]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) content: ContentArgs,
}

/// What stands below the request line.
#[derive(ClapArgs)]
#[command(next_help_heading = "Request")]
#[command(group = ArgGroup::new("body").args(["body_file", "body_sha256", "unsigned_body"]))]
pub(crate) struct ContentArgs {
    /// Header of the request; may be given again
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    pub(crate) headers: Vec<(String, String)>,

    /// File with the body, of any size; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub(crate) body_file: Option<PathBuf>,

    /// SHA-256 of a body that is not at hand, in base64
    #[arg(long, value_name = "BASE64", value_parser = sha256, requires = "body_length")]
    pub(crate) body_sha256: Option<[u8; 32]>,

    /// Length of that body in bytes
    #[arg(long, value_name = "BYTES", requires = "body_sha256")]
    #[arg(conflicts_with_all = ["body_file", "unsigned_body"])]
    pub(crate) body_length: Option<u64>,

    /// Leave the body out of the signature
    ///
    /// OCI accepts this for some uploads only, as PutObject and UploadPart.
    #[arg(long)]
    pub(crate) unsigned_body: bool,
}

pub(crate) fn header(text: &str) -> Result<(String, String), &'static str> {
    let (name, value) = text.split_once(':').ok_or("no `:`")?;
    Ok((name.to_owned(), value.to_owned()))
}

fn sha256(text: &str) -> Result<[u8; 32], &'static str> {
    let bytes = STANDARD.decode(text).ok().and_then(|bytes| bytes.try_into().ok());
    bytes.ok_or("not 32 bytes in base64")
}

macro_rules! exit_codes {
    () => {
        "\
Exit codes:
  0  good
  1  refused or invalid; standard error says `ocisign: CODE: reason`
  2  wrong usage
  3  `explain` found a cause

Nothing is printed on standard output unless the exit code is 0 or 3."
    };
}
pub(crate) use exit_codes;

const EXIT_CODES: &str = concat!(exit_codes!(), "\n`ocisign request` has more: see its help.");

const EMULATE_EXAMPLE: &str = "\
Example:
  ocisign emulate --resource-principal -- python3 function.py";

const SIGN_EXAMPLES: &str = concat!(
    "\
Examples:
  With the identity that is here:
    ocisign sign --method GET --url \"$url\" | curl --path-as-is --globoff -H @- \"$url\"

  With a profile of ~/.oci/config:
    ocisign sign --method GET --url \"$url\" --profile DEFAULT |
      curl --path-as-is --globoff -H @- \"$url\"

  With an API key and a body:
    ocisign sign --method POST --url \"$url\" --body-file body.json \\
      --key-id \"$tenancy/$user/$fingerprint\" --key-file key.pem |
      curl --path-as-is --globoff -H @- --data-binary @body.json \"$url\"

Headers that are neither signed nor set are not printed: give them to curl too.

",
    exit_codes!()
);

const VERIFY_EXAMPLES: &str = concat!(
    "\
Example:
  ocisign verify --method GET --url https://api.example.com/path \\
    --header 'date: Sun, 05 Jan 2014 21:31:40 GMT' --header 'host: api.example.com' \\
    --header \"authorization: $authorization\" \\
    --public-key-file signer.pub.pem --expected-host api.example.com

",
    exit_codes!()
);
