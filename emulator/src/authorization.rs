//! The header `authorization`, read as OCI's own verifier does.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::key::Padding;

/// The parameters of a signature.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct Authorization<'a> {
    pub(crate) key_id: &'a str,
    pub(crate) padding: Padding,
    /// Names in lower case.
    pub(crate) headers: Vec<String>,
    pub(crate) signature: Vec<u8>,
}

/// Read `Signature name="value",…`: names in any case and any order, unknown ones
/// passed over, values in quotes or not, blanks around. The verifier splits on
/// commas, of which no value has any.
pub(crate) fn parse(value: &str) -> Result<Authorization<'_>, &'static str> {
    let parameters = value
        .trim_matches(BLANKS)
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("Signature"))
        .map(|(_, parameters)| parameters)
        .ok_or("authorization is no Signature")?;
    let (mut key_id, mut algorithm, mut headers, mut signature, mut version) =
        (None, None, None, None, None);
    for parameter in parameters.split(',') {
        let (name, value) = parameter.split_once('=').ok_or("authorization is malformed")?;
        let slot = match name.trim_matches(BLANKS).to_ascii_lowercase().as_str() {
            "keyid" => &mut key_id,
            "algorithm" => &mut algorithm,
            "headers" => &mut headers,
            "signature" => &mut signature,
            "version" => &mut version,
            _ => continue,
        };
        if slot.replace(unquote(value.trim_matches(BLANKS))?).is_some() {
            return Err("authorization has a parameter twice");
        }
    }
    if version.is_some_and(|version| version != "1") {
        return Err("the version of the signature is not 1");
    }
    let padding = match algorithm {
        Some("rsa-sha256") => Padding::Pkcs1,
        Some("rsa-pss-sha256") => Padding::Pss,
        _ => return Err("the algorithm is not rsa-sha256"),
    };
    let headers = headers.unwrap_or("date").split(' ').map(str::to_ascii_lowercase).collect();
    let signature = signature
        .filter(|text| !text.is_empty())
        .and_then(|text| STANDARD.decode(text).ok())
        .ok_or("the signature is no base64")?;
    let key_id = key_id.filter(|id| !id.is_empty()).ok_or("there is no keyId")?;
    Ok(Authorization { key_id, padding, headers, signature })
}

fn unquote(value: &str) -> Result<&str, &'static str> {
    let inner = match value.strip_prefix('"') {
        Some(rest) => rest.strip_suffix('"').ok_or("authorization has an open quote")?,
        None => value,
    };
    if inner.contains('"') { Err("authorization has a quote in a value") } else { Ok(inner) }
}

/// RFC 9110, section 5.6.3.
const BLANKS: [char; 2] = [' ', '\t'];

#[cfg(test)]
mod tests {
    use super::{Authorization, parse};
    use crate::key::Padding;

    #[test]
    fn every_form_that_official_clients_send_is_read() {
        let expected = Authorization {
            key_id: "t/u/f",
            padding: Padding::Pkcs1,
            headers: vec!["date".into(), "content-type".into()],
            signature: vec![0, 0, 0],
        };
        for text in [
            r#"Signature version="1",keyId="t/u/f",algorithm="rsa-sha256",headers="date content-type",signature="AAAA""#,
            r#"Signature algorithm="rsa-sha256",headers="date Content-Type",keyId="t/u/f",signature="AAAA",version="1""#,
            r#"signature KEYID=t/u/f, algorithm=rsa-sha256, headers="date content-type", signature=AAAA, other="x""#,
        ] {
            assert_eq!(parse(text).as_ref(), Ok(&expected), "{text}");
        }
    }

    #[test]
    fn what_is_malformed_is_refused() {
        for text in [
            "",
            "Bearer Oracle",
            "Signature",
            "Signature x",
            r#"Signature keyId="a",algorithm="rsa-sha256",signature="#,
            r#"Signature keyId="a",keyId="b",algorithm="rsa-sha256",signature="AAAA""#,
            r#"Signature keyId="a,algorithm="rsa-sha256",signature="AAAA""#,
            r#"Signature keyId="",algorithm="rsa-sha256",signature="AAAA""#,
            r#"Signature keyId="a",algorithm="hmac-sha256",signature="AAAA""#,
            r#"Signature keyId="a",signature="AAAA""#,
            r#"Signature version="2",keyId="a",algorithm="rsa-sha256",signature="AAAA""#,
            r#"Signature keyId="a",algorithm="rsa-sha256",signature="A-A-""#,
            r#"Signature keyId="a",algorithm="rsa-sha256",signature="AAAAAA""#,
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
