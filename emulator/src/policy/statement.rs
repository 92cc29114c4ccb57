//! Policy statements.

use super::condition::Condition;
use super::cursor::Cursor;
use super::error::{Fault, PolicyError, one_line};
use super::resource::{Resource, Verb, known_permission};

/// One statement of a policy: who may do what, where, and on which condition.
///
/// `Allow <subject> to <verb> <resource-type> in <location> [where <condition>]`, or
/// `{PERMISSION, …}` in place of verb and resource type.
///
/// - A subject is `any-user`, `any-group`, or a list behind `group` or `dynamic-group`: names,
///   `domain/name`, or `id <ocid>`, in quotes or not. The domain is `Default` if none is named.
///   `any-user` and `any-group` differ in service principals only, which the emulator has not.
/// - A location is `tenancy`, `compartment <name>`, `compartment <name>:<name>` or
///   `compartment id <ocid>`. It is resolved where the statement is attached.
/// - Keywords, resource types and permissions have no case; names have.
/// - A resource type or permission that the emulator does not know is an error, as is what OCI
///   has and the emulator has not: `define`, `endorse`, `admit` and `deny` statements, and
///   services as subjects.
///
/// Source: Oracle's documentation, "Policy Syntax", "Subjects", "Locations", "Verbs".
#[derive(Clone, Debug)]
pub(crate) struct Statement {
    /// The text, on one line.
    pub(super) text: String,
    pub(super) subject: Subject,
    pub(super) grant: Grant,
    pub(super) location: Location,
    /// Where the location stands in the text as given.
    pub(super) location_offset: usize,
    pub(super) condition: Option<Condition>,
}

/// Whom a statement is about.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// `any-user` or `any-group`.
    Anyone,
    DynamicGroups(Vec<GroupRef>),
    Groups(Vec<GroupRef>),
}

/// A group, or a dynamic group, as a statement names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum GroupRef {
    Id(String),
    Name { domain: String, name: String },
}

impl GroupRef {
    /// The name with or without a domain before it.
    pub(super) fn named(text: &str) -> Self {
        let (domain, name) = text.split_once('/').unwrap_or((DEFAULT_DOMAIN, text));
        Self::Name { domain: domain.to_owned(), name: name.to_owned() }
    }
}

/// What a statement gives.
#[derive(Clone, Debug)]
pub(super) enum Grant {
    Permissions(Vec<&'static str>),
    Verb(Verb, Resource),
}

impl Grant {
    /// Whether this permission is given.
    pub(super) fn gives(&self, permission: &str) -> bool {
        match self {
            Self::Permissions(permissions) => permissions.contains(&permission),
            Self::Verb(verb, resource) => resource.gives(*verb, permission),
        }
    }
}

/// Where a statement applies, seen from the compartment that it is attached to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Location {
    Id(String),
    Path(Vec<String>),
    Tenancy,
}

impl Statement {
    /// Read a statement of at most 4,096 bytes.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut cursor = Cursor::new(text)?;
        allow(&mut cursor)?;
        let subject = subject(&mut cursor)?;
        let grant = grant(&mut cursor)?;
        if !cursor.keyword("in") {
            return Err(cursor.expected("`in`"));
        }
        let (location, location_offset) = location(&mut cursor)?;
        let mut condition = None;
        if cursor.keyword("where") {
            condition = Some(Condition::parse(&mut cursor)?);
            cursor.end("the end")?;
        }
        cursor.end("`where` or the end")?;
        let text = one_line(text);
        Ok(Self { text, subject, grant, location, location_offset, condition })
    }
}

fn allow(cursor: &mut Cursor<'_>) -> Result<(), PolicyError> {
    for (word, what) in [
        ("admit", "`admit` statements"),
        ("define", "`define` statements"),
        ("deny", "`deny` statements"),
        ("endorse", "`endorse` statements"),
    ] {
        if cursor.peek().eq_ignore_ascii_case(word) {
            return Err(cursor.fault(Fault::NotSupported(what)));
        }
    }
    if cursor.keyword("allow") { Ok(()) } else { Err(cursor.expected("`Allow`")) }
}

