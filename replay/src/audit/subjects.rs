//! Findings about subjects: what went wrong with an agreement, a mail, a seat or anything else that
//! an event can be about, rather than with a landing.

use super::beside::beside;
use super::evidence::Evidence;
use super::exhibits::Exhibits;
use super::finding::{About, Confidence, Finding, FindingState, identity};
use super::others::Others;
use super::report::decided;
use super::rules::{Breach, Check, RULES, Rule, Scene};
use ledger::event::Event;
use ledger::id::{CustomerId, LicenseId, OrderId};
use ledger::subject::{Subject, SubjectKind};
use projections::At;
use std::collections::{BTreeMap, BTreeSet};

/// Which events are at hand when subjects are judged. A large log is judged in two worlds, because there is
/// no room for all of its events at once: the machines, which most events are about, a few at a time
/// with whatever belongs to them; and everything else together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum World {
    /// All events.
    All,
    /// Those that [`Role`](super::streamed::role::Role) says are about machines, of some of these.
    Machines,
    /// All but those.
    Rest,
}

impl World {
    /// Whether a rule about subjects of a kind finds here what it reads.
    pub(super) fn has(self, kind: SubjectKind, rule: &Rule) -> bool {
        let of_machines = match kind {
            SubjectKind::Seat | SubjectKind::Person => true,
            // What revalidates is the machines of a tenant together.
            SubjectKind::Tenant => rule.family() == "REV",
            SubjectKind::Customer
            | SubjectKind::Partner
            | SubjectKind::Agreement
            | SubjectKind::Pcn
            | SubjectKind::Order
            | SubjectKind::Key
            | SubjectKind::Email
            | SubjectKind::Link
            | SubjectKind::Activation
            | SubjectKind::Session
            | SubjectKind::Subscription
            | SubjectKind::Redemption
            | SubjectKind::Credit
            | SubjectKind::Case
            | SubjectKind::Finding => false,
        };
        match self {
            Self::All => true,
            Self::Machines => of_machines,
            Self::Rest => !of_machines,
        }
    }
}

/// Every finding about a subject, in no particular order. Costs a pass over the events of every
/// subject of the kinds that a rule is about.
pub(super) fn subject_findings(
    at: &At<'_>,
    evidence: &Evidence,
    others: Others<'_>,
    world: World,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (kind, rules) in rules_by_kind(world) {
        let subjects = at.subjects(kind);
        let ids: Vec<&str> = subjects.into_keys().collect();
        findings.extend(beside(at, &ids, |at, id| {
            of_one(at, &Subject::new(kind, id), evidence, others, &rules)
        }));
    }
    findings.into_iter().flatten().collect()
}

/// The rules about subjects that a world has what they read for, by the kind that they are about.
pub(super) fn rules_by_kind(world: World) -> Vec<(SubjectKind, Vec<&'static Rule>)> {
    let kinds = SubjectKind::ALL.iter();
    let rules = kinds.map(|kind| {
        let about = |rule: &&Rule| {
            matches!(rule.check, Check::Subject(of, _) if of == *kind) && world.has(*kind, rule)
        };
        (*kind, RULES.iter().filter(about).collect::<Vec<_>>())
    });
    rules.filter(|(_, rules)| !rules.is_empty()).collect()
}

