//! `ocisign request`: sign a request, send it, and pass the answer on.

use std::time::Duration;

use ocisign::Request;

use crate::args::SendArgs;
use crate::content::Content;
use crate::destination::{Destination, Readers};
use crate::failure::Failure;
use crate::http::{self, Answer, Client};
use crate::identity::Identity;
use crate::output::{Exit, SUCCESS, printable};
use crate::request;

/// Send, and write what comes back.
pub(crate) fn run(args: &SendArgs) -> Result<Exit, Failure> {
    let identity = Identity::new(&args.identity, None);
    let headers = request::pairs(&args.headers);
    let mut content = Content::open(args)?;
    // Before anything is sent: what was done cannot be undone for want of a place for its answer.
    let output = args.output.as_deref();
    let file = output.map(|path| Destination::open(Some(path), Readers::Usual)).transpose()?;
    let mut stdout = Destination::stdout()?;

    let url = if args.url.starts_with('/') {
        identity.endpoint(args.endpoint.as_deref(), args.service)? + &args.url
    } else if args.service.is_some() || args.endpoint.is_some() {
        let message = "with --service and --endpoint, the URL is a path, from its slash on";
        return Err(Failure::Refused { code: "INVALID_URL", message: message.to_owned() });
    } else {
        args.url.clone()
    };
    let body = content.measure(args.unsigned_body)?;
    let request = Request::new(&args.method, &url).headers(&headers).body(body);
    let client = Client::new(&identity, args.timeout.map(Duration::from_secs))?;
    let mut answer = client.send(&request, &mut content)?;

    if args.include {
        stdout.write(&head(&answer))?;
    }
    let status = answer.head.status;
    let mut destination = match file {
        Some(file) if status.is_success() => file,
        // The file stays as it was.
        _ => stdout,
    };
    let Answer { about, body, .. } = &mut answer;
    destination.copy(body, |error| http::broken(about, error))?;
    destination.finish()?;
    if status.is_success() { Ok(SUCCESS) } else { Err(unsuccessful(&answer)) }
}

/// Status and headers, and an empty line.
fn head(answer: &Answer) -> Vec<u8> {
    let mut text = format!("{:?} {}\n", answer.head.version, answer.head.status).into_bytes();
    for (name, value) in &answer.head.headers {
        text.extend([name.as_str().as_bytes(), b": ", value.as_bytes(), b"\n"].concat());
    }
    text.push(b'\n');
    text
}

fn unsuccessful(answer: &Answer) -> Failure {
    let location = answer.header("location").filter(|_| answer.head.status.is_redirection());
    let Some(location) = location else {
        return Failure::Answered { code: "HTTP_STATUS", message: answer.outcome() };
    };
    // What a query there holds is not for a log.
    let location = printable(location.split('?').next().unwrap_or_default());
    let message = format!(
        "{}: to {location}, which is not followed: the signature is for one host",
        answer.outcome()
    );
    Failure::Answered { code: "REDIRECT_NOT_FOLLOWED", message }
}
