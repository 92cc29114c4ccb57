//! Who calls.

/// The principal that signed a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caller<'a> {
    /// Its OCID: the user's, the instance's or the resource's.
    pub(crate) id: &'a str,
    /// What it is.
    pub(crate) kind: CallerKind<'a>,
    /// The OCID of the compartment it lies in; a user's is the tenancy.
    pub(crate) compartment_id: &'a str,
    /// Its defined tags: namespace, key and value.
    pub(crate) tags: &'a [(&'a str, &'a str, &'a str)],
    /// The OCIDs of the groups it is in. Only a user is in groups.
    pub(crate) groups: &'a [&'a str],
}

/// What kind of principal calls.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum CallerKind<'a> {
    /// A compute instance, by its instance principal.
    Instance,
    /// Another resource, by its resource principal.
    Resource {
        /// The type as its OCID has it: `fnfunc`.
        resource_type: &'a str,
    },
    /// A user.
    User,
}

impl<'a> Caller<'a> {
    /// The value of `request.principal.type`.
    pub(super) const fn principal_type(&self) -> &'a str {
        match self.kind {
            CallerKind::Instance => "instance",
            CallerKind::Resource { resource_type } => resource_type,
            CallerKind::User => "user",
        }
    }

    pub(super) const fn is_user(&self) -> bool {
        matches!(self.kind, CallerKind::User)
    }
}
