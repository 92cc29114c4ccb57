//! The answer, and the clock by it.

use crate::command::{file, ocisign};
use crate::{DATE, Sent, answered, explained};

#[test]
fn the_status_is_said_with_what_it_means() {
    for (status, code, part) in [
        (401, "NotAuthenticated", "401 NotAuthenticated: who asks could not be told"),
        (404, "NotAuthorizedOrNotFound", "a policy is missing, or the OCID, the compartment"),
        (409, "IncorrectState", "409 IncorrectState: "),
        (429, "TooManyRequests", "429 TooManyRequests: "),
        (500, "InternalServerError", "the service failed"),
        (400, "Unheard", "400 Unheard: the request reached the service"),
        (407, "", "407: a proxy"),
        (302, "", "302: a redirect"),
        (599, "", "599: the service failed"),
    ] {
        let json = format!("{{\"code\":\"{code}\",\"message\":\"hunter2\"}}");
        let body = if code.is_empty() { "" } else { &*json };
        let head = format!("HTTP/1.1 {status} X\r\nopc-request-id: hunter2\r\n\r\n");
        let explained = answered(&(head + body));
        explained.says("note", "status", part);
        explained.says("note", "status", "quote it in a request for support");
    }
    answered("HTTP/2 200\r\nx: y\r\n\r\n").says("ok", "status", "200: the request was accepted");
    answered("HTTP/1.1 401 X\r\nserver: y\r\n\r\n").says("note", "status", "no opc-request-id");
    answered("hunter2").says("unknown", "status", "no status");
}

#[test]
fn the_answer_is_read_in_every_form_in_which_it_comes() {
    let json = "{\"code\": \"NotAuthenticated\",\n \"message\": \"m\"}";
    for text in [
        format!("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 401 Unauthorized\r\na: b\r\n\r\n{json}"),
        format!(
            "* Trying\n> GET / HTTP/2\n>\n< HTTP/2 401 \n< a: b\n< \n{{ [9 bytes data]\n{json}* Connection #0 left\n"
        ),
        format!(
            "> GET / HTTP/1.1\r\n> \r\n< HTTP/1.1 307 X\r\n< \r\n< HTTP/1.1 401 X\r\n< \r\n{json}\n"
        ),
        "{'status': 401, 'code': 'NotAuthenticated', 'message': 'm'}".to_owned(),
        "Service error:NotAuthenticated. m. http status code: 401".to_owned(),
        "{\"status\":401,\"code\":\"NotAuthenticated\"}".to_owned(),
    ] {
        answered(&text).says("note", "status", "401 NotAuthenticated: ");
    }
    let directory = tempfile::tempdir().unwrap();
    let body = format!("--response-body-file={}", file(&directory, "body", json));
    let given = ["explain", "--status=401", "--response-header=a: b", &body];
    explained(&ocisign(&given), &[]).says("note", "status", "401 NotAuthenticated: ");
    ocisign(&["explain", "--status", "99"]).usage();
}

#[test]
fn the_summary_of_an_answer_says_where_to_look() {
    let sent = |status| Sent::new("GET").with_key("test-key.pem").with(&[status]);
    sent("--status=401").says("note", "summary", "not subscribed to this region");
    sent("--status=404").says("note", "summary", "dynamic group");
    sent("--status=503").says("note", "summary", "nor does the status say so");
    sent("--status=200").says("ok", "summary", "accepted");
    let without_key = Sent::new("GET").with(&["--status=401"]);
    without_key.says("note", "summary", "what is unknown above may be");
    without_key.says("unknown", "key", "give --key-file");
    answered("HTTP/1.1 401 X\r\n\r\n").says("note", "summary", "give the request too");
}

#[test]
fn the_clock_is_judged_by_what_tells_most() {
    let at = |date: &str| {
        let header = format!("--response-header=Date: {date}");
        Sent::new("GET").with(&["--status=401", &header])
    };
    at("Mon, 01 Jan 2024 12:09:05 GMT").says("ok", "clock", "5 minutes behind the answer's date");
    at("Mon, 01 Jan 2024 11:59:05 GMT").says("ok", "clock", "5 minutes ahead of");
    let late = at("Mon, 01 Jan 2024 12:09:06 GMT").explain();
    late.says("bad", "clock", "set the signer's clock forward");
    late.blames("clock");
    at("Mon, 01 Jan 2024 11:50:05 GMT").says("bad", "clock", "14 minutes ahead of the answer's");
    at("Mon, 01 Jan 2024 11:50:05 GMT").says("bad", "clock", "set the signer's clock back");
    at("Mon, 01 Jan 2024 10:04:01 GMT").says("bad", "clock", "looks like local time");
    at("yesterday").says("ok", "clock", "the time given");

    let text = format!(
        "{{\"code\":\"NotAuthenticated\",\"message\":\"Date '{}' is not within allowed clock skew. \
         Current 'Mon, 01 Jan 2024 14:23:55 UTC', valid datetime range: ['Mon, 01 Jan 2024 \
         14:18:55 UTC', 'Mon, 01 Jan 2024 14:28:56 UTC']\"}}",
        DATE.replace("GMT", "UTC"),
    );
    let alone = answered(&text);
    alone.says("bad", "clock", "2 hours behind the server's time in the answer's text");
    alone.blames("clock");
    let directory = tempfile::tempdir().unwrap();
    let body = format!("--response-body-file={}", file(&directory, "body", &text));
    Sent::new("GET").with(&[&body]).says("bad", "clock", "2 hours behind the server's time");
    let date = format!("--response-header=date: {DATE}");
    Sent::new("GET").with(&[&body, &date]).says("bad", "clock", "the answer says that the date");

    let mut sent = Sent::new("GET");
    sent.more.clear();
    sent.says("unknown", "clock", "only the Date header of the answer tells");
    sent.with(&["--now=1704110000"]).says("bad", "clock", "10 minutes ahead of the time given");
    Sent::new("GET").without("date").says("unknown", "clock", "neither date nor x-date");
}

#[test]
fn a_date_in_another_form_is_told() {
    for (date, part) in [
        ("Mon, 01 Jan 2024 12:04:05 UTC", "says UTC"),
        ("2024-01-01T12:04:05Z", "ISO 8601"),
        ("Mon, 01 Jan 2024 12:04:05 +0000", "offset"),
        ("Mon, 1 Jan 2024 12:04:05 GMT", "cannot be read"),
        ("", "is empty"),
    ] {
        Sent::new("GET").replace(DATE, date).says("bad", "clock", part);
    }
}
