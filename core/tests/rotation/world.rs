//! The world around a rotation: clocks, a server that judges, and sources of credentials.

use std::collections::HashMap;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ocisign_core::{Credential, Moment, SecurityToken, SignedHeaders};

use crate::support::{NumberKey, START, api_key, token};
use crate::weather::{Dice, Fault, Spell, forecast};

/// Where credentials come from.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Source {
    /// A file with an API key, which has no end.
    ApiKey,
    /// Two files, for a key and a token of so many seconds, replaced at four fifths of them.
    File { life: u64 },
    /// A server that binds a token of so many seconds to the key that it is shown.
    Server { life: u64 },
}

/// What the server says to a request.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Answer {
    NotFound,
    Ok,
    Unauthorized,
    /// Another key signed than the one to which the key id is bound, or another tenancy's.
    Wrong,
}

/// What a fetch brought.
pub(crate) enum Fetched {
    Credential { credential: Box<Credential>, key: u64, tenancy: &'static str },
    Nothing { retry_after: Option<u64> },
}

/// A key and a token that were made for a fetch.
pub(crate) struct Minted {
    key: u64,
    tenancy: &'static str,
    token: String,
}

/// What the server knows of a key id.
struct Issued {
    key: u64,
    made: u64,
    revoked: bool,
    tenancy: &'static str,
    valid: std::ops::Range<u64>,
}

pub(crate) struct World {
    pub(crate) dice: Dice,
    /// Milliseconds since the start: of true time, and of those in which uptime counted.
    pub(crate) real: u64,
    pub(crate) uptime: u64,
    pub(crate) active: Vec<Spell>,
    pub(crate) source: Source,
    coming: std::iter::Peekable<std::vec::IntoIter<Spell>>,
    counts_sleep: bool,
    /// The key in the file, and the token or the number of the key whose fingerprint it has.
    file: (u64, String),
    /// When the file is to be replaced.
    file_due: u64,
    issued: HashMap<String, Issued>,
    keys: u64,
    policy: u64,
}

impl World {
    pub(crate) fn new(seed: u64, source: Source, days: u64, faults: bool) -> Self {
        let mut dice = Dice(seed);
        let spells = if faults { forecast(&mut dice, source, days) } else { Vec::new() };
        let mut world = Self {
            counts_sleep: dice.below(2) == 0,
            dice,
            real: 0,
            uptime: 0,
            active: Vec::new(),
            source,
            coming: spells.into_iter().peekable(),
            file: (0, String::new()),
            file_due: u64::MAX,
            issued: HashMap::new(),
            keys: 0,
            policy: 0,
        };
        world.replace_file(None);
        world
    }

    pub(crate) fn now(&self) -> Moment {
        Moment { time: self.wall(), uptime: Duration::from_millis(self.uptime) }
    }

    /// What this machine takes for the time of day.
    pub(crate) fn wall(&self) -> u64 {
        let offset = |spell: &Spell| if let Fault::Clock(by) = spell.fault { by } else { 0 };
        self.seconds().saturating_add_signed(self.active.iter().map(offset).sum())
    }

    pub(crate) fn has(&self, matches: impl Fn(Fault) -> bool) -> bool {
        self.active.iter().any(|spell| matches(spell.fault))
    }

    /// The true time at which the weather changes next, or a file is replaced.
    pub(crate) fn next_change(&mut self) -> u64 {
        let start = self.coming.peek().map_or(u64::MAX, |spell| spell.start);
        let end = self.active.iter().map(|spell| spell.end).min().unwrap_or(u64::MAX);
        start.min(end).min(if self.writes() { self.file_due } else { u64::MAX })
    }

    /// Let time pass, up to a change. What it was, and whether the file was replaced.
    pub(crate) fn pass(&mut self, real: u64) -> (Option<&'static str>, bool) {
        let change = self.next_change();
        let to = real.min(change).max(self.real);
        self.uptime += to - self.real;
        self.real = to;
        if to < change {
            return (None, false);
        }
        if let Some(ended) = self.active.iter().position(|spell| spell.end <= to) {
            let ended = self.active.remove(ended);
            return (Some("it ends"), self.end(ended.fault));
        }
        if let Some(spell) = self.coming.next_if(|spell| spell.start <= to) {
            self.active.push(spell);
            return (Some(spell.fault.name()), self.start(spell));
        }
        self.replace_file(None);
        (Some("the file is replaced"), true)
    }

    /// Make what a server would make at the beginning of a fetch.
    pub(crate) fn mint(&mut self) -> Minted {
        let Source::Server { life } = self.source else {
            return Minted { key: 0, tenancy: "", token: String::new() };
        };
        self.keys += 1;
        let key = self.keys;
        let now = self.seconds();
        let tenancy = if self.has(|fault| fault == Fault::OtherTenancy) { "b" } else { "a" };
        let valid = if self.has(|fault| fault == Fault::Expired) {
            now - 7_200..now - 3_600
        } else if self.has(|fault| fault == Fault::NotYetValid) {
            now + 3_600..now + 3_600 + life
        } else {
            now..now + life
        };
        let bound = if self.has(|fault| fault == Fault::WrongKey) { key - 1 } else { key };
        let token = token(bound, tenancy, valid.clone());
        self.issue(format!("ST${token}"), bound, tenancy, valid);
        Minted { key, tenancy, token }
    }

