//! Who calls.

use serde_json::{Value, json};

use crate::token::{Claims, text};

/// A caller that has proved who it is.
#[derive(Clone, Debug)]
pub(crate) struct Principal {
    pub(crate) kind: Kind,
    /// The OCID of the user, the instance, the resource or the pod's.
    pub(crate) id: String,
    pub(crate) tenancy: String,
    pub(crate) compartment: String,
    /// As in `resource.type` of a matching rule; empty but for resources.
    pub(crate) resource_type: String,
    /// What its token says; what a token would say, for a user with an API key.
    pub(crate) claims: Claims,
}

/// What kind of principal it is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Kind {
    Instance,
    Resource,
    User,
    Workload,
}

impl Kind {
    /// The claim `ptype`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Instance => "instance",
            Self::Resource => "resource",
            Self::User => "user",
            Self::Workload => "workload",
        }
    }
}

impl Principal {
    /// Who a token stands for. Tokens of other kinds, which are not for calls, stand for nobody.
    pub(crate) fn from_claims(claims: Claims) -> Option<Self> {
        let kind = match (text(&claims, "ptype"), text(&claims, "ttype")) {
            ("instance", "x509") => Kind::Instance,
            ("resource", "res") => Kind::Resource,
            ("user", "login") => Kind::User,
            ("workload", "res") => Kind::Workload,
            _ => return None,
        };
        let [compartment, resource_type] = match kind {
            Kind::Instance => ["opc-compartment", ""],
            Kind::Resource | Kind::Workload => ["res_compartment", "res_type"],
            Kind::User => ["tenant", ""],
        };
        Some(Self {
            kind,
            id: text(&claims, "sub").to_owned(),
            tenancy: text(&claims, "tenant").to_owned(),
            compartment: text(&claims, compartment).to_owned(),
            resource_type: text(&claims, resource_type).to_owned(),
            claims,
        })
    }

    /// What a policy can ask of a pod beside what it can of every caller.
    pub(crate) fn variables(&self) -> Vec<(&'static str, &str)> {
        let variables = [
            ("request.principal.cluster_id", "res_id"),
            ("request.principal.namespace", "var_namespace"),
            ("request.principal.service_account", "var_service_account"),
        ];
        let of_pod = variables.into_iter().filter(|_| self.kind == Kind::Workload);
        of_pod.map(|(name, claim)| (name, text(&self.claims, claim))).collect()
    }

    /// As `authenticateClient` answers.
    pub(crate) fn to_json(&self) -> Value {
        let claim = |(key, value): (&String, &Value)| {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            json!({ "key": key, "value": value, "issuer": "authService.oracle.com" })
        };
        json!({
            "tenantId": self.tenancy,
            "subjectId": self.id,
            "claims": self.claims.iter().map(claim).collect::<Vec<_>>(),
        })
    }
}
