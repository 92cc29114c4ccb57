//! The message: headers, body, date, host, method, target.

use ocisign::Body;
use ring::digest::{SHA256, SHA512, digest};

use crate::client::{
    Parameters, body_digest, changed, hex, http_date, with, with_body, with_parameter, without,
};
use crate::wire::Wire;
use crate::{BODY, Base, Case, NOW, Stage};

pub(super) fn dropped(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        for header in base.headers().iter().map(String::as_str).chain(["authorization"]) {
            let name = format!("{} without {header}", base.name);
            let request = without(&base.request, header);
            cases.push(match header {
                "authorization" => Case::new(name, request, "there is no authorization"),
                // Without a length there is no body, and in it the certificate.
                "content-length" if request.target == "/v1/x509" => {
                    Case::new(name, request, "the body is no JSON").with_status(400)
                }
                "host" => Case::new(name, request, "the host is none of the emulator's"),
                _ => Case::new(name, request, "is signed and not there"),
            });
        }
    }
    cases
}

/// All but `content-length`: twice the same is once, and two are no HTTP.
pub(super) fn doubled(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let headers = base.headers();
        let headers = headers.iter().map(String::as_str).filter(|name| *name != "content-length");
        for header in headers.chain(["authorization"]) {
            let value = base.request.header(header);
            let other = changed(value, value.len() - 2);
            for (what, value) in [("the same", value), ("another", &other)] {
                let name = format!("{} {header}, and {what} after it", base.name);
                let request = with(&base.request, header, value);
                cases.push(Case::new(name, request, "is there twice"));
            }
            let mut before = base.request.clone();
            before.headers.insert(0, (header.to_owned(), other));
            let reason = if header == "host" { "the host is none" } else { "is there twice" };
            cases.push(Case::new(format!("{} {header} after another", base.name), before, reason));
        }
    }
    cases
}

/// All but `content-length`, which is among the bodies.
pub(super) fn changed_bytes(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        for header in base.headers().iter().filter(|name| *name != "content-length") {
            let value = base.request.header(header);
            for at in [0, value.len() / 3, value.len() / 2, value.len() - 1] {
                let request = base.request.clone().set(header, changed(value, at));
                cases.push(Case::new(format!("{} {header} at {at}", base.name), request, ""));
            }
        }
    }
    cases
}

/// The signature is right, but is over too little.
pub(super) fn unsigned(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let names = base.names();
        for left_out in &names {
            if base.request.target == "/v1/x509" && left_out == "host" {
                // Not signed by three SDKs either.
                continue;
            }
            let rest: Vec<&str> =
                names.iter().filter(|name| *name != left_out).map(String::as_str).collect();
            let request = base.who.sign_again(&base.request, &rest.join(" "));
            let name = format!("{} {left_out} not signed", base.name);
            cases.push(Case::new(name, request, "is not signed"));
        }
    }
    cases
}

/// The signature is over the lines in their old order.
pub(super) fn reordered(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let names = base.names();
        let swapped = (1..names.len()).map(|at| {
            let mut names = names.clone();
            names.swap(at - 1, at);
            names
        });
        let mut orders: Vec<Vec<String>> = swapped.collect();
        orders.push(names.iter().rev().cloned().collect());
        for by in [1, names.len() - 1] {
            let mut names = names.clone();
            names.rotate_left(by);
            orders.push(names);
        }
        for order in orders.iter().map(|names| names.join(" ")) {
            let request = with_parameter(&base.request, "headers", &order);
            let name = format!("{} {order}", base.name);
            cases.push(Case::new(name, request, "the signature is not over this request"));
        }
    }
    cases
}

pub(super) fn misnamed(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let names = base.names().join(" ");
        let signed = |names: &str| base.who.sign_again(&base.request, names);
        let absent = "is signed and not there";
        for (name, request, reason) in [
            ("a name twice", signed(&format!("{names} date")), "`date` is signed twice"),
            ("a header that is not there", signed(&format!("{names} x-other")), absent),
            ("two blanks", signed(&names.replacen(' ', "  ", 1)), absent),
            ("a blank at the end", signed(&format!("{names} ")), absent),
            (
                "names with commas",
                signed(&names.replace(' ', ",")),
                "authorization has an open quote",
            ),
            ("no names", with_parameter(&base.request, "headers", ""), "is not signed"),
            ("only the date", signed("date"), "is not signed"),
        ] {
            cases.push(Case::new(format!("{} {name}", base.name), request, reason));
        }
    }
    cases
}

pub(super) fn bodies(stage: &Stage) -> Vec<Case> {
    let posts = stage.bases().into_iter().filter(|base| base.request.target == "/echo");
    posts
        .flat_map(|base| other_bodies(&base).into_iter().chain(lengths_and_digests(&base)))
        .collect()
}

