//! What `ocisign explain` takes. The doc comments are the help.
#![allow(clippy::doc_markdown)] // help is no Markdown

use std::path::{Path, PathBuf};

use clap::error::ErrorKind;
use clap::{ArgGroup, Args as ClapArgs, CommandFactory};

use crate::args::{ContentArgs, exit_codes, header};

/// Say why a request was refused, as far as that can be checked.
///
/// Give the request as it was sent, or the answer that came, or better both: the
/// answer's date shows what is wrong with a clock. With the key too, the signature
/// itself is checked.
///
/// Prints a line for each thing checked: ok, bad, note or unknown, the name of the
/// check, and a sentence. The last line names the most likely cause. No token, key or
/// signature is printed.
#[derive(ClapArgs)]
#[command(after_help = EXAMPLES, override_usage = USAGE)]
#[command(group = ArgGroup::new("evidence").required(true).multiple(true).args([
    "code", "method", "url", "headers", "request_file", "status", "response_headers",
    "response_body_file", "response_file",
]))]
pub(crate) struct ExplainArgs {
    /// Say what a code or a reason means: of ocisign, or of OCI
    #[arg(long, exclusive = true)]
    pub(crate) code: Option<String>,

    /// Method, in any case
    #[arg(long, help_heading = "Request")]
    pub(crate) method: Option<String>,

    /// Absolute URL, as it was meant
    #[arg(long, help_heading = "Request")]
    pub(crate) url: Option<String>,

    #[command(flatten)]
    pub(crate) content: ContentArgs,

    /// File with the request as it was sent; `-` is standard input
    ///
    /// HTTP/1.1 as on the wire, or what `curl -v` prints: then its lines with `>` count.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "headers"])]
    #[arg(help_heading = "Request")]
    pub(crate) request_file: Option<PathBuf>,

    /// Status of the answer
    #[arg(long, help_heading = "Answer", value_parser = clap::value_parser!(u16).range(100..600))]
    pub(crate) status: Option<u16>,

    /// Header of the answer; may be given again
    #[arg(long = "response-header", value_name = "NAME: VALUE", value_parser = header)]
    #[arg(help_heading = "Answer")]
    pub(crate) response_headers: Vec<(String, String)>,

    /// File with the body of the answer; `-` is standard input
    #[arg(long, value_name = "FILE", help_heading = "Answer")]
    pub(crate) response_body_file: Option<PathBuf>,

    /// File with the whole answer; `-` is standard input
    ///
    /// As `curl -i` prints it, or `curl -v`: then its lines with `<` count. It may be the
    /// same file as the request's.
    #[arg(long, value_name = "FILE", help_heading = "Answer")]
    #[arg(conflicts_with_all = ["status", "response_headers", "response_body_file"])]
    pub(crate) response_file: Option<PathBuf>,

    /// Key of the signer, RSA, in PEM: the private or the public one
    #[arg(long, value_name = "FILE", help_heading = "Key")]
    pub(crate) key_file: Option<PathBuf>,

    /// File with the passphrase of the private key
    #[arg(long, value_name = "FILE", requires = "key_file", help_heading = "Key")]
    pub(crate) passphrase_file: Option<PathBuf>,

    /// Time at which the request was sent, in seconds since 1970
    ///
    /// For want of an answer that tells it. Without either, this machine's clock is asked.
    #[arg(long, value_name = "UNIX", help_heading = "Answer")]
    pub(crate) now: Option<u64>,

    /// Print JSON: an array of verdict, check, message
    #[arg(long, help_heading = "Output")]
    pub(crate) json: bool,
}

impl ExplainArgs {
    /// What clap cannot say: standard input can be read as one thing only, or as a
    /// transcript that holds both request and answer.
    pub(crate) fn check(&self) -> Result<(), clap::Error> {
        let dash = |path: &Option<PathBuf>| path.as_deref() == Some(Path::new("-"));
        let files = [&self.content.body_file, &self.response_body_file];
        let files = files.into_iter().filter(|path| dash(path)).count();
        let transcript = dash(&self.request_file) || dash(&self.response_file);
        if files + usize::from(transcript) > 1 {
            let message = "standard input can be one file only";
            return Err(crate::args::Args::command().error(ErrorKind::ArgumentConflict, message));
        }
        Ok(())
    }
}

const USAGE: &str = "ocisign explain [REQUEST] [ANSWER] [KEY] [--json]
       ocisign explain --code <CODE>";

const EXAMPLES: &str = concat!(
    "\
Examples:
  What curl said of its request and of the answer, in one file:
    ocisign sign … | curl -v --path-as-is --globoff -H @- \"$url\" > transcript 2>&1
    ocisign explain --request-file transcript --response-file transcript \\
      --url \"$url\" --key-file key.pem

  The answer alone:
    curl -i \"$url\" | ocisign explain --response-file -

  A code:
    ocisign explain --code EXPIRED

",
    exit_codes!()
);
