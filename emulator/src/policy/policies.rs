//! A tenancy's compartments, groups and statements.

use super::caller::Caller;
use super::error::{Fault, PolicyError};
use super::rule::MatchingRule;
use super::statement::{GroupRef, Location, Statement};

/// All that decides over access in one tenancy.
///
/// Define compartments from the tenancy downwards, then groups and dynamic groups, then
/// statements. A statement may name a group that is not defined: it is about nobody.
///
/// ```text
/// let mut policies = Policies::new("ocid1.tenancy.oc1..t", "acme");
/// policies.add_compartment("ocid1.compartment.oc1..p", "Prod", "ocid1.tenancy.oc1..t")?;
/// let rule = MatchingRule::parse("instance.compartment.id = 'ocid1.compartment.oc1..p'")?;
/// policies.add_dynamic_group("prod", "ocid1.dynamicgroup.oc1..d", rule)?;
/// let text = "Allow dynamic-group prod to read objects in compartment Prod";
/// policies.add_statement("ocid1.tenancy.oc1..t", text)?;
/// let decision = policies.decide(&caller, &Request::new(Operation::GetObject, "ocid1.comp…", &[]));
/// ```
#[derive(Clone, Debug)]
pub(crate) struct Policies {
    /// The tenancy first, and none before its parent.
    compartments: Vec<Compartment>,
    pub(super) dynamic_groups: Vec<DynamicGroup>,
    pub(super) groups: Vec<Group>,
    pub(super) statements: Vec<Attached>,
}

#[derive(Clone, Debug)]
struct Compartment {
    id: String,
    name: String,
    parent: Option<usize>,
}

#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) id: String,
    /// The name as it was given.
    pub(super) name: String,
    full_name: GroupRef,
}