/// Another body than was signed, its length told right.
fn other_bodies(base: &Base<'_>) -> Vec<Case> {
    let text = std::str::from_utf8(BODY).unwrap();
    let mut bodies: Vec<(String, String)> = [0, 7, BODY.len() / 2, BODY.len() - 1]
        .iter()
        .map(|&at| (format!("byte {at} changed"), changed(text, at)))
        .collect();
    for (name, body) in [
        ("truncated", text[..text.len() - 1].to_owned()),
        ("extended", format!("{text}\n")),
        ("extended in front", format!(" {text}")),
        ("none", String::new()),
        ("another", "{}".to_owned()),
        ("twice", text.repeat(2)),
    ] {
        bodies.push((name.to_owned(), body));
    }
    let mut cases = Vec::new();
    for (name, body) in bodies {
        let request = with_body(&base.request, body.as_str());
        let same_length = body.len() == BODY.len();
        let digest = request.clone().set("x-content-sha256", body_digest(body.as_bytes()));
        let name = format!("{} body {name}", base.name);
        // The header is signed with its old value, and its new value is the body's.
        let not_signed = "the signature is not over this request";
        cases.push(Case::new(format!("{name}, digest too"), digest, not_signed));
        let names = base.names().join(" ");
        let length = if same_length { request } else { base.who.sign_again(&request, &names) };
        cases.push(Case::new(name, length, "x-content-sha256 is not the body's"));
    }
    cases
}

/// What is signed says something else of the body.
fn lengths_and_digests(base: &Base<'_>) -> Vec<Case> {
    let names = base.names().join(" ");
    let request = &base.request;
    let signed =
        |name: &str, value: String| base.who.sign_again(&request.clone().set(name, value), &names);
    let sha256 = hex(digest(&SHA256, BODY).as_ref());
    let sha512 = hex(digest(&SHA512, BODY).as_ref());
    let right = body_digest(BODY);
    let mut cases = Vec::new();
    for (name, value) in [
        ("digest of another body", body_digest(b"another body")),
        ("digest of no body", body_digest(b"")),
        ("digest in hex", sha256),
        ("digest of another kind", sha512),
        ("digest without padding", right.trim_end_matches('=').to_owned()),
        ("digest of zeros", format!("{}=", "A".repeat(43))),
        ("digest in two", format!("{right}, {right}")),
        ("digest empty", String::new()),
    ] {
        let request = signed("x-content-sha256", value);
        let name = format!("{} {name}", base.name);
        cases.push(Case::new(name, request, "x-content-sha256 is not the body's"));
    }
    for (name, value) in [
        ("length one more", BODY.len() + 1),
        ("length one less", BODY.len() - 1),
        ("length none", 0),
    ] {
        let signed = base.who.sign_as_if(request, &names, "content-length", &value.to_string());
        let name = format!("{} {name}, as signed", base.name);
        cases.push(Case::new(name, signed, "the signature is not over this request"));
    }
    let less = (BODY.len() - 1).to_string();
    let padded = format!("0{}", BODY.len());
    let chunks = format!("{:x}\r\n{}\r\n0\r\n\r\n", BODY.len(), std::str::from_utf8(BODY).unwrap());
    let chunked = Wire { body: chunks.into(), ..with(request, "transfer-encoding", "chunked") };
    for (name, request, reason) in [
        ("length less", signed("content-length", less), "x-content-sha256 is not the body's"),
        (
            "length with a zero",
            signed("content-length", padded),
            "content-length is not the body's",
        ),
        ("in chunks", chunked, "`content-length` is signed and not there"),
    ] {
        cases.push(Case::new(format!("{} {name}", base.name), request, reason));
    }
    cases
}

