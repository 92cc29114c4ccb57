//! The matching rules of dynamic groups.

use super::caller::{Caller, CallerKind};
use super::cursor::Cursor;
use super::error::{Fault, PolicyError};
use super::node::Node;

/// A rule that says which resources a dynamic group holds.
///
/// The variables are `instance.id`, `instance.compartment.id`, `resource.id`,
/// `resource.compartment.id`, `resource.type` and `tag.<namespace>.<key>.value`, compared by
/// `=` or `!=` with a value in single quotes; a tag alone asks whether it is there.
/// `all {…}` and `any {…}` join conditions.
///
/// Source: Oracle's documentation, "Writing Matching Rules to Define Dynamic Groups". What it
/// does not say, and what is done here:
///
/// - `instance.*` is about instances only and `resource.*` about every other resource. A
///   condition on a variable that the caller does not have is false, with `!=` too; so no rule
///   takes in users. (The documentation says that `resource.*` is for all supported resource
///   types; whether these include instances it leaves open.)
/// - A compartment is that one alone, not those beneath it.
/// - The namespace and key of a tag, and the value of `resource.type`, are compared in any
///   case: Oracle's own examples write `ApiGateway` and `apigateway`. Other values are exact.
/// - `!=` on a tag that the caller does not carry is false.
/// - `all` and `any` nest, and double quotes do.
///
/// Free-form tags do not count, here as there.
#[derive(Clone, Debug)]
pub(crate) struct MatchingRule {
    root: Node<Condition>,
}

impl MatchingRule {
    /// Read a rule of at most 4,096 bytes.
    pub(crate) fn parse(text: &str) -> Result<Self, PolicyError> {
        let mut cursor = Cursor::new(text)?;
        let root = Node::parse(&mut cursor, Condition::parse)?;
        cursor.end("the end")?;
        Ok(Self { root })
    }

    /// Whether the caller is in a group with this rule.
    pub(crate) fn matches(&self, who: &Caller<'_>) -> bool {
        !who.is_user() && self.root.holds(&|condition| condition.holds(who))
    }
}

#[derive(Clone, Debug)]
struct Condition {
    variable: Variable,
    relation: Relation,
}

#[derive(Clone, Debug)]
enum Variable {
    InstanceCompartment,
    InstanceId,
    ResourceCompartment,
    ResourceId,
    ResourceType,
    Tag { namespace: String, key: String },
}

#[derive(Clone, Debug)]
enum Relation {
    Equal(String),
    Exists,
    NotEqual(String),
}

impl Condition {
    fn parse(cursor: &mut Cursor<'_>) -> Result<Self, PolicyError> {
        let unknown = cursor.fault(Fault::UnknownVariable);
        let missing = cursor.expected("a condition");
        let variable = cursor.word().ok_or(missing)?;
        let variable = Variable::parse(variable).ok_or(unknown)?;
        let relation: fn(String) -> Relation = if cursor.symbol("!=") {
            Relation::NotEqual
        } else if cursor.symbol("=") {
            Relation::Equal
        } else if matches!(variable, Variable::Tag { .. }) {
            return Ok(Self { variable, relation: Relation::Exists });
        } else {
            return Err(cursor.expected("`=` or `!=`"));
        };
        let missing = cursor.expected("a value in quotes");
        let value = cursor.quoted()?.ok_or(missing)?;
        Ok(Self { variable, relation: relation(value.to_owned()) })
    }

    fn holds(&self, who: &Caller<'_>) -> bool {
        let Some(value) = self.variable.value(who) else { return false };
        let equal = |wanted: &str| match self.variable {
            Variable::ResourceType => value.eq_ignore_ascii_case(wanted),
            _ => value == wanted,
        };
        match &self.relation {
            Relation::Equal(wanted) => equal(wanted),
            Relation::Exists => true,
            Relation::NotEqual(unwanted) => !equal(unwanted),
        }
    }
}

impl Variable {
    fn parse(name: &str) -> Option<Self> {
        let known = [
            ("instance.compartment.id", Self::InstanceCompartment),
            ("instance.id", Self::InstanceId),
            ("resource.compartment.id", Self::ResourceCompartment),
            ("resource.id", Self::ResourceId),
            ("resource.type", Self::ResourceType),
        ];
        if let Some((_, it)) = known.into_iter().find(|(it, _)| it.eq_ignore_ascii_case(name)) {
            return Some(it);
        }
        let mut parts = name.split('.');
        let [tag, namespace, key, value] = [(); 4].map(|()| parts.next().unwrap_or_default());
        let whole = parts.next().is_none() && !namespace.is_empty() && !key.is_empty();
        let is_tag = tag.eq_ignore_ascii_case("tag") && value.eq_ignore_ascii_case("value");
        (whole && is_tag).then(|| Self::Tag { namespace: namespace.into(), key: key.into() })
    }