/// The subject and the `to` behind it.
fn subject(cursor: &mut Cursor<'_>) -> Result<Subject, PolicyError> {
    if cursor.peek().eq_ignore_ascii_case("service") {
        return Err(cursor.fault(Fault::NotSupported("services as subjects")));
    }
    let list: fn(Vec<GroupRef>) -> Subject = if cursor.keyword("group") {
        Subject::Groups
    } else if cursor.keyword("dynamic-group") {
        Subject::DynamicGroups
    } else if cursor.keyword("any-user") || cursor.keyword("any-group") {
        return if cursor.keyword("to") {
            Ok(Subject::Anyone)
        } else {
            Err(cursor.expected("`to`"))
        };
    } else {
        return Err(cursor.expected("`group`, `dynamic-group`, `any-user` or `any-group`"));
    };
    let mut groups = vec![group(cursor)?];
    while cursor.symbol(",") {
        groups.push(group(cursor)?);
    }
    if cursor.keyword("to") { Ok(list(groups)) } else { Err(cursor.expected("`,` or `to`")) }
}

fn group(cursor: &mut Cursor<'_>) -> Result<GroupRef, PolicyError> {
    if cursor.keyword("id") {
        return cursor.name("an OCID").map(|id| GroupRef::Id(id.to_owned()));
    }
    let name = cursor.name("the name of a group")?;
    if !cursor.symbol("/") {
        return Ok(GroupRef::named(name));
    }
    let domain = name.to_owned();
    let name = cursor.name("the name of a group")?.to_owned();
    Ok(GroupRef::Name { domain, name })
}

fn grant(cursor: &mut Cursor<'_>) -> Result<Grant, PolicyError> {
    if cursor.symbol("{") {
        let mut permissions = vec![permission(cursor)?];
        while cursor.symbol(",") {
            permissions.push(permission(cursor)?);
        }
        return if cursor.symbol("}") {
            Ok(Grant::Permissions(permissions))
        } else {
            Err(cursor.expected("`,` or `}`"))
        };
    }
    let missing = cursor.expected("`inspect`, `read`, `use`, `manage` or `{`");
    let verb = Verb::ALL.into_iter().find(|verb| cursor.keyword(verb.name())).ok_or(missing)?;
    let unknown = cursor.fault(Fault::UnknownResourceType);
    let missing = cursor.expected("a resource type");
    let name = cursor.word().ok_or(missing)?;
    Resource::find(name).map(|resource| Grant::Verb(verb, resource)).ok_or(unknown)
}