/// Signed as they stand. A second more than five minutes has a test of its own.
pub(super) fn dates(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases().iter().filter(|base| base.request.method == "GET") {
        let names = base.names().join(" ");
        let x_names = names.replace("date", "x-date");
        let signed =
            |date: &str| base.who.sign_again(&base.request.clone().set("date", date), &names);
        let outside = "the date is outside of the window";
        for (name, at) in [
            ("an hour ago", NOW - 3_600),
            ("in an hour", NOW + 3_600),
            ("a day ago", NOW - 86_400),
            ("in 1970", 0),
            ("as Oracle published it", 1_388_957_500),
            ("in 2100", 4_102_444_800),
        ] {
            let request = signed(&http_date(at));
            cases.push(Case::new(format!("{} {name}", base.name), request, outside));
            let x_date = with(&base.request, "x-date", &http_date(at));
            let name = format!("{} x-date {name}", base.name);
            cases.push(Case::new(name, base.who.sign_again(&x_date, &x_names), outside));
        }
        let now = http_date(NOW);
        for (name, date) in [
            ("of RFC 850", "Sunday, 15-Jun-25 15:06:40 GMT".to_owned()),
            ("of asctime", "Sun Jun 15 15:06:40 2025".to_owned()),
            ("of RFC 3339", "2025-06-15T15:06:40Z".to_owned()),
            ("in seconds", NOW.to_string()),
            ("with an offset", now.replace("GMT", "+0000")),
            ("in UTC", now.replace("GMT", "UTC")),
            ("without a zone", now.replace(" GMT", "")),
            ("without a weekday", now[5..].to_owned()),
            ("with a sign", now.replace(" 2025", " +2025")),
            ("empty", String::new()),
            ("twice in one", format!("{now}, {now}")),
        ] {
            let name = format!("{} {name}", base.name);
            cases.push(Case::new(name, signed(&date), "the date is no date"));
        }
        let beside = with(&base.request, "x-date", &now);
        let both = base.who.sign_again(&beside, &format!("{names} x-date"));
        let old = both.clone().set("date", http_date(0));
        let names =
            ("x-date beside date, not signed", "x-date changed", "date beside x-date changed");
        let not_over = "the signature is not over this request";
        cases.push(Case::new(
            format!("{} {}", base.name, names.0),
            beside,
            "`x-date` is not signed",
        ));
        let later = both.set("x-date", http_date(NOW + 60));
        cases.push(Case::new(format!("{} {}", base.name, names.1), later, not_over));
        cases.push(Case::new(format!("{} {}", base.name, names.2), old, not_over));
    }
    cases
}

pub(super) fn hosts(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    let port = stage.host.rsplit(':').next().unwrap();
    let own = "iaas.us-ashburn-1.oraclecloud.com";
    for base in stage.bases() {
        let names = base.names().join(" ");
        let none = "the host is none of the emulator's";
        for host in [
            "",
            "127.0.0.1",
            "127.0.0.1:1",
            "example.com",
            "identity.us-ashburn-1.oraclecloud.com",
            &format!("{own}.example.com"),
            &format!("x.{own}"),
            &format!("{}.example.com", stage.host),
            &format!("user@{}", stage.host),
            &format!("{}, example.com", stage.host),
        ] {
            let request = base.request.clone().set("host", host);
            let signed = base.who.sign_again(&request, &names);
            cases.push(Case::new(format!("{} for `{host}`", base.name), signed, none));
        }
        let not_over = "the signature is not over this request";
        for host in [own, &format!("localhost:{port}"), &format!("[::1]:{port}")] {
            let request = base.request.clone().set("host", host);
            cases.push(Case::new(format!("{} sent to `{host}`", base.name), request, not_over));
            let signed = base.who.sign_as_if(&base.request, &names, "host", host);
            cases.push(Case::new(format!("{} signed for `{host}`", base.name), signed, not_over));
        }
        // RFC 9112, section 3.2.2: the host of an absolute target counts, not the header.
        for host in ["example.com", own, &format!("localhost:{port}")] {
            let target = format!("http://{host}{}", base.request.target);
            let name = format!("{} to {target}", base.name);
            cases.push(Case::new(name, Wire { target, ..base.request.clone() }, ""));
        }
    }
    cases
}

pub(super) fn methods(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases().iter().filter(|base| base.request.target != "/v1/x509") {
        for method in ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "GETS"]
        {
            if method == base.request.method {
                continue;
            }
            let request = Wire { method: method.into(), ..base.request.clone() };
            // Some ask for more to be signed, which is seen first.
            let writes = ["POST", "PUT", "PATCH"].contains(&method);
            let reason = match base.request.method.as_str() {
                "POST" => "the signature is not over this request",
                "PUT" | "GET" if !writes => "the signature is not over this request",
                _ => "`content-length` is not signed",
            };
            cases.push(Case::new(format!("{} as {method}", base.name), request, reason));
        }
        // RFC 9110, section 9.1: "The method token is case-sensitive".
        let method = base.request.method.to_lowercase();
        let request = Wire { method: method.clone(), ..base.request.clone() };
        let name = format!("{} as {method}", base.name);
        // In whatever case, it writes: where nothing is, its body has to be signed.
        cases.push(match method.as_str() {
            "put" => Case::new(name, request, "`content-length` is not signed"),
            _ => Case::new(name, request, "there is nothing of this method").with_status(404),
        });
    }
    cases
}

