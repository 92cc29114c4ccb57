//! Which permissions a verb gives on a resource type.
//!
//! Sources, in Oracle's policy reference, each its "Details for Verb + Resource-Type
//! Combinations": "Details for IAM with Identity Domains", "Details for the Core Services",
//! "Details for Object Storage and Archive Storage", "Details for the Vault Service".
//!
//! Two things are not as there. `authentication` and `group-memberships` are among the resource
//! types of "Details for IAM without Identity Domains", which gives no verbs for them: the
//! permissions are those that the documentation of Vault's OCI auth method grants by name, and
//! `inspect` is read off their endings. And `virtual-network-family` is `vcns` alone, of some
//! thirty types that it has at Oracle.

/// How much access, each with what the ones before give.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Verb {
    Inspect,
    Read,
    Use,
    Manage,
}

impl Verb {
    pub(super) const ALL: [Self; 4] = [Self::Inspect, Self::Read, Self::Use, Self::Manage];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Inspect => "inspect",
            Self::Read => "read",
            Self::Use => "use",
            Self::Manage => "manage",
        }
    }
}

/// An individual resource type, a family of them, or all.
#[derive(Clone, Copy, Debug)]
pub(super) enum Resource {
    All,
    Family { name: &'static str, members: &'static [&'static str] },
    Individual(&'static ResourceType),
}

impl Resource {
    /// The resource type of this name, in any case.
    pub(super) fn find(name: &str) -> Option<Self> {
        let same = |known: &str| known.eq_ignore_ascii_case(name);
        if same("all-resources") {
            return Some(Self::All);
        }
        let family = FAMILIES.iter().find(|(name, _)| same(name));
        let family = family.map(|&(name, members)| Self::Family { name, members });
        let individual = || TYPES.iter().find(|it| same(it.name)).map(Self::Individual);
        family.or_else(individual)
    }

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::All => "all-resources",
            Self::Family { name, .. } => name,
            Self::Individual(it) => it.name,
        }
    }

    /// Whether this verb on it gives the permission.
    pub(super) fn gives(self, verb: Verb, permission: &str) -> bool {
        self.least_verb(permission).is_some_and(|least| least <= verb)
    }

    /// The least verb on it that gives the permission, if one does.
    pub(super) fn least_verb(self, permission: &str) -> Option<Verb> {
        let (it, verb) = find_permission(permission)?;
        let covered = match self {
            Self::All => true,
            Self::Family { members, .. } => members.contains(&it.name),
            Self::Individual(this) => this.name == it.name,
        };
        covered.then_some(verb)
    }
}

/// A resource type with what each verb adds to the one before.
#[derive(Debug)]
pub(super) struct ResourceType {
    pub(super) name: &'static str,
    inspect: &'static [&'static str],
    read: &'static [&'static str],
    r#use: &'static [&'static str],
    manage: &'static [&'static str],
}

impl ResourceType {
    const fn added_by(&self, verb: Verb) -> &'static [&'static str] {
        match verb {
            Verb::Inspect => self.inspect,
            Verb::Read => self.read,
            Verb::Use => self.r#use,
            Verb::Manage => self.manage,
        }
    }
}

/// The resource type that has this permission, and the least verb that gives it.
pub(super) fn find_permission(permission: &str) -> Option<(&'static ResourceType, Verb)> {
    TYPES.iter().find_map(|it| {
        let verb = Verb::ALL.into_iter().find(|&verb| it.added_by(verb).contains(&permission))?;
        Some((it, verb))
    })
}

/// The permission of this name, in any case, as Oracle writes it.
pub(super) fn known_permission(name: &str) -> Option<&'static str> {
    let added = TYPES.iter().flat_map(|it| Verb::ALL.map(|verb| it.added_by(verb)));
    added.flatten().find(|known| known.eq_ignore_ascii_case(name)).copied()
}

const FAMILIES: [(&str, &[&str]); 4] = [
    ("key-family", &["key-delegate", "keys", "vaults"]),
    ("object-family", &["buckets", "objects", "objectstorage-namespaces"]),
    ("secret-family", &["secret-bundles", "secret-versions", "secrets"]),
    ("virtual-network-family", &["vcns"]),
];