fn permission(cursor: &mut Cursor<'_>) -> Result<&'static str, PolicyError> {
    let unknown = cursor.fault(Fault::UnknownPermission);
    let missing = cursor.expected("a permission");
    known_permission(cursor.word().ok_or(missing)?).ok_or(unknown)
}

fn location(cursor: &mut Cursor<'_>) -> Result<(Location, usize), PolicyError> {
    let offset = cursor.offset();
    if cursor.keyword("tenancy") {
        return Ok((Location::Tenancy, offset));
    }
    if !cursor.keyword("compartment") {
        return Err(cursor.expected("`tenancy` or `compartment`"));
    }
    let offset = cursor.offset();
    if cursor.keyword("id") {
        let id = cursor.name("an OCID")?;
        return Ok((Location::Id(id.to_owned()), offset));
    }
    let mut path = vec![cursor.name("the name of a compartment")?.to_owned()];
    while cursor.symbol(":") {
        path.push(cursor.name("the name of a compartment")?.to_owned());
    }
    Ok((Location::Path(path), offset))
}

/// The identity domain of a name without one.
pub(super) const DEFAULT_DOMAIN: &str = "Default";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Statement {
        Statement::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn groups(text: &str) -> Vec<GroupRef> {
        match parse(text).subject {
            Subject::DynamicGroups(groups) | Subject::Groups(groups) => groups,
            Subject::Anyone => Vec::new(),
        }
    }

    fn named(domain: &str, name: &str) -> GroupRef {
        GroupRef::Name { domain: domain.into(), name: name.into() }
    }

    #[test]
    fn oracles_example_statements_are_read() {
        for text in [
            "Allow group A-Admins to manage all-resources in compartment Project-A",
            "Allow \ngroup A-Admins, B-Admins\n to manage all-resources in compartment Projects-A-and-B",
            "Allow group \n id ocid1.group.oc1..aaaaaaaaqjihfhvxmumrl...wuc7i5xwe6s7qmnsbc6a,\n id \
             ocid1.group.oc1..aaaaaaaavhea5mellwzb...66yfxvl462tdgx2oecyq \nto manage all-resources \
             in compartment Projects-A-and-B",
            "Allow any-group to inspect users in tenancy",
            "Allow group Domain-B/Domain-B-Admins to manage all-resources in compartment Project-B",
            "Allow group default/NetworkAdmins to manage virtual-network-family in compartment \
             CompartmentA",
            "Allow group NetworkAdmins to manage virtual-network-family in compartment \
             CompartmentA:CompartmentB:CompartmentC",
            "Allow group id ocid1.group.oc1..exampleuniqueID to manage all-resources in compartment \
             id ocid1.compartment.oc1..exampleuniqueID",
            "Allow group GroupAdmins to manage groups in tenancy where target.group.name = \
             /A-Users-*/",
            "Allow group GroupAdmins to manage groups in tenancy where all \
             {target.group.name=/A-*/,target.group.name!='A-Admins'}",
            "Allow group NetworkAdmins to manage virtual-network-family in tenancy where \
             target.compartment.id != 'ocid1.compartment.oc1..aaaaaaaaexampleocid'",
            "Allow group XYZ to manage groups in tenancy\n where any \
             {request.permission='GROUP_INSPECT',\n      request.permission='GROUP_CREATE',\n      \
             request.permission='GROUP_UPDATE'}",
            "allow group GroupA to manage object-family in tenancy where \
             request.networkSource.name='corpnet'",
            "Allow group ComplianceAuditors to read all-resources in tenancy where \
             request.utc-timestamp.day-of-month = '1'",
            "Allow any-user to {AUTHENTICATION_INSPECT, GROUP_MEMBERSHIP_INSPECT, \n      \
             DYNAMIC_GROUP_INSPECT} in tenancy where request.principal.type = 'mysqldbsystem'",
            "ALLOW DYNAMIC-GROUP 'MyDomain'/'My Group' TO READ secret-bundles IN COMPARTMENT 'Ab c' \
             WHERE TARGET.secret.name = 'x'",
        ] {
            parse(text);
        }
    }

    #[test]
    fn subjects_are_named_with_and_without_domain_and_quotes() {
        let to = "to inspect tenancies in tenancy";
        assert_eq!(groups(&format!("allow group A {to}")), [named("Default", "A")]);
        assert_eq!(
            groups(&format!("allow dynamic-group 'a b' , D/B,'D'/'C', \"E/F\", id ocid1.x {to}")),
            [
                named("Default", "a b"),
                named("D", "B"),
                named("D", "C"),
                named("E", "F"),
                GroupRef::Id("ocid1.x".into()),
            ]
        );
        assert!(matches!(parse(&format!("allow ANY-USER {to}")).subject, Subject::Anyone));
        assert!(matches!(parse(&format!("allow any-group {to}")).subject, Subject::Anyone));
        assert!(matches!(
            parse(&format!("allow dynamic-group a {to}")).subject,
            Subject::DynamicGroups(_)
        ));
        assert!(matches!(parse(&format!("allow group a {to}")).subject, Subject::Groups(_)));
    }

    #[test]
    fn locations_are_the_tenancy_a_path_or_an_ocid() {
        let location =
            |text: &str| parse(&format!("allow any-user to use keys in {text}")).location;
        assert_eq!(location("TENANCY"), Location::Tenancy);
        assert_eq!(location("compartment A"), Location::Path(vec!["A".into()]));
        assert_eq!(
            location("compartment A:'b c' : D"),
            Location::Path(vec!["A".into(), "b c".into(), "D".into()])
        );
        assert_eq!(location("compartment ID ocid1.c"), Location::Id("ocid1.c".into()));
        assert_eq!(location("compartment 'id'"), Location::Path(vec!["id".into()]));
    }

    #[test]
    fn a_statement_that_cannot_be_read_says_where() {
        for (text, message) in [
            ("", "expected `Allow` at offset 0, found the end"),
            ("Alow group A", "expected `Allow` at offset 0, found `Alow`"),
            ("Allow group Admins-Of too", "expected `,` or `to` at offset 22, found `too`"),
            ("Allow any-user too manage", "expected `to` at offset 15, found `too`"),
            (
                "Allow user A to use keys in tenancy",
                "expected `group`, `dynamic-group`, `any-user` or `any-group` at offset 6, found \
                 `user`",
            ),
            ("Allow group ,", "expected the name of a group at offset 12, found `,`"),
            ("Allow group '' to", "expected the name of a group at offset 12, found `'' to`"),
            (
                "Allow group A to write keys in tenancy",
                "expected `inspect`, `read`, `use`, `manage` or `{` at offset 17, found `write`",
            ),
            (
                "Allow group A to read bukkits in tenancy",
                "unknown resource type: `bukkits` at offset 22",
            ),
            (
                "Allow group A to {OBJECT_READ, OBJECT_REED} in tenancy",
                "unknown permission: `OBJECT_REED` at offset 31",
            ),
            ("Allow group A to {} in tenancy", "expected a permission at offset 18, found `}`"),
            ("Allow group A to read keys", "expected `in` at offset 26, found the end"),
            (
                "Allow group A to read keys in the tenancy",
                "expected `tenancy` or `compartment` at offset 30, found `the`",
            ),
            (
                "Allow group A to read keys in compartment A:",
                "expected the name of a compartment at offset 44, found the end",
            ),
            (
                "Allow group A to read keys in tenancy when x",
                "expected `where` or the end at offset 38, found `when`",
            ),
            (
                "Allow group A to read keys in tenancy where request.x = 'a', request.y = 'b'",
                "expected the end at offset 59, found `,`",
            ),
        ] {
            assert_eq!(Statement::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }

    #[test]
    fn what_the_emulator_has_not_is_refused_by_name() {
        for (text, message) in [
            (
                "Define tenancy Acceptor as ocid1.tenancy.oc1..x",
                "`define` statements are not supported: `Define` at offset 0",
            ),
            (
                "Endorse group A to manage object-family in tenancy Acceptor",
                "`endorse` statements are not supported: `Endorse` at offset 0",
            ),
            (
                "admit group A of tenancy Source to read keys in tenancy",
                "`admit` statements are not supported: `admit` at offset 0",
            ),
            (
                "deny any-user to manage policies in tenancy",
                "`deny` statements are not supported: `deny` at offset 0",
            ),
            (
                "Allow service FaaS to use virtual-network-family in compartment C",
                "services as subjects are not supported: `service` at offset 6",
            ),
            (
                "Allow group A to manage all-resources in tenancy where request.utc-timestamp \
                 before '2022-01-01T00:00Z'",
                "conditions on the time are not supported: `before` at offset 77",
            ),
        ] {
            assert_eq!(Statement::parse(text).unwrap_err().to_string(), message, "{text}");
        }
    }
}
