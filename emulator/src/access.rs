//! Who may do what: the configuration's groups and statements, asked.

use std::collections::HashMap;
use std::sync::Arc;

use crate::config::{Config, ConfigError, DynamicGroupConfig};
use crate::policy::{Caller, CallerKind, Decision, MatchingRule, Operation, Policies, Request};
use crate::principal::{Kind, Principal};

#[derive(Debug)]
pub(crate) struct Access {
    rules: Arc<Rules>,
    /// What OCI remembers of a caller for a quarter of an hour: which rules it was judged by.
    remembered: HashMap<String, (Arc<Rules>, i64)>,
    memory: i64,
}

#[derive(Debug)]
struct Rules {
    policies: Policies,
    users: HashMap<String, Vec<String>>,
    /// Without statements nobody is refused.
    enforced: bool,
}

impl Access {
    pub(crate) fn new(config: &Config) -> Result<Self, ConfigError> {
        let rules = Arc::new(Rules::new(config)?);
        Ok(Self { rules, remembered: HashMap::new(), memory: config.membership_cache })
    }

    /// Rules from now on, or from when each caller's are forgotten.
    pub(crate) fn replace(&mut self, config: &Config) -> Result<(), ConfigError> {
        self.rules = Arc::new(Rules::new(config)?);
        Ok(())
    }

    pub(crate) fn decide(
        &mut self,
        who: &Principal,
        tags: &HashMap<String, String>,
        operation: Operation,
        compartment: &str,
        variables: &[(&str, &str)],
        now: i64,
    ) -> Decision {
        let mut all = who.variables();
        all.extend(variables);
        let rules = self.rules(&who.id, now);
        if !rules.enforced {
            let explanation = "there are no policies, so everything is allowed".to_owned();
            return Decision { allowed: true, explanation };
        }
        let request = Request::new(operation, compartment, &all);
        let mut decision =
            rules.with_caller(who, tags, |caller| rules.policies.decide(caller, &request));
        if !Arc::ptr_eq(&rules, &self.rules) {
            decision.explanation += ", by rules that are remembered and have been replaced";
        }
        decision
    }

    /// The OCIDs of the groups and dynamic groups that it is in.
    pub(crate) fn groups(
        &self,
        who: &Principal,
        tags: &HashMap<String, String>,
        now: i64,
    ) -> Vec<String> {
        // Who is asked about need not exist, so it is not remembered.
        let known = self.remembered.get(&who.id).filter(|(_, until)| *until > now);
        let rules = known.map_or(&self.rules, |(rules, _)| rules);
        rules.with_caller(who, tags, |caller| {
            let dynamic = rules.policies.dynamic_groups_of(caller);
            dynamic.chain(caller.groups.iter().copied()).map(str::to_owned).collect()
        })
    }

    fn rules(&mut self, who: &str, now: i64) -> Arc<Rules> {
        if self.memory <= 0 {
            return Arc::clone(&self.rules);
        }
        self.remembered.retain(|_, (_, until)| *until > now);
        if self.remembered.len() >= REMEMBERED || who.len() > LONGEST_ID {
            return self.remembered.get(who).map_or(&self.rules, |(rules, _)| rules).clone();
        }
        let fresh = || (Arc::clone(&self.rules), now.saturating_add(self.memory));
        Arc::clone(&self.remembered.entry(who.to_owned()).or_insert_with(fresh).0)
    }
}

impl Rules {
    fn new(config: &Config) -> Result<Self, ConfigError> {
        let tenancy = &config.tenancy;
        let mut policies = Policies::new(&tenancy.id, &tenancy.name);
        for compartment in &config.compartments {
            let parent = compartment.parent.as_ref().unwrap_or(&tenancy.id);
            policies
                .add_compartment(&compartment.id, &compartment.name, parent)
                .map_err(|error| named("compartments", &compartment.name, &error))?;
        }
        let mentioned = [&config.instance.compartment, &config.workload.compartment].into_iter();
        let mentioned = mentioned.chain(config.resources.iter().map(|it| &it.compartment));
        let mentioned = mentioned.chain(config.secrets.iter().map(|it| &it.compartment));
        let mentioned = mentioned.chain(config.buckets.iter().map(|it| &it.compartment));
        for id in mentioned {
            // One that is known is a duplicate, and stays where it is.
            let _ = policies.add_compartment(id, id, &tenancy.id);
        }
        let mut users = HashMap::new();
        for user in &config.users {
            let ids = user.groups.iter().map(|name| group_id("group", name));
            users.insert(user.id.clone(), ids.collect());
        }
        let mut names: Vec<_> = config.users.iter().flat_map(|user| &user.groups).collect();
        names.sort_unstable();
        names.dedup();
        for name in names {
            policies
                .add_group(name, &group_id("group", name))
                .map_err(|error| named("users.groups", name, &error))?;
        }
        for DynamicGroupConfig { name, id, rule } in &config.dynamic_groups {
            let id = id.clone().unwrap_or_else(|| group_id("dynamicgroup", name));
            let rule =
                MatchingRule::parse(rule).map_err(|error| named("dynamic_groups", name, &error))?;
            policies
                .add_dynamic_group(name, &id, rule)
                .map_err(|error| named("dynamic_groups", name, &error))?;
        }
        for statement in &config.policies {
            policies
                .add_statement(&tenancy.id, statement)
                .map_err(|error| named("policies", statement, &error))?;
        }
        Ok(Self { policies, users, enforced: !config.policies.is_empty() })
    }

    fn with_caller<T>(
        &self,
        who: &Principal,
        tags: &HashMap<String, String>,
        then: impl FnOnce(&Caller<'_>) -> T,
    ) -> T {
        let tags: Vec<(&str, &str, &str)> = tags
            .iter()
            .filter_map(|(name, value)| {
                let (namespace, key) = name.split_once('.')?;
                Some((namespace, key, value.as_str()))
            })
            .collect();
        let groups: Vec<&str> =
            self.users.get(&who.id).into_iter().flatten().map(String::as_str).collect();
        then(&Caller {
            id: &who.id,
            kind: match who.kind {
                Kind::Instance => CallerKind::Instance,
                Kind::User => CallerKind::User,
                Kind::Resource => CallerKind::Resource { resource_type: &who.resource_type },
                Kind::Workload => CallerKind::Resource { resource_type: "workload" },
            },
            compartment_id: &who.compartment,
            tags: &tags,
            groups: &groups,
        })
    }
}

/// How many callers are remembered; an OCID has 255 bytes at most.
const REMEMBERED: usize = 10_000;
const LONGEST_ID: usize = 255;

fn group_id(kind: &str, name: &str) -> String {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).collect();
    format!("ocid1.{kind}.oc1..{}", name.to_ascii_lowercase())
}

fn named(key: &str, name: &str, error: &dyn std::fmt::Display) -> ConfigError {
    ConfigError(format!("{key}: `{name}`: {error}"))
}