/// The findings about one subject.
pub(super) fn of_one(
    at: &At<'_>,
    subject: &Subject,
    evidence: &Evidence,
    others: Others<'_>,
    rules: &[&'static Rule],
) -> Vec<Finding> {
    let events: Vec<&Event> = at.of(subject).collect();
    let scene = Scene {
        subject,
        events: &events,
        at,
        evidence,
        others,
        machines: None,
    };
    of_scene(&scene, rules)
}

/// What breaches share that make one finding: the family of their rules, the subject, and the key.
type Together = (&'static str, Subject, String);

/// The breaches of one subject: those of one family with one key are one finding.
pub(super) fn of_scene(scene: &Scene<'_>, rules: &[&'static Rule]) -> Vec<Finding> {
    let mut together: BTreeMap<Together, Vec<(&'static Rule, Breach)>> = BTreeMap::new();
    for rule in rules {
        let Check::Subject(_, check) = rule.check else {
            continue;
        };
        for breach in check(scene).unwrap_or_default() {
            let key = (rule.family(), breach.about.clone(), breach.key.clone());
            together.entry(key).or_default().push((rule, breach));
        }
    }
    let made = together.into_iter();
    made.filter_map(|((family, about, key), breaches)| {
        finding(scene, family, &about, &key, &breaches)
    })
    .collect()
}

fn finding(
    scene: &Scene<'_>,
    family: &str,
    about: &Subject,
    key: &str,
    breaches: &[(&'static Rule, Breach)],
) -> Option<Finding> {
    let evidence = scene.evidence;
    let when = |event| {
        let known = evidence.occurred.get(&event).copied();
        known.or_else(|| Some(scene.at.event(event)?.occurred_at))
    };
    let (mut support, mut counter) = (Exhibits::default(), Exhibits::default());
    for (_, breach) in breaches {
        support.add_all(&breach.hit.evidence);
        counter.add_all(&breach.hit.counter_evidence);
    }
    let counter_evidence = counter.in_order(when);
    let confidence = breaches.iter().map(|(_, breach)| breach.hit.confidence);
    let mut confidence = confidence.max().unwrap_or(Confidence::thousandths(0));
    for _ in 0..counter_evidence.len() {
        confidence = confidence.lowered();
    }
    let severity = breaches
        .iter()
        .map(|(_, breach)| breach.hit.severity)
        .max()?;
    let (_, first) = breaches
        .iter()
        .max_by_key(|(rule, breach)| (breach.hit.severity, std::cmp::Reverse(rule.code)))?;
    let mut subjects: BTreeSet<&Subject> = BTreeSet::from([about]);
    subjects.extend(breaches.iter().flat_map(|(_, breach)| &breach.subjects));
    let whose = Whose::of(&subjects, evidence);
    let mut finding = Finding {
        id: identity(&["subject", family, &shown(about), key])?,
        codes: breaches.iter().map(|(rule, _)| rule.code).collect(),
        severity,
        confidence,
        state: FindingState::Open,
        about: About::Subject(about.clone()),
        at: first.at,
        customer: whose.customer,
        license_id: whose.license_id,
        order: whose.order,
        subjects: subjects.iter().map(ToString::to_string).collect(),
        evidence: support.in_order(when),
        counter_evidence,
        path: Vec::new(),
        effects: Vec::new(),
        portal: None,
        summary: first.summary.clone(),
        next_step: first.next_step.clone(),
    };
    let settled: Vec<_> = breaches.iter().map(|(_, breach)| &breach.settled).collect();
    finding.state = match settled.iter().all(|settled| settled.is_some()) {
        true => FindingState::Compensated,
        false => decided(evidence, &finding),
    };
    match finding.state {
        FindingState::Compensated => {
            let how = settled.iter().find_map(|settled| settled.as_ref());
            let how = how.map_or("it was put right", |(_, how)| how);
            finding.next_step = format!("nothing: {how}");
        }
        FindingState::Dismissed => "nothing: it was dismissed".clone_into(&mut finding.next_step),
        FindingState::Open | FindingState::Reopened | FindingState::Confirmed => {}
    }
    Some(finding)
}

/// A subject as it counts for an identity: a key by its last five characters, so that the finding is
/// the same under every pepper.
fn shown(subject: &Subject) -> String {
    match (subject.kind, subject.id.rsplit_once('-')) {
        (SubjectKind::Key, Some((_, last5))) => format!("key …{last5}"),
        _ => subject.to_string(),
    }
}

/// Whose trouble it is, as far as the subjects say.
struct Whose {
    customer: Option<CustomerId>,
    license_id: Option<LicenseId>,
    order: Option<OrderId>,
}

impl Whose {
    fn of(subjects: &BTreeSet<&Subject>, evidence: &Evidence) -> Self {
        let of_kind = |kind| subjects.iter().find(move |subject| subject.kind == kind);
        let order = of_kind(SubjectKind::Order).and_then(|s| OrderId::new(&s.id).ok());
        let facts = order.as_ref().and_then(|order| evidence.orders.get(order));
        let license_id = of_kind(SubjectKind::Agreement)
            .and_then(|subject| LicenseId::new(&subject.id).ok())
            .or_else(|| facts.and_then(|order| order.license_id.clone()));
        let agreement = license_id
            .as_ref()
            .and_then(|id| evidence.agreements.get(id));
        let signed = agreement.and_then(|agreement| agreement.customer.as_ref());
        let ordered = facts.and_then(|order| order.end_customer.as_ref());
        let named = of_kind(SubjectKind::Customer).and_then(|s| CustomerId::new(&s.id).ok());
        let known = ordered.or(signed).map(|known| known.value.clone());
        Self {
            customer: named.or(known),
            license_id,
            order,
        }
    }
}
