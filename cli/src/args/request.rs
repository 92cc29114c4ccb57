//! `ocisign request`.

use std::path::PathBuf;

use clap::{ArgGroup, Args as ClapArgs};
use ocisign::Service;

use super::{IdentityArgs, header};

/// Sign a request, send it, and print the answer.
///
/// The body of the answer goes to standard output as it comes, whatever the status is.
/// No redirect is followed: the signature is for one host.
///
/// A 401 is answered once with another signature, if something about it can be mended: a
/// credential that is renewed, a clock that is wrong.
#[derive(ClapArgs)]
#[command(after_help = EXAMPLES)]
#[command(group = ArgGroup::new("content").args(["data", "data_file"]))]
#[command(group = ArgGroup::new("relative").args(["service", "endpoint"]))]
pub(crate) struct SendArgs {
    /// Method
    #[arg(value_name = "METHOD", value_parser = method)]
    pub(crate) method: String,

    /// Absolute URL, already percent-encoded; a path with --service or --endpoint
    #[arg(value_name = "URL")]
    pub(crate) url: String,

    #[command(flatten)]
    pub(crate) identity: IdentityArgs,

    /// Service in the identity's region: iaas, identity, objectstorage, secrets
    #[arg(long, value_name = "NAME", value_parser = service, help_heading = "Request")]
    pub(crate) service: Option<Service>,

    /// What stands before a URL that is a path [default: $OCI_CLI_ENDPOINT]
    #[arg(long, value_name = "URL", help_heading = "Request")]
    pub(crate) endpoint: Option<String>,

    /// Header of the request; may be given again
    #[arg(long = "header", value_name = "NAME: VALUE", value_parser = header)]
    #[arg(help_heading = "Request")]
    pub(crate) headers: Vec<(String, String)>,

    /// Body: this text, the file behind an @, or `-` for standard input
    #[arg(long, value_name = "TEXT|@FILE|-", help_heading = "Request")]
    #[arg(allow_hyphen_values = true)]
    pub(crate) data: Option<String>,

    /// File with the body; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Request")]
    pub(crate) data_file: Option<PathBuf>,

    /// Leave the body out of the signature
    ///
    /// Then standard input is sent as it comes, without limit. OCI accepts this for some
    /// uploads only, as PutObject and UploadPart, which want a content-length.
    #[arg(long, help_heading = "Request")]
    pub(crate) unsigned_body: bool,

    /// Seconds for the whole request [default: none, but 60 without a byte]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    #[arg(help_heading = "Request")]
    pub(crate) timeout: Option<u64>,

    /// File for the body of a good answer
    ///
    /// It appears when the answer is whole. Other answers go to standard output.
    #[arg(long, value_name = "FILE", help_heading = "Answer")]
    pub(crate) output: Option<PathBuf>,

    /// Print status and headers of the answer first
    #[arg(long, help_heading = "Answer")]
    pub(crate) include: bool,
}

fn method(text: &str) -> Result<String, &'static str> {
    let method = text.to_ascii_uppercase();
    if method == "CONNECT" { Err("it has no path that could be signed") } else { Ok(method) }
}

fn service(text: &str) -> Result<Service, &'static str> {
    Ok(match text {
        "iaas" => Service::Iaas,
        "identity" => Service::Identity,
        "objectstorage" => Service::ObjectStorage,
        "secrets" => Service::Secrets,
        _ => return Err("not one of iaas, identity, objectstorage, secrets"),
    })
}

const EXAMPLES: &str = "\
Examples:
  ocisign request GET /20160918/regions --service identity

  ocisign request PUT \"$bucket/o/backup.tar\" --data-file backup.tar --unsigned-body

  ocisign request GET \"$bucket/o/backup.tar\" --output backup.tar

Exit codes:
  0  good: the answer's status is 2xx
  1  refused, invalid, or no whole answer; standard error says `ocisign: CODE: reason`
  2  wrong usage
  3  another status; its body is printed, and standard error says which it is";
