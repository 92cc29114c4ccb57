//! The host that was signed: against the URL, and against what OCI has.

use ocisign::{Region, RegionSources};

use super::evidence::{Sent, split_url};
use super::safe;
use super::verdict::{Verdict, Verdicts};

/// The `host` header against the URL's.
pub(crate) fn check(sent: &Sent) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("host");
    let authority = sent.url.as_deref().and_then(|url| split_url(url).0);
    if authority.is_some_and(|authority| authority.contains('@')) {
        verdicts
            .bad("the URL carries a user name or password, and some clients sign that: drop it");
    }
    let (Some(host), Some(authority)) = (sent.get("host"), authority) else {
        if !verdicts.is_bad() {
            verdicts.unknown("of header and URL one is not given, so they cannot be compared");
        }
        return verdicts.list;
    };
    let authority = authority.rsplit('@').next().unwrap_or(authority);
    let http = sent.url.as_deref().is_some_and(|url| url.starts_with("http:"));
    let own_port = if http { ":80" } else { ":443" };
    let bare = |text: &str| text.strip_suffix(own_port).unwrap_or(text).to_ascii_lowercase();
    let (shown, wanted) = (safe::host(host), safe::host(authority));
    if bare(host) != bare(authority) {
        let same_name = |text: &str| bare(text.split(':').next().unwrap_or(text));
        let what = if same_name(host) == same_name(authority) { "port" } else { "host" };
        verdicts.bad(format!(
            "the header says {shown} and the URL {wanted}: another {what}; sign the host that is \
             sent",
        ));
    } else if host.len() != authority.len() {
        verdicts.note(format!(
            "the header says {shown} and the URL {wanted}: Python and Go sign `{own_port}` where it \
             is written, browsers and Node leave it out; leave it out everywhere",
        ));
    } else if host != authority {
        verdicts.note(format!(
            "the header says {shown} and the URL {wanted}: Python and Node write it in lower case, \
             Go, Java and Ruby do not; write lower case",
        ));
    }
    if host.contains('_') {
        verdicts.note("the host has an underscore: Oracle's SDK for Java signs such hosts wrongly");
    }
    let ok = format!("{shown} is that of the URL");
    verdicts.ok_unless_bad(ok)
}

/// The region in a host name, and its realm. `tenancy` is the OCID that the key id names.
pub(crate) fn check_region(host: &str, tenancy: Option<&str>) -> Vec<Verdict> {
    let mut verdicts = Verdicts::of("region");
    let name = host.split(':').next().unwrap_or(host).to_ascii_lowercase();
    let shown = safe::host(&name);
    let Some((labels, realms)) = known_domain(&name) else {
        verdicts.unknown(format!(
            "{shown} is not of a domain that OCI's services have: fine for an emulator, a proxy or \
             a dedicated region, else a typing error",
        ));
        return verdicts.list;
    };
    let labels: Vec<&str> = labels.split('.').collect();
    let known = || labels.iter().filter_map(|label| Some((*label, region(label)?)));
    // A name before a code, which another label may happen to be.
    let found = known().find(|(label, region)| *label == region.id()).or_else(|| known().next());
    let Some((label, region)) = found else {
        match labels.iter().find(|label| is_region_name(label)) {
            Some(label) => verdicts.bad(format!(
                "the region {} is not one that is known: a typing error, or newer than this program",
                safe::host(label),
            )),
            None => verdicts.unknown(format!("{shown} names no region that is known")),
        }
        return verdicts.list;
    };
    if label != region.id() {
        verdicts.bad(format!(
            "the host has the short code of a region: write {}",
            safe::host(region.id())
        ));
    }
    let own = region.realm().unwrap_or("");
    let fits = realms.contains(&own);
    if !fits {
        verdicts.bad(format!(
            "the region {} is of realm {own}, whose domain is {}",
            safe::host(region.id()),
            safe::host(region.domain()),
        ));
    }
    match tenancy.and_then(realm_of) {
        Some(realm) if realm != own => verdicts.bad(format!(
            "the tenancy is of realm {realm}, the host of {own}: a credential works in its own realm \
             only",
        )),
        Some(realm) => {
            let ok = format!("{} exists, and is of the tenancy's realm, {realm}", region.id());
            return verdicts.ok_unless_bad(ok);
        }
        None => {}
    }
    verdicts.ok_unless_bad(format!("{} exists, in realm {own}", region.id()))
}

