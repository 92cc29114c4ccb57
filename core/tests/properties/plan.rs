//! Requests to sign, made of everything that can be signed.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{
    Body, Credential, DateHeader, KeyId, Request, SignedHeaders, VerifyError, VerifyOptions, sign,
    verify,
};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use sha2::{Digest, Sha256};

use crate::NOW;
use crate::keys::Fake;

/// A request to sign, and with what.
#[derive(Clone, Debug)]
pub(crate) struct Plan {
    pub(crate) method: String,
    /// Scheme and authority.
    pub(crate) origin: String,
    /// Path and query, as they stand in the URL.
    pub(crate) target: String,
    pub(crate) fragment: String,
    pub(crate) given: Vec<(String, String)>,
    pub(crate) body: OwnedBody,
    pub(crate) date_header: DateHeader,
    pub(crate) key_id: String,
    pub(crate) delegation: Option<String>,
}

impl Plan {
    pub(crate) fn key_id(&self) -> KeyId {
        let key_id = KeyId::new(&self.key_id).unwrap();
        match &self.delegation {
            Some(token) => key_id.with_delegation_token(token).unwrap(),
            None => key_id,
        }
    }

    pub(crate) fn credential(&self) -> Credential {
        Credential::new(self.key_id(), Fake::new())
    }

    pub(crate) fn with_request<T>(&self, test: impl FnOnce(Request<'_>) -> T) -> T {
        let url = [&*self.origin, &*self.target, &*self.fragment].concat();
        let headers: Vec<(&str, &str)> = self.given.iter().map(|(n, v)| (&**n, &**v)).collect();
        let request = Request::new(&self.method, &url).headers(&headers);
        test(request.body(self.body.as_body()).date_header(self.date_header))
    }

    /// Sign it, and send it as a client does.
    pub(crate) fn sign(&self) -> (Received, SignedHeaders) {
        let credential = self.credential();
        let signed = self.with_request(|request| sign(&request, &credential, NOW).unwrap());
        let mut headers = self.given.clone();
        headers.retain(|(name, _)| signed.get(&name.to_ascii_lowercase()).is_none());
        headers.extend(
            signed.headers().iter().map(|(name, value)| ((*name).to_owned(), value.clone())),
        );
        let received = Received {
            method: self.method.clone(),
            url: [&*self.origin, &*self.target].concat(),
            headers,
            body: self.body.clone(),
        };
        (received, signed)
    }
}

/// A request as it arrives.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) method: String,
    pub(crate) url: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: OwnedBody,
}

impl Received {
    pub(crate) fn verify(&self, options: &VerifyOptions<'_>) -> Result<(), VerifyError> {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(n, v)| (&**n, &**v)).collect();
        let request = Request::new(&self.method, &self.url).headers(&headers);
        verify(&request.body(self.body.as_body()), &Fake::new(), options, NOW)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|header| header.0.eq_ignore_ascii_case(name))
            .map(|header| &*header.1)
    }

    pub(crate) fn header_mut(&mut self, name: &str) -> &mut String {
        let found = self.headers.iter_mut().find(|header| header.0.eq_ignore_ascii_case(name));
        &mut found.unwrap().1
    }
}

#[derive(Clone, Debug)]
pub(crate) enum OwnedBody {
    Bytes(Vec<u8>),
    Digest([u8; 32], u64),
    Empty,
    Unsigned,
}

impl OwnedBody {
    fn as_body(&self) -> Body<'_> {
        match *self {
            Self::Bytes(ref bytes) => Body::Bytes(bytes),
            Self::Digest(sha256, length) => Body::Digest { sha256, length },
            Self::Empty => Body::Empty,
            Self::Unsigned => Body::Unsigned,
        }
    }

    fn measure(&self) -> (u64, [u8; 32]) {
        match *self {
            Self::Bytes(ref bytes) => (bytes.len() as u64, Sha256::digest(bytes).into()),
            Self::Digest(sha256, length) => (length, sha256),
            Self::Empty | Self::Unsigned => (0, Sha256::digest(b"").into()),
        }
    }
}

pub(crate) fn plan() -> impl Strategy<Value = Plan> {
    let origin = (select(&["http", "https", "HTTPS", "hTtP"][..]), host(), port());
    let origin = origin.prop_map(|(scheme, host, port)| format!("{scheme}://{host}{port}"));
    // Every printable byte but `#`.
    let target = prop_oneof![
        4 => "/[!-\"$-~]{0,40}",
        1 => "/[!-\"$->@-~]{0,20}\\?([a-z]=[!-\"$-~]{0,5}&?){0,6}",
        1 => "\\?[!-\"$-~]{0,20}",
        1 => Just(String::new()),
    ];
    let fragment = prop_oneof![3 => Just(String::new()), 1 => "#[!-~]{0,8}"];
    let key_id = prop_oneof![
        "ocid1[.]tenancy[.]oc1[.][.][a-z]{4}/ocid1[.]user[.]oc1[.][.][a-z]{4}/[0-9a-f]{2}",
        "ST\\$[A-Za-z0-9._-]{1,60}",
        "[!#-\\[\\]-~]{1,20}"
    ];
    let what = (method(), origin, target, fragment, body());
    let who = (
        key_id,
        option::of("[!-~]([ -~]{0,30}[!-~])?"),
        select(&[DateHeader::Date, DateHeader::XDate][..]),
    );
    (what, who, given()).prop_map(|(what, who, given)| {
        let (method, origin, target, fragment, body) = what;
        let (key_id, delegation, date_header) = who;
        let given = given.headers(&body);
        Plan { method, origin, target, fragment, given, body, date_header, key_id, delegation }
    })
}

