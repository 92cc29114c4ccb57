//! Which permissions an API operation needs.
//!
//! Sources, in Oracle's policy reference, each its "Permissions Required for Each API
//! Operation": "Details for IAM with Identity Domains" (`GetTenancy`, `ListRegions`), "Details
//! for the Core Services" (`ListVcns`), "Details for Object Storage and Archive Storage" and
//! "Details for the Vault Service". It has no `ListSecretBundleVersions`; what it calls
//! `ListSecretBundles` is taken for it. `AuthenticateClient` and `FilterGroupMembership` are
//! undocumented there; the documentation of Vault's OCI auth method, which calls the two,
//! asks for two permissions, and their names tell which is whose.

/// An operation of the services that the emulator has.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Operation {
    /// Which principal signed a request that someone hands on.
    AuthenticateClient,
    /// Remove an object.
    DeleteObject,
    /// Which of these groups a principal is in.
    FilterGroupMembership,
    /// A bucket's details.
    GetBucket,
    /// The Object Storage namespace, which anyone may ask for.
    GetNamespace {
        /// The request has a `compartmentId`, which does need a permission.
        of_compartment: bool,
    },
    /// An object's content.
    GetObject,
    /// A secret's content.
    GetSecretBundle,
    /// A secret's content, found by vault and name.
    GetSecretBundleByName,
    /// The tenancy's details.
    GetTenancy,
    /// An object's headers.
    HeadObject,
    /// The objects of a bucket.
    ListObjects,
    /// All regions.
    ListRegions,
    /// The versions of a secret.
    ListSecretBundleVersions,
    /// The networks of a compartment.
    ListVcns,
    /// Write an object.
    PutObject {
        /// An object of this name is there.
        overwrites: bool,
    },
}

impl Operation {
    /// The name, which is the value of `request.operation`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AuthenticateClient => "AuthenticateClient",
            Self::DeleteObject => "DeleteObject",
            Self::FilterGroupMembership => "FilterGroupMembership",
            Self::GetBucket => "GetBucket",
            Self::GetNamespace { .. } => "GetNamespace",
            Self::GetObject => "GetObject",
            Self::GetSecretBundle => "GetSecretBundle",
            Self::GetSecretBundleByName => "GetSecretBundleByName",
            Self::GetTenancy => "GetTenancy",
            Self::HeadObject => "HeadObject",
            Self::ListObjects => "ListObjects",
            Self::ListRegions => "ListRegions",
            Self::ListSecretBundleVersions => "ListSecretBundleVersions",
            Self::ListVcns => "ListVcns",
            Self::PutObject { .. } => "PutObject",
        }
    }

    /// What a caller needs to do it.
    pub(crate) const fn needs(self) -> Needs<'static> {
        match self {
            Self::AuthenticateClient => Needs::All(&["AUTHENTICATION_INSPECT"]),
            Self::DeleteObject => Needs::All(&["OBJECT_DELETE"]),
            Self::FilterGroupMembership => Needs::All(&["GROUP_MEMBERSHIP_INSPECT"]),
            Self::GetBucket => Needs::All(&["BUCKET_READ"]),
            Self::GetNamespace { of_compartment: false } => Needs::All(&[]),
            Self::GetNamespace { of_compartment: true } => {
                Needs::All(&["OBJECTSTORAGE_NAMESPACE_READ"])
            }
            Self::GetObject => Needs::All(&["OBJECT_READ"]),
            Self::GetSecretBundle | Self::GetSecretBundleByName => {
                Needs::All(&["SECRET_BUNDLE_READ"])
            }
            Self::GetTenancy | Self::ListRegions => Needs::All(&["TENANCY_INSPECT"]),
            Self::HeadObject => Needs::Any(&["OBJECT_INSPECT", "OBJECT_READ"]),
            Self::ListObjects => Needs::All(&["OBJECT_INSPECT"]),
            Self::ListSecretBundleVersions => Needs::All(&["SECRET_BUNDLE_INSPECT"]),
            Self::ListVcns => Needs::All(&["VCN_READ"]),
            Self::PutObject { overwrites: false } => Needs::All(&["OBJECT_CREATE"]),
            Self::PutObject { overwrites: true } => Needs::All(&["OBJECT_OVERWRITE"]),
        }
    }
}

/// The permissions that a request needs.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Needs<'a> {
    /// Each of these. Of none, whoever is known may do it.
    All(&'a [&'a str]),
    /// One of these.
    Any(&'a [&'a str]),
}

impl<'a> Needs<'a> {
    pub(super) const fn permissions(self) -> &'a [&'a str] {
        match self {
            Self::All(permissions) | Self::Any(permissions) => permissions,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::resource::find_permission;
    use super::*;

    const ALL: [Operation; 17] = [
        Operation::AuthenticateClient,
        Operation::DeleteObject,
        Operation::FilterGroupMembership,
        Operation::GetBucket,
        Operation::GetNamespace { of_compartment: false },
        Operation::GetNamespace { of_compartment: true },
        Operation::GetObject,
        Operation::GetSecretBundle,
        Operation::GetSecretBundleByName,
        Operation::GetTenancy,
        Operation::HeadObject,
        Operation::ListObjects,
        Operation::ListRegions,
        Operation::ListSecretBundleVersions,
        Operation::ListVcns,
        Operation::PutObject { overwrites: false },
        Operation::PutObject { overwrites: true },
    ];

    #[test]
    fn some_verb_gives_what_an_operation_needs() {
        for operation in ALL {
            for permission in operation.needs().permissions() {
                assert!(find_permission(permission).is_some(), "{operation:?}: {permission}");
            }
            assert!(format!("{operation:?}").starts_with(operation.name()));
        }
    }

    #[test]
    fn only_the_callers_own_namespace_needs_nothing() {
        for operation in ALL {
            let free = operation.needs().permissions().is_empty();
            assert_eq!(free, operation == Operation::GetNamespace { of_compartment: false });
        }
    }
}