impl Group {
    fn new(name: &str, id: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned(), full_name: GroupRef::named(name) }
    }

    /// Whether a statement means this group. A domain has no case, as in Oracle's examples.
    pub(super) fn is(&self, group: &GroupRef) -> bool {
        match (group, &self.full_name) {
            (GroupRef::Id(id), _) => *id == self.id,
            (GroupRef::Name { domain, name }, GroupRef::Name { domain: own, name: known }) => {
                domain.eq_ignore_ascii_case(own) && name == known
            }
            _ => false,
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct DynamicGroup {
    pub(super) group: Group,
    pub(super) rule: MatchingRule,
}

/// A statement, and the compartment that its location turned out to be.
#[derive(Clone, Debug)]
pub(super) struct Attached {
    pub(super) statement: Statement,
    pub(super) location: usize,
}

impl Policies {
    /// A tenancy in which nobody may do anything.
    pub(crate) fn new(tenancy_id: &str, name: &str) -> Self {
        let root = Compartment { id: tenancy_id.to_owned(), name: name.to_owned(), parent: None };
        Self {
            compartments: vec![root],
            dynamic_groups: Vec::new(),
            groups: Vec::new(),
            statements: Vec::new(),
        }
    }

    /// Define a compartment beneath the tenancy or a compartment defined before.
    pub(crate) fn add_compartment(
        &mut self,
        id: &str,
        name: &str,
        parent_id: &str,
    ) -> Result<(), PolicyError> {
        let unknown = || PolicyError::new(Fault::UnknownCompartment, 0, parent_id);
        let parent = self.find(parent_id).ok_or_else(unknown)?;
        if self.find(id).is_some() {
            return Err(PolicyError::new(Fault::Duplicate, 0, id));
        }
        if self.child(parent, |it| it.name == name).is_some() {
            return Err(PolicyError::new(Fault::Duplicate, 0, name));
        }
        let parent = Some(parent);
        self.compartments.push(Compartment { id: id.to_owned(), name: name.to_owned(), parent });
        Ok(())
    }

    /// Define a group of users: `name`, or `domain/name`.
    pub(crate) fn add_group(&mut self, name: &str, id: &str) -> Result<(), PolicyError> {
        let group = self.new_group(name, id)?;
        self.groups.push(group);
        Ok(())
    }

    /// Define a dynamic group: `name`, or `domain/name`. No group of users has the same.
    pub(crate) fn add_dynamic_group(
        &mut self,
        name: &str,
        id: &str,
        rule: MatchingRule,
    ) -> Result<(), PolicyError> {
        let group = self.new_group(name, id)?;
        self.dynamic_groups.push(DynamicGroup { group, rule });
        Ok(())
    }

    /// Add a statement of a policy attached to this compartment; gives its number, from 1.
    ///
    /// The location is looked for from there, as in Oracle's documentation, "Policies and
    /// Compartment Hierarchies": a path begins at a child of that compartment, or at itself.
    /// It is an error if there is none, or if the statement reaches beyond the compartment.
    pub(crate) fn add_statement(
        &mut self,
        attached_to: &str,
        text: &str,
    ) -> Result<usize, PolicyError> {
        let statement = Statement::parse(text)?;
        let unknown = || PolicyError::new(Fault::UnknownCompartment, 0, attached_to);
        let from = self.find(attached_to).ok_or_else(unknown)?;
        let location = self.locate(from, &statement)?;
        self.statements.push(Attached { statement, location });
        Ok(self.statements.len())
    }

    /// The OCIDs of the dynamic groups that the caller is in.
    pub(crate) fn dynamic_groups_of(&self, who: &Caller<'_>) -> impl Iterator<Item = &str> {
        let matching = self.dynamic_groups.iter().filter(|it| it.rule.matches(who));
        matching.map(|it| it.group.id.as_str())
    }

    /// The compartment with this id.
    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.compartments.iter().position(|it| it.id == id)
    }

    /// The name of a compartment, which is the value of `target.compartment.name`.
    pub(super) fn compartment_name(&self, index: usize) -> &str {
        self.compartments.get(index).map_or("", |it| &it.name)
    }

    /// The path of a compartment from the tenancy, for people.
    pub(super) fn path(&self, index: usize) -> String {
        let mut names: Vec<_> = self.upwards(index).map(|it| self.compartment_name(it)).collect();
        names.pop();
        names.reverse();
        if names.is_empty() { "the tenancy".into() } else { names.join(":") }
    }

    /// Whether the one compartment is the other, or lies beneath it.
    pub(super) fn lies_in(&self, inner: usize, outer: usize) -> bool {
        self.upwards(inner).any(|it| it == outer)
    }

    /// The compartment and those above it. It ends, for parents come before.
    fn upwards(&self, index: usize) -> impl Iterator<Item = usize> {
        let parent = |it: &usize| self.compartments.get(*it).and_then(|it| it.parent);
        std::iter::successors(Some(index), parent)
    }

    fn child(&self, of: usize, is: impl Fn(&Compartment) -> bool) -> Option<usize> {
        self.compartments.iter().position(|it| it.parent == Some(of) && is(it))
    }

    fn locate(&self, from: usize, statement: &Statement) -> Result<usize, PolicyError> {
        let fail = |fault, piece: &str| PolicyError::new(fault, statement.location_offset, piece);
        let (found, piece) = match &statement.location {
            Location::Tenancy => (Some(0), "tenancy"),
            Location::Id(id) => (self.find(id), id.as_str()),
            Location::Path(path) => {
                let mut found = Some(from);
                for (depth, name) in path.iter().enumerate() {
                    let is = |it: &Compartment| it.name == *name || it.id == *name;
                    let itself = || depth == 0 && self.compartments.get(from).is_some_and(is);
                    found = found.and_then(|it| self.child(it, is).or(itself().then_some(from)));
                    if found.is_none() {
                        return Err(fail(Fault::UnknownCompartment, name));
                    }
                }
                (found, "")
            }
        };
        let found = found.ok_or_else(|| fail(Fault::UnknownCompartment, piece))?;
        if self.lies_in(found, from) { Ok(found) } else { Err(fail(Fault::OutsidePolicy, piece)) }
    }

    fn new_group(&self, name: &str, id: &str) -> Result<Group, PolicyError> {
        let group = Group::new(name, id);
        let known = || self.groups.iter().chain(self.dynamic_groups.iter().map(|it| &it.group));
        if known().any(|it| it.id == id) {
            return Err(PolicyError::new(Fault::Duplicate, 0, id));
        }
        if known().any(|it| it.is(&group.full_name)) {
            return Err(PolicyError::new(Fault::Duplicate, 0, name));
        }
        Ok(group)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hierarchy of Oracle's documentation.
    fn tenancy() -> Policies {
        let mut policies = Policies::new("t", "acme");
        policies.add_compartment("a", "CompartmentA", "t").unwrap();
        policies.add_compartment("b", "CompartmentB", "a").unwrap();
        policies.add_compartment("c", "CompartmentC", "b").unwrap();
        policies.add_compartment("other", "Other", "t").unwrap();
        policies
    }

    fn locate(attached_to: &str, location: &str) -> Result<String, String> {
        let mut policies = tenancy();
        let text = format!("Allow any-user to use keys in {location}");
        match policies.add_statement(attached_to, &text) {
            Ok(number) => {
                assert_eq!(number, 1);
                Ok(policies.path(policies.statements[0].location))
            }
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_path_begins_at_a_child_of_the_compartment_attached_to_or_at_itself() {
        let c = Ok("CompartmentA:CompartmentB:CompartmentC".to_owned());
        assert_eq!(locate("c", "compartment CompartmentC"), c);
        assert_eq!(locate("b", "compartment CompartmentC"), c);
        assert_eq!(locate("a", "compartment CompartmentB:CompartmentC"), c);
        assert_eq!(locate("t", "compartment CompartmentA:CompartmentB:CompartmentC"), c);
        assert_eq!(locate("t", "compartment a:CompartmentB:'c'"), c);
        assert_eq!(locate("t", "compartment id c"), c);
        assert_eq!(locate("t", "tenancy"), Ok("the tenancy".into()));
        assert_eq!(locate("t", "compartment id t"), Ok("the tenancy".into()));
    }

    #[test]
    fn a_statement_reaches_no_further_than_its_policy() {
        let outside = "not in the compartment that the policy is attached to";
        for (attached_to, location, message) in [
            ("t", "compartment CompartmentC", "unknown compartment: `CompartmentC` at offset 42"),
            ("a", "compartment CompartmentC", "unknown compartment: `CompartmentC` at offset 42"),
            ("t", "compartment compartmenta", "unknown compartment: `compartmenta` at offset 42"),
            ("t", "compartment CompartmentA:X", "unknown compartment: `X` at offset 42"),
            ("a", "compartment Other", "unknown compartment: `Other` at offset 42"),
            (
                "a",
                "compartment CompartmentB:CompartmentA",
                "unknown compartment: `CompartmentA` at offset 42",
            ),
            ("t", "compartment id x", "unknown compartment: `x` at offset 42"),
            ("a", "tenancy", &format!("{outside}: `tenancy` at offset 30")),
            ("a", "compartment id other", &format!("{outside}: `other` at offset 42")),
            ("b", "compartment id a", &format!("{outside}: `a` at offset 42")),
            ("x", "tenancy", "unknown compartment: `x` at offset 0"),
        ] {
            assert_eq!(locate(attached_to, location), Err(message.into()), "{location}");
        }
    }

    #[test]
    fn an_id_is_defined_once_and_a_name_once_among_its_siblings() {
        let mut policies = tenancy();
        let message = |result: Result<(), PolicyError>| result.unwrap_err().to_string();
        assert_eq!(
            message(policies.add_compartment("a", "New", "t")),
            "defined twice: `a` at offset 0"
        );
        assert_eq!(
            message(policies.add_compartment("n", "CompartmentA", "t")),
            "defined twice: `CompartmentA` at offset 0"
        );
        assert_eq!(
            message(policies.add_compartment("n", "New", "x")),
            "unknown compartment: `x` at offset 0"
        );
        policies.add_compartment("n", "CompartmentA", "a").unwrap();

        let rule = MatchingRule::parse("instance.id = 'x'").unwrap();
        policies.add_group("G", "g").unwrap();
        policies.add_group("Other/G", "g2").unwrap();
        policies.add_dynamic_group("D", "d", rule.clone()).unwrap();
        let twice = |what: &str| format!("defined twice: `{what}` at offset 0");
        assert_eq!(message(policies.add_group("H", "d")), twice("d"));
        assert_eq!(message(policies.add_group("default/G", "g3")), twice("default/G"));
        assert_eq!(message(policies.add_group("D", "g3")), twice("D"));
        assert_eq!(message(policies.add_dynamic_group("G", "g3", rule)), twice("G"));
    }
}