/// The realm in an OCID: `ocid1.tenancy.oc1..aaaa`.
fn realm_of(ocid: &str) -> Option<&str> {
    let mut parts = ocid.split('.');
    (parts.next() == Some("ocid1")).then_some(())?;
    let realm = parts.nth(1)?;
    let number = realm.strip_prefix("oc")?;
    (number.len() < 5 && number.bytes().all(|byte| byte.is_ascii_digit())).then_some(realm)
}

/// What stands before the domain of a realm, and the realms of that domain.
fn known_domain(host: &str) -> Option<(&str, Vec<&'static str>)> {
    // Realms share a domain, and Object Storage has one of its own in realm oc1.
    for (domain, realms) in [
        ("oraclegovcloud.com", &["oc2", "oc3"][..]),
        ("customer-oci.com", &["oc1"]),
        ("oraclecloud.com", &["oc1"]),
        ("oraclegovcloud.uk", &["oc4"]),
        ("oraclecloud.eu", &["oc19"]),
    ] {
        if let Some(labels) = before(host, domain) {
            return Some((labels, realms.to_vec()));
        }
    }
    NUMBERED.iter().find_map(|(domain, realm)| Some((before(host, domain)?, vec![*realm])))
}

fn before<'a>(host: &'a str, domain: &str) -> Option<&'a str> {
    host.strip_suffix(domain)?.strip_suffix('.')
}

/// A region of the table, by its name or its code.
fn region(label: &str) -> Option<Region> {
    let mut sources = RegionSources::default();
    // Else what is not in the table would be taken as one of oc1.
    sources.default_domain = Some("unknown");
    Region::lookup(label, &sources).ok().filter(|region| region.realm().is_some())
}

/// `us-phoenix-1`: two or more letters, names, a number.
fn is_region_name(label: &str) -> bool {
    let parts: Vec<&str> = label.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
    match parts.as_slice() {
        [area, names @ .., number] => {
            area.len() == 2
                && !names.is_empty()
                && names.iter().all(letters)
                && number.len() == 1
                && number.bytes().all(|b| b.is_ascii_digit())
        }
        _ => false,
    }
}

/// The realms whose domain has their number.
const NUMBERED: [(&str, &str); 15] = [
    ("oraclecloud8.com", "oc8"),
    ("oraclecloud9.com", "oc9"),
    ("oraclecloud10.com", "oc10"),
    ("oraclecloud14.com", "oc14"),
    ("oraclecloud15.com", "oc15"),
    ("oraclecloud20.com", "oc20"),
    ("oraclecloud21.com", "oc21"),
    ("oraclecloud23.com", "oc23"),
    ("oraclecloud24.com", "oc24"),
    ("oraclecloud26.com", "oc26"),
    ("oraclecloud29.com", "oc29"),
    ("oraclecloud35.com", "oc35"),
    ("oraclecloud42.com", "oc42"),
    ("oraclecloud51.com", "oc51"),
    ("oraclecloud52.com", "oc52"),
];

#[cfg(test)]
mod tests {
    use super::{check_region, known_domain, region};
    use crate::explain::verdict::Level;

    #[test]
    fn every_region_of_the_vectors_is_known_with_its_domain() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../vectors/regions.json");
        let text = std::fs::read_to_string(path).unwrap();
        let mut count = 0;
        for line in text.split('"').filter(|word| region(word).is_some()) {
            let region = region(line).unwrap();
            let host = format!("iaas.{}.{}", region.id(), region.domain());
            let (_, realms) = known_domain(&host).unwrap();
            assert!(realms.contains(&region.realm().unwrap()), "{host}");
            let verdicts = check_region(&host, None);
            assert_eq!(verdicts[0].level, Level::Ok, "{host}");
            count += 1;
        }
        assert!(count >= 85, "{count}");
    }
}