#[rustfmt::skip]
const TYPES: [ResourceType; 20] = [
    ResourceType { name: "authentication",
        inspect: &["AUTHENTICATION_INSPECT"], read: &[], r#use: &[], manage: &[] },
    ResourceType { name: "buckets",
        inspect: &["BUCKET_INSPECT"],
        read: &["BUCKET_READ"],
        r#use: &["BUCKET_UPDATE"],
        manage: &["BUCKET_CREATE", "BUCKET_DELETE", "PAR_MANAGE", "RETENTION_RULE_LOCK",
            "RETENTION_RULE_MANAGE"] },
    ResourceType { name: "compartments",
        inspect: &["COMPARTMENT_INSPECT"],
        read: &[],
        r#use: &["COMPARTMENT_UPDATE"],
        manage: &["COMPARTMENT_CREATE", "COMPARTMENT_DELETE", "COMPARTMENT_RECOVER"] },
    ResourceType { name: "domains",
        inspect: &["DOMAIN_INSPECT"],
        read: &["DOMAIN_LICENSETYPE_READ", "DOMAIN_READ"],
        r#use: &["DOMAIN_UPDATE", "IAM_WORKREQUEST_READ"],
        manage: &["DOMAIN_ACTIVATE", "DOMAIN_CREATE", "DOMAIN_DEACTIVATE", "DOMAIN_DELETE",
            "DOMAIN_MOVE", "DOMAIN_REPLICATE"] },
    ResourceType { name: "dynamic-groups",
        inspect: &["DYNAMIC_GROUP_INSPECT"],
        read: &[],
        r#use: &["DYNAMIC_GROUP_UPDATE"],
        manage: &["DYNAMIC_GROUP_CREATE", "DYNAMIC_GROUP_DELETE"] },
    ResourceType { name: "group-memberships",
        inspect: &["GROUP_MEMBERSHIP_INSPECT"], read: &[], r#use: &[], manage: &[] },
    ResourceType { name: "groups",
        inspect: &["GROUP_INSPECT"],
        read: &[],
        r#use: &["GROUP_UPDATE"],
        manage: &["GROUP_CREATE", "GROUP_DELETE"] },
    ResourceType { name: "key-delegate",
        inspect: &[],
        read: &[],
        r#use: &["KEY_ASSOCIATE", "KEY_DISASSOCIATE"],
        manage: &[] },
    ResourceType { name: "keys",
        inspect: &["KEY_INSPECT"],
        read: &["KEY_READ"],
        r#use: &["KEY_DECRYPT", "KEY_ENCRYPT", "KEY_EXPORT", "KEY_SIGN", "KEY_VERIFY"],
        manage: &["KEY_BACKUP", "KEY_CREATE", "KEY_DELETE", "KEY_IMPORT", "KEY_MOVE",
            "KEY_RESTORE", "KEY_ROTATE", "KEY_UPDATE"] },
    ResourceType { name: "objects",
        inspect: &["OBJECT_INSPECT"],
        read: &["OBJECT_READ"],
        r#use: &["OBJECT_OVERWRITE"],
        manage: &["OBJECT_CREATE", "OBJECT_DELETE", "OBJECT_RESTORE", "OBJECT_UPDATE_TIER",
            "OBJECT_VERSION_DELETE"] },
    // `read` is listed, and gives nothing: GetNamespace needs nothing.
    ResourceType { name: "objectstorage-namespaces",
        inspect: &[],
        read: &[],
        r#use: &[],
        manage: &["OBJECTSTORAGE_NAMESPACE_READ", "OBJECTSTORAGE_NAMESPACE_UPDATE"] },
    ResourceType { name: "policies",
        inspect: &["POLICY_READ"],
        read: &[],
        r#use: &[],
        manage: &["POLICY_CREATE", "POLICY_DELETE", "POLICY_UPDATE"] },
    ResourceType { name: "secret-bundles",
        inspect: &["SECRET_BUNDLE_INSPECT"],
        read: &["SECRET_BUNDLE_READ"],
        r#use: &[],
        manage: &[] },
    ResourceType { name: "secret-versions",
        inspect: &["SECRET_VERSION_INSPECT"],
        read: &["SECRET_VERSION_READ"],
        r#use: &[],
        manage: &["SECRET_VERSION_DELETE"] },
    ResourceType { name: "secrets",
        inspect: &["SECRET_INSPECT"],
        read: &["SECRET_READ"],
        r#use: &["SECRET_UPDATE"],
        manage: &["SECRET_CREATE", "SECRET_DELETE", "SECRET_MOVE"] },
    ResourceType { name: "tag-namespaces",
        inspect: &["TAG_NAMESPACE_INSPECT"],
        read: &[],
        r#use: &["TAG_NAMESPACE_USE"],
        manage: &["TAG_NAMESPACE_CREATE", "TAG_NAMESPACE_DELETE", "TAG_NAMESPACE_MOVE",
            "TAG_NAMESPACE_UPDATE"] },
    ResourceType { name: "tenancies",
        inspect: &["TENANCY_INSPECT"],
        read: &[],
        r#use: &["TENANCY_UPDATE"],
        manage: &[] },
    ResourceType { name: "users",
        inspect: &["USER_INSPECT"],
        read: &["USER_READ"],
        r#use: &["USER_UPDATE"],
        manage: &["USER_APIKEY_ADD", "USER_APIKEY_REMOVE", "USER_AUTHTOKEN_REMOVE",
            "USER_AUTHTOKEN_RESET", "USER_AUTHTOKEN_SET", "USER_CREATE", "USER_DELETE",
            "USER_OAUTH2_CLIENT_CRED_CREATE", "USER_OAUTH2_CLIENT_CRED_REMOVE",
            "USER_OAUTH2_CLIENT_CRED_UPDATE", "USER_SECRETKEY_ADD", "USER_SECRETKEY_REMOVE",
            "USER_SECRETKEY_UPDATE", "USER_SUPPORT_ACCOUNT_LINK", "USER_SUPPORT_ACCOUNT_UNLINK",
            "USER_SWIFTPASS_REMOVE", "USER_SWIFTPASS_RESET", "USER_SWIFTPASS_SET",
            "USER_TOTPDEVICE_ADD", "USER_TOTPDEVICE_REMOVE", "USER_TOTPDEVICE_UPDATE",
            "USER_UIPASS_RESET", "USER_UIPASS_SET", "USER_UNBLOCK"] },
    ResourceType { name: "vaults",
        inspect: &["VAULT_INSPECT"],
        read: &["VAULT_READ"],
        r#use: &["VAULT_CREATE_KEY", "VAULT_CREATE_SECRET", "VAULT_IMPORT_KEY"],
        manage: &["VAULT_BACKUP", "VAULT_CREATE", "VAULT_DELETE", "VAULT_MOVE",
            "VAULT_REPLICATE", "VAULT_RESTORE", "VAULT_UPDATE"] },
    ResourceType { name: "vcns",
        inspect: &["VCN_READ"],
        read: &[],
        r#use: &[],
        manage: &["VCN_ATTACH", "VCN_CREATE", "VCN_DELETE", "VCN_DETACH", "VCN_MOVE",
            "VCN_UPDATE"] },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn gives(verb: Verb, resource: &str, permission: &str) -> bool {
        Resource::find(resource).unwrap().gives(verb, permission)
    }

    #[test]
    fn a_verb_gives_what_the_verbs_before_it_give() {
        for it in &TYPES {
            let resource = Resource::Individual(it);
            for (index, least) in Verb::ALL.into_iter().enumerate() {
                for permission in it.added_by(least) {
                    for (other, verb) in Verb::ALL.into_iter().enumerate() {
                        assert_eq!(resource.gives(verb, permission), other >= index);
                        assert_eq!(Resource::All.gives(verb, permission), other >= index);
                    }
                }
            }
        }
    }

    #[test]
    fn a_permission_belongs_to_one_resource_type() {
        let added = TYPES.iter().flat_map(|it| Verb::ALL.map(|verb| it.added_by(verb)));
        let mut all: Vec<_> = added.flatten().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_family_is_its_members() {
        assert!(gives(Verb::Read, "object-family", "OBJECT_READ"));
        assert!(gives(Verb::Read, "object-family", "BUCKET_READ"));
        assert!(gives(Verb::Read, "secret-family", "SECRET_BUNDLE_READ"));
        assert!(gives(Verb::Manage, "key-family", "VAULT_CREATE"));
        assert!(gives(Verb::Inspect, "virtual-network-family", "VCN_READ"));
        assert!(!gives(Verb::Manage, "secret-family", "VAULT_READ"));
        assert!(!gives(Verb::Manage, "object-family", "VCN_READ"));
        for (_, members) in FAMILIES {
            for name in members {
                assert!(matches!(Resource::find(name), Some(Resource::Individual(_))), "{name}");
            }
        }
    }

    #[test]
    fn read_and_use_of_vcns_give_no_more_than_inspect() {
        for verb in [Verb::Inspect, Verb::Read, Verb::Use] {
            assert!(gives(verb, "vcns", "VCN_READ"));
            assert!(!gives(verb, "vcns", "VCN_UPDATE"));
        }
        assert!(gives(Verb::Manage, "vcns", "VCN_UPDATE"));
    }

    #[test]
    fn names_are_found_in_any_case_and_others_are_not() {
        assert_eq!(Resource::find("All-Resources").unwrap().name(), "all-resources");
        assert_eq!(Resource::find("BUCKETS").unwrap().name(), "buckets");
        assert_eq!(known_permission("object_read"), Some("OBJECT_READ"));
        assert!(Resource::find("bucket").is_none());
        assert_eq!(known_permission("OBJECT_REED"), None);
        assert!(!gives(Verb::Manage, "all-resources", "OBJECT_REED"));
    }
}