    /// What the caller has for it, if anything.
    fn value<'a>(&self, who: &Caller<'a>) -> Option<&'a str> {
        let instance = who.kind == CallerKind::Instance;
        match self {
            Self::InstanceCompartment => instance.then_some(who.compartment_id),
            Self::InstanceId => instance.then_some(who.id),
            Self::ResourceCompartment => (!instance).then_some(who.compartment_id),
            Self::ResourceId => (!instance).then_some(who.id),
            Self::ResourceType => (!instance).then_some(who.principal_type()),
            Self::Tag { namespace, key } => {
                let same = |a: &str, b: &str| a.eq_ignore_ascii_case(b);
                let mut tags = who.tags.iter();
                tags.find(|(space, name, _)| same(space, namespace) && same(name, key))
                    .map(|(_, _, value)| *value)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTANCE: Caller<'_> = Caller {
        id: "ocid1.instance.oc1.phx.i",
        kind: CallerKind::Instance,
        compartment_id: "ocid1.compartment.oc1..a",
        tags: &[("department", "operations", "45")],
        groups: &[],
    };
    const FUNCTION: Caller<'_> = Caller {
        id: "ocid1.fnfunc.oc1.phx.f",
        kind: CallerKind::Resource { resource_type: "fnfunc" },
        tags: &[],
        ..INSTANCE
    };
    const USER: Caller<'_> = Caller { id: "ocid1.user.oc1..u", kind: CallerKind::User, ..INSTANCE };

    fn matches(rule: &str, who: &Caller<'_>) -> bool {
        MatchingRule::parse(rule).unwrap().matches(who)
    }

    #[test]
    fn oracles_example_rules_match_what_they_say() {
        let other = Caller { compartment_id: "ocid1.compartment.oc1..b", ..INSTANCE };
        let rule = "instance.compartment.id = 'ocid1.compartment.oc1..a'";
        assert!(matches(rule, &INSTANCE));
        assert!(!matches(rule, &other) && !matches(rule, &FUNCTION));

        let rule = "Any {instance.compartment.id = 'ocid1.compartment.oc1..a', \
                    instance.compartment.id = 'ocid1.compartment.oc1..b'}";
        assert!(matches(rule, &INSTANCE) && matches(rule, &other));
        assert!(!matches(rule, &Caller { compartment_id: "ocid1.compartment.oc1..c", ..other }));

        let rule = "All {resource.id = 'ocid1.fnfunc.oc1.phx.f', \
                    resource.compartment.id = 'ocid1.compartment.oc1..a'}";
        assert!(matches(rule, &FUNCTION));
        assert!(!matches(rule, &Caller { compartment_id: "ocid1.compartment.oc1..b", ..FUNCTION }));

        let rule = "All {resource.type = 'fnfunc', \
                    resource.compartment.id = 'ocid1.compartment.oc1..a'}";
        assert!(matches(rule, &FUNCTION) && !matches(rule, &INSTANCE));

        let rule = "tag.department.operations.value";
        assert!(matches(rule, &INSTANCE) && !matches(rule, &FUNCTION));

        let rule = "All {instance.compartment.id = 'ocid1.compartment.oc1..a',\n\
                    tag.department.operations.value = '45'}";
        assert!(matches(rule, &INSTANCE));
        assert!(!matches(
            rule,
            &Caller { tags: &[("department", "operations", "46")], ..INSTANCE }
        ));

        let rule = "all {instance.compartment.id = 'ocid1.compartment.oc1..a', \
                    instance.id != 'ocid1.instance.oc1.phx.i', instance.id != 'x'}";
        assert!(!matches(rule, &INSTANCE));
        assert!(matches(rule, &Caller { id: "ocid1.instance.oc1.phx.j", ..INSTANCE }));
    }

    #[test]
    fn a_variable_that_the_caller_does_not_have_makes_its_condition_false() {
        for rule in ["instance.id = 'x'", "instance.id != 'x'", "instance.compartment.id != 'x'"] {
            assert!(!matches(rule, &FUNCTION), "{rule}");
        }
        for rule in ["resource.type != 'x'", "resource.id != 'x'", "resource.compartment.id != 'x'"]
        {
            assert!(!matches(rule, &INSTANCE), "{rule}");
        }
        assert!(!matches("tag.department.operations.value != '46'", &FUNCTION));
        assert!(matches("tag.department.operations.value != '46'", &INSTANCE));
        assert!(matches("any {instance.id = 'x', resource.type = 'fnfunc'}", &FUNCTION));
    }

    #[test]
    fn no_rule_takes_in_a_user() {
        for rule in ["resource.id != 'x'", "tag.department.operations.value", "instance.id != 'x'"]
        {
            assert!(!matches(rule, &USER), "{rule}");
        }
    }

    #[test]
    fn types_and_tag_names_have_no_case_and_other_values_have() {
        assert!(matches("resource.type = 'FnFunc'", &FUNCTION));
        assert!(matches("RESOURCE.TYPE = \"fnfunc\"", &FUNCTION));
        assert!(matches("tag.Department.OPERATIONS.value = '45'", &INSTANCE));
        assert!(!matches("instance.id = 'OCID1.instance.oc1.phx.i'", &INSTANCE));
        let tagged = Caller { tags: &[("a", "b", "Yes")], ..INSTANCE };
        assert!(!matches("tag.a.b.value = 'yes'", &tagged));
    }

    #[test]
    fn a_rule_that_cannot_be_read_says_where() {
        for (rule, message) in [
            ("", "expected a condition at offset 0, found the end"),
            ("instance.id", "expected `=` or `!=` at offset 11, found the end"),
            ("instance.id = x", "expected a value in quotes at offset 14, found `x`"),
            ("instance.name = 'x'", "unknown variable: `instance.name` at offset 0"),
            ("tag.a.value = 'x'", "unknown variable: `tag.a.value` at offset 0"),
            ("tag.a.b.c.value = 'x'", "unknown variable: `tag.a.b.c.value` at offset 0"),
            ("tag..b.value", "unknown variable: `tag..b.value` at offset 0"),
            ("instance.id = 'x", "a quote without an end: `'x` at offset 14"),
            ("instance.id = 'x' extra", "expected the end at offset 18, found `extra`"),
            ("instance.id = 'x', instance.id = 'y'", "expected the end at offset 17, found `,`"),
            ("All {instance.id = 'x'", "expected `,` or `}` at offset 22, found the end"),
            ("instance.id in ('x')", "expected `=` or `!=` at offset 12, found `in`"),
        ] {
            assert_eq!(MatchingRule::parse(rule).unwrap_err().to_string(), message, "{rule}");
        }
    }
}