fn method() -> impl Strategy<Value = String> {
    let known = select(
        &["GET", "get", "HEAD", "DELETE", "OPTIONS", "POST", "post", "Put", "PATCH", "pAtCh"][..],
    );
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,12}"]
}

fn host() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "[A-Za-z0-9_.~-]{1,30}",
        1 => "[A-Za-z0-9%!$&'()*+,;=]{1,20}",
        1 => any::<std::net::Ipv4Addr>().prop_map(|address| address.to_string()),
        1 => any::<std::net::Ipv6Addr>().prop_map(|address| format!("[{address}]")),
    ]
}

fn port() -> impl Strategy<Value = String> {
    prop_oneof![3 => Just(String::new()), 1 => Just(":".to_owned()), 2 => any::<u16>().prop_map(|port| format!(":{port}")), 1 => select(&[":80", ":443"][..]).prop_map(str::to_owned)]
}

fn body() -> impl Strategy<Value = OwnedBody> {
    prop_oneof![
        Just(OwnedBody::Empty),
        vec(any::<u8>(), 0..80).prop_map(OwnedBody::Bytes),
        any::<([u8; 32], u64)>().prop_map(|(sha256, length)| OwnedBody::Digest(sha256, length)),
        Just(OwnedBody::Unsigned),
    ]
}

/// The headers of a caller.
#[derive(Clone, Debug)]
struct Given {
    unsigned: Vec<(String, String)>,
    date: Option<u64>,
    x_date: Option<u64>,
    host: Option<String>,
    content_type: Option<String>,
    length: bool,
    digest: bool,
    authorization: bool,
    /// Blanks around values, names in upper case, another order.
    style: (bool, bool, bool),
}

fn given() -> impl Strategy<Value = Given> {
    let near = option::of(NOW - 300..=NOW + 300);
    let dates = (near.clone(), near);
    let values = (option::of("[!-~]{1,20}"), option::of(" ?[ -~]{0,20}"));
    (vec(unsigned(), 0..6), dates, values, any::<(bool, bool, bool)>(), any::<(bool, bool, bool)>())
        .prop_map(
            |(
                unsigned,
                (date, x_date),
                (host, content_type),
                (length, digest, authorization),
                style,
            )| Given {
                unsigned,
                date,
                x_date,
                host,
                content_type,
                length,
                digest,
                authorization,
                style,
            },
        )
}

/// A header that is neither signed nor set, and may have any value.
fn unsigned() -> impl Strategy<Value = (String, String)> {
    let signed = [
        "authorization",
        "content-length",
        "content-type",
        "date",
        "host",
        "opc-obo-token",
        "x-content-sha256",
        "x-date",
    ];
    let name = prop_oneof![
        "[a-zA-Z0-9!#$%&'*+.^_`|~-]{1,12}",
        Just("accept".to_owned()),
        Just("x-subscription".to_owned())
    ];
    (name, any::<String>()).prop_filter("it is signed", move |(name, _)| {
        !signed.iter().any(|signed| name.eq_ignore_ascii_case(signed))
    })
}

impl Given {
    fn headers(self, body: &OwnedBody) -> Vec<(String, String)> {
        let (length, sha256) = body.measure();
        let date = |at: u64| {
            // Two days of January 2014 suffice.
            let (hour, minute, second) = (at / 3600 % 24, at / 60 % 60, at % 60);
            format!("Sun, 05 Jan 2014 {hour:02}:{minute:02}:{second:02} GMT")
        };
        let mut headers = self.unsigned;
        let known = [
            ("date", self.date.map(date)),
            ("x-date", self.x_date.map(date)),
            ("host", self.host),
            ("content-type", self.content_type),
            ("content-length", self.length.then(|| length.to_string())),
            ("x-content-sha256", self.digest.then(|| STANDARD.encode(sha256))),
            ("authorization", self.authorization.then(|| "Bearer stale".to_owned())),
        ];
        for (name, value) in known {
            if let Some(value) = value {
                let name = if self.style.1 { name.to_ascii_uppercase() } else { name.to_owned() };
                headers.push((name, if self.style.0 { format!(" \t{value}\t ") } else { value }));
            }
        }
        if self.style.2 {
            headers.reverse();
        }
        headers
    }
}