pub(super) fn targets(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    let tenancy = stage.tenancy.as_str();
    let dots = tenancy.replace('.', "%2E");
    for base in stage.bases() {
        let path = base.request.target.split('?').next().unwrap();
        let mut targets = vec![
            format!("{path}/"),
            format!("/{path}"),
            format!("{path}?"),
            format!("{path}?a=b"),
            path.to_uppercase().replace("/N/", "/n/"),
            format!("{path}x"),
            format!("/.{path}"),
            format!("/%{:02x}{}", path.as_bytes()[1], &path[2..]),
        ];
        if base.request.target.contains('?') {
            targets.extend([
                path.to_owned(),
                format!("{path}?limit=10&compartmentId={tenancy}"),
                format!("{path}?compartmentId={tenancy}&limit=11"),
                format!("{path}?compartmentId={tenancy}&limit=1"),
                format!("{path}?compartmentId={tenancy}&limit=10&page=2"),
                format!("{path}?compartmentId={tenancy}&limit=10&"),
                format!("{path}?&compartmentId={tenancy}&limit=10"),
                format!("{path}?compartmentId={tenancy}"),
                format!("{path}?compartmentId={tenancy}&limit=%310"),
                format!("{path}?compartmentId={dots}&limit=10"),
                format!("{path}?compartmentid={tenancy}&limit=10"),
                format!("{path}?compartmentId={tenancy}&&limit=10"),
                format!("{path}?compartmentId={tenancy}&limit=10&limit=10"),
            ]);
        }
        targets.retain(|target| *target != base.request.target);
        for target in targets {
            let name = format!("{} to {target}", base.name);
            let request = Wire { target, ..base.request.clone() };
            // Elsewhere than the objects a body has to be signed, and than at the federation
            // nobody has a certificate for a key.
            let reason = if path == "/v1/x509" { "" } else { "sign" };
            cases.push(Case::new(name, request, reason));
        }
    }
    cases
}

pub(super) fn delegation(stage: &Stage) -> Vec<Case> {
    let mut cases = Vec::new();
    for base in stage.bases() {
        let names = format!("{} opc-obo-token", base.names().join(" "));
        let beside = with(&base.request, "opc-obo-token", "a.b.c");
        let signed = base.who.sign_again(&beside, &names);
        let not_over = "the signature is not over this request";
        let twice = "`opc-obo-token` is there twice";
        let absent = "`opc-obo-token` is signed and not there";
        for (name, request, reason) in [
            ("not signed", beside, "`opc-obo-token` is not signed"),
            ("changed", signed.clone().set("opc-obo-token", "a.b.d"), not_over),
            ("emptied", signed.clone().set("opc-obo-token", ""), not_over),
            ("doubled", with(&signed, "opc-obo-token", "a.b.c"), twice),
            ("dropped", without(&signed, "opc-obo-token"), absent),
        ] {
            cases.push(Case::new(format!("{} {name}", base.name), request, reason));
        }
    }
    cases
}

pub(super) fn equal(stage: &Stage) -> Vec<(String, Wire)> {
    let mut equal = Vec::new();
    for base in stage.bases() {
        let name = |what: &str| format!("{} {what}", base.name);
        let mut upper = base.request.clone();
        for header in &mut upper.headers {
            header.0 = header.0.to_uppercase();
        }
        equal.push((name("with names of headers in upper case"), upper));
        let target = format!("http://{}{}", stage.host, base.request.target);
        equal.push((name("with an absolute target"), Wire { target, ..base.request.clone() }));
        let date = base.request.header("date");
        let blanks = base.request.clone().set("date", format!("  {date}\t "));
        equal.push((name("with blanks around a value"), blanks));
        if base.request.headers.iter().any(|header| header.0 == "content-length") {
            let length = base.request.header("content-length");
            equal.push((
                name("with its length twice"),
                with(&base.request, "content-length", length),
            ));
        }
        let names = base.names();
        let reversed: Vec<&str> = names.iter().rev().map(String::as_str).collect();
        let signed = base.who.sign_again(&base.request, &reversed.join(" "));
        equal.push((name("signed in another order"), signed));
        let more = with(&base.request, "x-other", "value");
        let parameters = Parameters::of(&more);
        let more_names = format!("{} x-other", parameters.get("headers"));
        equal.push((name("with a header more"), more.clone()));
        equal.push((name("with a header more signed"), base.who.sign_again(&more, &more_names)));
        let beside = with(&base.request, "opc-obo-token", "a.b.c");
        let delegated = format!("{} opc-obo-token", names.join(" "));
        equal.push((name("delegated"), base.who.sign_again(&beside, &delegated)));
    }
    for who in stage.callers() {
        let request = who.request(&stage.host, "POST", "/echo", Body::Empty);
        equal.push((format!("{} POST without a body", who.name), with_body(&request, "")));
    }
    equal
}
