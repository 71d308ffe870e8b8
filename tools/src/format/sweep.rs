//! A sweep over redemptions: where each went, and where it should have gone.

use super::{table, view};
use ledger::id::TenantId;
use ledger::subject::Subject;
use ledger::time::Timestamp;
use projections::Point;
use projections::view::redemption::RedemptionView;
use replay::audit::expectation::Wanted;
use replay::audit::{Finding, FindingState, Report};
use serde_json::{Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// A redemption in a sweep.
pub struct Swept {
    /// Which.
    pub subject: Subject,
    /// When it landed, else when it was submitted, else when it began.
    pub when: Option<Timestamp>,
    view: RedemptionView,
    expected: Expected,
    finding: Option<Told>,
}

/// Where it should have gone.
enum Expected {
    /// Where it went.
    Here,
    /// One of these.
    Tenants(Vec<TenantId>),
    /// A tenant that did not exist before.
    NewOne,
    /// Nothing says which.
    Unknown,
}

/// The finding about it.
struct Told {
    id: String,
    codes: Vec<&'static str>,
    state: FindingState,
    open: bool,
}

/// What an audit says of landings, by the names of what landed.
pub struct Judged<'r> {
    findings: BTreeMap<&'r str, &'r Finding>,
    not_judged: BTreeSet<&'r str>,
}

impl<'r> Judged<'r> {
    /// Looks through a report once.
    pub fn of(report: &'r Report) -> Self {
        let mut findings = BTreeMap::new();
        for finding in report.findings.iter().filter(|one| one.landed().is_some()) {
            for subject in &finding.subjects {
                // The worst one comes first.
                findings.entry(subject.as_str()).or_insert(finding);
            }
        }
        let not_judged = report.not_judged.iter().map(|one| one.landing.as_str());
        Self {
            findings,
            not_judged: not_judged.collect(),
        }
    }
}

impl Swept {
    /// A redemption with what an audit says of it.
    pub fn of(
        subject: &Subject,
        view: &RedemptionView,
        when: Option<Timestamp>,
        judged: &Judged<'_>,
    ) -> Self {
        let name = subject.to_string();
        let found = judged.findings.get(name.as_str()).copied();
        let is_judged = !judged.not_judged.contains(name.as_str());
        Self {
            subject: subject.clone(),
            when,
            view: view.clone(),
            expected: expected(view, found, is_judged),
            finding: found.map(|finding| Told {
                id: finding.id.to_string(),
                codes: finding.codes.iter().copied().collect(),
                state: finding.state,
                open: finding.is_open(),
            }),
        }
    }

    /// Whether it went elsewhere than it should have, and that is neither dismissed nor made good.
    pub fn is_elsewhere(&self) -> bool {
        let here = match (&self.expected, &self.view.tenant) {
            (Expected::Tenants(tenants), Some(tenant)) => tenants.contains(tenant),
            (Expected::Here, _) => true,
            (Expected::Tenants(_) | Expected::NewOne | Expected::Unknown, _) => false,
        };
        !here && self.finding.as_ref().is_some_and(|told| told.open)
    }

    fn mark(&self) -> String {
        match &self.finding {
            None => String::new(),
            Some(told) => {
                let codes = told.codes.join(" ");
                let state = match told.state {
                    FindingState::Open | FindingState::Reopened | FindingState::Confirmed
                        if !self.is_elsewhere() =>
                    {
                        "here, but"
                    }
                    FindingState::Open | FindingState::Reopened | FindingState::Confirmed => {
                        "ELSEWHERE"
                    }
                    FindingState::Dismissed => "dismissed",
                    FindingState::Compensated => "made good",
                };
                format!("{state} {} {codes}", told.id)
            }
        }
    }
}

/// What the audit expects; where it found nothing and judged it, the tenant is the right one. Where it
/// did not judge, what the order or the agreement says.
fn expected(view: &RedemptionView, found: Option<&Finding>, is_judged: bool) -> Expected {
    match found.and_then(|finding| Some(&finding.landed()?.expected.wanted)) {
        Some(Wanted::Existing(tenants)) => Expected::Tenants(tenants.iter().cloned().collect()),
        Some(Wanted::BornOfThisChoice) => Expected::NewOne,
        None if view.tenant.is_some() && is_judged => Expected::Here,
        Some(Wanted::Unknown) | None => match view.intended_tenant.as_ref() {
            Some(tenant) => Expected::Tenants(vec![tenant.clone()]),
            None => Expected::Unknown,
        },
    }
}

/// For people.
pub fn text(swept: &[Swept]) -> String {
    let rows = swept.iter().map(|one| {
        let text = |id: Option<String>| id.unwrap_or_default();
        vec![
            one.when.map(view::instant).unwrap_or_default(),
            one.subject.id.clone(),
            text(one.view.license_id.as_ref().map(ToString::to_string)),
            format!("{:?}", one.view.state),
            text(one.view.tenant.as_ref().map(ToString::to_string)),
            said(&one.expected),
            one.mark(),
        ]
    });
    let head = [
        "when",
        "redemption",
        "agreement",
        "state",
        "tenant",
        "expected",
        "mark",
    ];
    let elsewhere = swept.iter().filter(|one| one.is_elsewhere()).count();
    let tenants: BTreeSet<_> = swept
        .iter()
        .filter_map(|one| one.view.tenant.as_ref())
        .collect();
    let sum = format!(
        "redemptions {} · tenants {} · elsewhere {elsewhere}",
        swept.len(),
        tenants.len()
    );
    match swept.is_empty() {
        true => sum,
        false => format!("{}\n\n{sum}", table::table(&head, &[], rows.collect())),
    }
}

fn said(expected: &Expected) -> String {
    match expected {
        Expected::Here => "as expected".to_owned(),
        Expected::NewOne => "a new tenant".to_owned(),
        Expected::Unknown => "not known".to_owned(),
        Expected::Tenants(tenants) => {
            let names: Vec<String> = tenants.iter().map(ToString::to_string).collect();
            names.join(" or ")
        }
    }
}

/// For programs.
pub fn json(swept: &[Swept], point: Point) -> Value {
    json!({
        "schema": "actl.sweep/1",
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "redemptions": swept.iter().map(line).collect::<Value>(),
    })
}

/// One redemption, for programs.
pub fn line(one: &Swept) -> Value {
    let tenants = |tenants: &[TenantId]| -> Value {
        tenants
            .iter()
            .map(|tenant| Value::from(tenant.as_str()))
            .collect()
    };
    let (kind, expected) = match &one.expected {
        Expected::Here => (
            "here",
            one.view
                .tenant
                .iter()
                .map(|t| Value::from(t.as_str()))
                .collect(),
        ),
        Expected::Tenants(list) => ("existing", tenants(list)),
        Expected::NewOne => ("born_of_this_choice", tenants(&[])),
        Expected::Unknown => ("unknown", tenants(&[])),
    };
    json!({
        "redemption": one.subject.id,
        "when": one.when.map(|when| when.to_string()),
        "license_id": one.view.license_id.as_ref().map(|id| id.as_str()),
        "partner": one.view.partner.as_ref().map(|id| id.as_str()),
        "session": one.view.session.as_ref().map(|id| id.as_str()),
        "state": format!("{:?}", one.view.state),
        "tenant": one.view.tenant.as_ref().map(|id| id.as_str()),
        "expected": { "kind": kind, "tenants": expected },
        "elsewhere": one.is_elsewhere(),
        "finding": one.finding.as_ref().map(|told| json!({
            "id": told.id,
            "codes": told.codes,
            "state": format!("{:?}", told.state),
        })),
    })
}
