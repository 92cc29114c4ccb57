//! `ocisign explain`: every verdict, good and bad.
#![allow(clippy::unwrap_used, clippy::panic)]

mod answer;
#[path = "../command/mod.rs"]
mod command;
mod credential;
mod form;
mod request;

use command::{Run, key, ocisign, ocisign_with_stdin};

const HOST: &str = "iaas.us-phoenix-1.oraclecloud.com";
const URL: &str = "https://iaas.us-phoenix-1.oraclecloud.com/20160918/vcns?limit=10";
const KEY_ID: &str = "ocid1.tenancy.oc1..aaaatenancy/ocid1.user.oc1..aaaauser/\
                      e2:be:6e:c2:61:b6:a0:e5:6b:3e:a9:03:8c:0a:28:ee";
const NOW: &str = "1704110645";
const DATE: &str = "Mon, 01 Jan 2024 12:04:05 GMT";

/// A request that was sent, and the arguments that tell of it.
struct Sent {
    method: &'static str,
    url: String,
    headers: Vec<String>,
    more: Vec<String>,
}

impl Sent {
    fn new(method: &'static str) -> Self {
        Self::signed(method, URL, KEY_ID, &[])
    }

    /// Signed by the command itself.
    fn signed(method: &'static str, url: &str, key_id: &str, more: &[&str]) -> Self {
        let key_file = key("test-key.pem");
        let mut args = vec!["sign", "--method", method, "--url", url, "--now", NOW];
        args.extend(["--key-id", key_id, "--key-file", &key_file]);
        args.extend(more);
        let headers = ocisign(&args).good().lines().map(str::to_owned).collect();
        Self { method, url: url.to_owned(), headers, more: vec![format!("--now={NOW}")] }
    }

    /// The same, with each header line through this; none where it gives none.
    fn map(mut self, change: impl Fn(&str) -> Option<String>) -> Self {
        self.headers = self.headers.iter().filter_map(|line| change(line)).collect();
        self
    }

    fn replace(self, from: &str, to: &str) -> Self {
        assert!(self.headers.iter().any(|line| line.contains(from)), "{from}");
        self.map(|line| Some(line.replace(from, to)))
    }

    fn without(self, name: &str) -> Self {
        self.map(|line| (line.split(':').next() != Some(name)).then(|| line.to_owned()))
    }

    fn header(mut self, line: &str) -> Self {
        self.headers.push(line.to_owned());
        self
    }

    fn url(mut self, url: &str) -> Self {
        url.clone_into(&mut self.url);
        self
    }

    fn with(mut self, more: &[&str]) -> Self {
        self.more.extend(more.iter().map(|arg| (*arg).to_owned()));
        self
    }

    fn with_key(self, name: &str) -> Self {
        let file = format!("--key-file={}", key(name));
        self.with(&[&file])
    }

    #[track_caller]
    fn explain(&self) -> Explained {
        let mut args = vec!["explain".to_owned(), format!("--method={}", self.method)];
        args.push(format!("--url={}", self.url));
        args.extend(self.headers.iter().map(|line| format!("--header={line}")));
        args.extend(self.more.iter().cloned());
        let args: Vec<&str> = args.iter().map(String::as_str).collect();
        explained(&ocisign(&args), &self.headers)
    }

    #[track_caller]
    fn says(&self, level: &str, check: &str, part: &str) {
        self.explain().says(level, check, part);
    }

    /// As on the wire.
    fn raw(&self, body: &str) -> String {
        let target = &self.url[self.url.match_indices('/').nth(2).unwrap().0..];
        let line = format!("{} {target} HTTP/1.1\r\n", self.method);
        self.headers.iter().fold(line, |text, line| text + line + "\r\n") + "\r\n" + body
    }
}

/// The lines that were printed.
struct Explained(Vec<(String, String, String)>);

/// Exit code and summary are those of the lines, and nothing secret is in them.
#[track_caller]
fn explained(run: &Run, headers: &[String]) -> Explained {
    assert_eq!(run.stderr, "", "{run:?}");
    let lines: Vec<_> = run
        .stdout
        .lines()
        .map(|line| {
            let (level, rest) = line.split_at(8);
            let (check, message) = rest.split_once(": ").unwrap();
            (level.trim().to_owned(), check.to_owned(), message.to_owned())
        })
        .collect();
    let bad = lines.iter().any(|line| line.0 == "bad");
    assert_eq!(run.code, if bad { 3 } else { 0 }, "{run:?}");
    let last = lines.last().unwrap();
    assert_eq!((&*last.1, last.0 == "bad"), ("summary", bad), "{run:?}");
    for (level, ..) in &lines {
        assert!(["bad", "note", "ok", "unknown"].contains(&&**level), "{run:?}");
    }
    no_secret(&run.stdout, headers);
    Explained(lines)
}

/// Of header values only those that may be shown, and of the key id no token.
#[track_caller]
fn no_secret(output: &str, headers: &[String]) {
    for line in headers {
        let (name, value) = line.split_once(':').unwrap();
        if ["date", "x-date", "host", "content-length", "content-type"].contains(&name.trim()) {
            continue;
        }
        for piece in value.split(['"', ',', ' ', '\n', '$']).filter(|piece| piece.len() > 20) {
            let shown = KEY_ID.contains(piece) || piece.contains("headers=");
            assert!(shown || !output.contains(piece), "{name} in {output}");
        }
    }
    for secret in ["test-passphrase", "BEGIN", "MII", "hunter2"] {
        assert!(!output.contains(secret), "{secret} in {output}");
    }
}

impl Explained {
    #[track_caller]
    fn says(&self, level: &str, check: &str, part: &str) {
        let found = self
            .0
            .iter()
            .any(|(have, of, message)| have == level && of == check && message.contains(part));
        assert!(found, "no `{level} {check}: {part}` in\n{self}");
    }

    #[track_caller]
    fn is_good(&self) {
        assert!(self.0.iter().all(|line| line.0 != "bad"), "{self}");
    }

    #[track_caller]
    fn blames(&self, check: &str) {
        self.says("bad", "summary", &format!("most likely {check}: "));
    }
}

impl std::fmt::Display for Explained {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|(level, check, what)| writeln!(f, "{level} {check}: {what}"))
    }
}

/// The verdicts on an answer alone.
#[track_caller]
fn answered(text: &str) -> Explained {
    explained(&ocisign_with_stdin(&["explain", "--response-file", "-"], text.as_bytes()), &[])
}

/// A token of the vectors.
fn token(id: &str) -> String {
    let cases = ocisign_vectors::cases(&["tokens.json"]);
    let case = cases.into_iter().find(|case| case["id"] == id).unwrap();
    case["token"].as_str().unwrap().to_owned()
}