    /// What a fetch brings that ends now, checked as an exchange checks it.
    pub(crate) fn fetch(&mut self, minted: Minted) -> Fetched {
        if self.has(|fault| fault == Fault::Down) {
            return Fetched::Nothing { retry_after: None };
        }
        let throttled = self.active.iter().find_map(|spell| match spell.fault {
            Fault::Throttled { retry_after } => Some(retry_after),
            _ => None,
        });
        if throttled.is_some() {
            return Fetched::Nothing { retry_after: throttled };
        }
        let Minted { key, tenancy, token } = match self.source {
            Source::Server { .. } => minted,
            _ => Minted { key: self.file.0, tenancy: "a", token: self.file.1.clone() },
        };
        let credential = if self.source == Source::ApiKey {
            // The file says a fingerprint, which has to be that of the key beside it.
            (token == key.to_string()).then(|| api_key(key, tenancy))
        } else {
            let begins = SecurityToken::parse(&token).unwrap().not_before().unwrap();
            Credential::security_token(&token, NumberKey::new(key))
                .ok()
                .filter(|_| begins <= self.wall() + 300)
        };
        match credential {
            Some(credential) => {
                Fetched::Credential { credential: Box::new(credential), key, tenancy }
            }
            None => Fetched::Nothing { retry_after: None },
        }
    }

    /// What the server says to a request.
    pub(crate) fn judge(&self, signed: &SignedHeaders) -> Answer {
        let key_id = signed.authorization().split_once("keyId=\"").unwrap().1;
        let key_id = key_id.split_once('"').unwrap().0;
        let Some(issued) = self.issued.get(key_id) else { return Answer::Unauthorized };
        let signer = NumberKey::signer(&STANDARD.decode(signed.signature()).unwrap());
        if signer != issued.key || issued.tenancy != "a" {
            return Answer::Wrong;
        }
        let skewed = self.wall().abs_diff(self.seconds()) > 300;
        if skewed
            || issued.revoked
            || !issued.valid.contains(&self.seconds())
            || self.has(|fault| fault == Fault::Unauthorized)
        {
            return Answer::Unauthorized;
        }
        if issued.made < self.policy || self.has(|fault| fault == Fault::NotThere) {
            return Answer::NotFound;
        }
        Answer::Ok
    }

    /// Whether the credential of this key was made before the last change of policies.
    pub(crate) fn predates_policy(&self, key: u64) -> bool {
        self.issued.values().any(|issued| issued.key == key && issued.made < self.policy)
    }

    fn seconds(&self) -> u64 {
        START + self.real / 1_000
    }

    fn writes(&self) -> bool {
        !self.has(|fault| matches!(fault, Fault::WriterStops | Fault::Torn { .. }))
    }

    fn start(&mut self, spell: Spell) -> bool {
        match spell.fault {
            Fault::KeyReplaced { overlap } => {
                if !overlap {
                    self.issued.values_mut().for_each(|issued| issued.revoked = true);
                }
                let half = self.dice.below(3);
                self.replace_file((half < 2).then_some(half == 0));
                true
            }
            Fault::NotFound => {
                self.policy = self.real;
                false
            }
            Fault::Revoked => {
                self.issued.values_mut().for_each(|issued| issued.revoked = true);
                self.replace_file(None);
                true
            }
            Fault::Sleep => {
                let woken = spell.end.max(self.real);
                if self.counts_sleep {
                    self.uptime += woken - self.real;
                }
                self.real = woken;
                false
            }
            Fault::Torn { key_first } => {
                self.replace_file(Some(key_first));
                true
            }
            _ => false,
        }
    }

    fn end(&mut self, fault: Fault) -> bool {
        match fault {
            Fault::KeyReplaced { .. } => {
                self.complete_file();
                let key = self.file.0;
                let old = self.issued.values_mut().filter(|issued| issued.key != key);
                old.for_each(|issued| issued.revoked = true);
                true
            }
            Fault::Torn { .. } => {
                self.complete_file();
                true
            }
            _ => false,
        }
    }

    /// Replace what the file has: all of it, or only the key, or only what goes with it.
    fn replace_file(&mut self, key_first: Option<bool>) {
        self.keys += 1;
        let key = self.keys;
        let now = self.seconds();
        let other = match self.source {
            Source::Server { .. } => return,
            Source::ApiKey => {
                let id = api_key(key, "a").key_id().as_str().to_owned();
                self.issue(id, key, "a", 0..u64::MAX);
                key.to_string()
            }
            Source::File { life } => {
                let token = token(key, "a", now..now + life);
                self.issue(format!("ST${token}"), key, "a", now..now + life);
                self.file_due = self.real + life * 800;
                token
            }
        };
        match key_first {
            None => self.file = (key, other),
            Some(true) => self.file.0 = key,
            Some(false) => self.file.1 = other,
        }
    }

    /// Replace the other half too.
    fn complete_file(&mut self) {
        let (key, other) = &mut self.file;
        let newer = self.issued.iter().max_by_key(|(_, issued)| issued.key).unwrap();
        *key = newer.1.key;
        *other = match self.source {
            Source::ApiKey => key.to_string(),
            _ => newer.0.trim_start_matches("ST$").to_owned(),
        };
    }

    fn issue(
        &mut self,
        key_id: String,
        key: u64,
        tenancy: &'static str,
        valid: std::ops::Range<u64>,
    ) {
        if self.issued.len() > 500 {
            let now = self.seconds();
            self.issued.retain(|_, issued| issued.valid.end > now.saturating_sub(200_000));
        }
        let made = self.real;
        self.issued.insert(key_id, Issued { key, made, revoked: false, tenancy, valid });
    }
}
