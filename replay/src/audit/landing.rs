//! Landings: somebody's entitlement reaching a tenant (DOMAIN section A, "Landing").
//!
//! Key redemptions, bindings, automatic assignments and credit-lot activations are all landings.
//! One landing reported by several systems is one landing: reports are joined by redemption, by key
//! and tenant, by lot, or by agreement and tenant. A remap is no landing but the vendor's own
//! correction; it counts as evidence.

use super::evidence::{AgreementFacts, Evidence, Known, OrderFacts};
use super::finding;
use ledger::event::kinds::{
    CreditLotActivated, KeysRedeemed, ServicesAutoAssigned, ServicesBoundToTenant,
};
use ledger::event::word::{BindingBasis, Program, RedemptionFlow};
use ledger::event::{Event, Kind, KindId, Payload};
use ledger::id::*;
use ledger::secret::{KeyFingerprint, PersonId};
use ledger::time::{Occurred, Timestamp};
use projections::At;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// How an entitlement reached its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum LandingKind {
    /// Keys were redeemed, or an order without keys was.
    Redemption,
    /// An agreement was bound after Sign In.
    SignIn,
    /// An agreement was bound after Sign Up.
    SignUp,
    /// Services were assigned without anybody's choice.
    AutoAssignment,
    /// Prepaid credit was activated.
    Credit,
}

impl LandingKind {
    /// What happened, before the tenant's name: "redeemed in".
    pub fn participle(self) -> &'static str {
        match self {
            Self::Redemption => "redeemed in",
            Self::SignIn => "bound by Sign In to",
            Self::SignUp => "bound by Sign Up to",
            Self::AutoAssignment => "assigned automatically to",
            Self::Credit => "activated in",
        }
    }
}

/// One landing, from all of its reports.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Landing {
    /// What went where: stable over runs, imports and rules.
    pub id: FindingId,
    /// How it got there.
    pub kind: LandingKind,
    /// The tenant that it reached.
    pub tenant: TenantId,
    /// When, as precisely as any report says.
    pub at: Occurred,
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// The order.
    pub order: Option<OrderId>,
    /// The keys.
    pub keys: BTreeSet<KeyFingerprint>,
    /// The redemptions, one for each system that numbers them its own way.
    pub redemptions: BTreeSet<RedemptionId>,
    /// The credit lots.
    pub lots: BTreeSet<LotId>,
    /// The subscriptions that it touched.
    pub subscriptions: BTreeSet<SubscriptionId>,
    /// Seats that it brought, where a source says.
    pub seats: Option<Seats>,
    /// The session.
    pub session: Option<SessionId>,
    /// Who did it.
    pub persons: BTreeSet<PersonId>,
    /// The partners who did it.
    pub partners: BTreeSet<PartnerId>,
    /// Through which flow.
    pub flow: Option<RedemptionFlow>,
    /// For which activation.
    pub activation: Option<ActivationId>,
    /// The customer that it was meant for.
    pub customer: Option<CustomerId>,
    /// Its reports.
    pub events: BTreeSet<EventId>,
    /// When it was reversed.
    pub reversed: Option<Known<()>>,
    /// Where the vendor moved it afterwards.
    pub remapped: Option<Known<TenantId>>,
}

impl Landing {
    /// Where it comes in the order of landings.
    pub(super) fn order(&self) -> (Timestamp, &FindingId, Option<EventId>) {
        // Two landings can have one identity, but never one report.
        (self.at.start, &self.id, self.events.first().copied())
    }

    /// The last instant at which it can have happened: evidence up to here was known then.
    pub fn cutoff(&self) -> Timestamp {
        self.at.last()
    }

    /// The tenant that it is in now; `None` once it was reversed.
    pub fn present_tenant(&self) -> Option<&TenantId> {
        if self.reversed.is_some() {
            return None;
        }
        self.remapped
            .as_ref()
            .map(|to| &to.value)
            .or(Some(&self.tenant))
    }

    /// What the evidence says of its agreement.
    pub fn agreement<'e>(&self, evidence: &'e Evidence) -> Option<&'e AgreementFacts> {
        evidence.agreements.get(self.license_id.as_ref()?)
    }

    /// What the evidence says of its order.
    pub fn order_facts<'e>(&self, evidence: &'e Evidence) -> Option<&'e OrderFacts> {
        evidence.orders.get(self.order.as_ref()?)
    }

    /// The program that it is under.
    pub fn program(&self, evidence: &Evidence) -> Option<Program> {
        self.agreement(evidence)?.program
    }

    /// The name of what landed, in `KIND:ID` form and without secrets.
    pub fn subject(&self) -> String {
        if let Some(lot) = self.lots.first() {
            return format!("credit:{lot}");
        }
        match (self.redemptions.first(), &self.license_id) {
            (Some(redemption), _) => format!("redemption:{redemption}"),
            (None, Some(license)) => format!("agreement:{license}"),
            (None, None) => format!("tenant:{}", self.tenant),
        }
    }
}

/// One report of a landing. It holds nothing of the event but this, so that events need not stay.
struct ReportOf {
    event: EventId,
    at: Occurred,
    order_of_folds: (Timestamp, u16, EventId),
    partner: Option<PartnerId>,
    kind: LandingKind,
    tenant: TenantId,
    license_id: Option<LicenseId>,
    order: Option<OrderId>,
    keys: BTreeSet<KeyFingerprint>,
    redemption: Option<RedemptionId>,
    lot: Option<LotId>,
    subscriptions: BTreeSet<SubscriptionId>,
    seats: Option<Seats>,
    session: Option<SessionId>,
    person: Option<PersonId>,
    activation: Option<ActivationId>,
    /// A binding that repeats a redemption rather than being one itself.
    echo: bool,
}

/// Whether events of a kind report landings.
pub(super) fn reports_landings(kind: KindId) -> bool {
    [
        KeysRedeemed::INFO.id,
        CreditLotActivated::INFO.id,
        ServicesAutoAssigned::INFO.id,
        ServicesBoundToTenant::INFO.id,
    ]
    .contains(&kind)
}

/// All landings, in the order in which they happened. Costs one pass and a sort.
pub fn landings(at: &At<'_>, evidence: &Evidence) -> Vec<Landing> {
    landings_of(at.all_of(reports_landings), evidence)
}

/// The landings that some events report, which are in fold order: no other event may report any of them.
pub(super) fn landings_of<'e>(
    events: impl Iterator<Item = &'e Event>,
    evidence: &Evidence,
) -> Vec<Landing> {
    let mut reports: Vec<ReportOf> = events.filter_map(|e| report(e, evidence)).collect();
    resolve_echoes(&mut reports);
    let mut groups = Groups::default();
    for (index, report) in reports.iter().enumerate() {
        for name in names(report) {
            groups.join(index, name);
        }
    }
    let mut landings: Vec<Landing> = groups
        .members()
        .into_values()
        .filter_map(|members| {
            let reports: Vec<&ReportOf> = members
                .iter()
                .filter_map(|index| reports.get(*index))
                .collect();
            landing(&reports, evidence)
        })
        .collect();
    landings.sort_by(|a, b| a.order().cmp(&b.order()));
    landings
}

/// A binding by redemption that names none belongs to the latest redemption of its agreement in its
/// tenant; without one it is a landing itself.
fn resolve_echoes(reports: &mut [ReportOf]) {
    type Redemptions = Vec<(Timestamp, RedemptionId)>;
    let mut redemptions: BTreeMap<(LicenseId, TenantId), Redemptions> = BTreeMap::new();
    for report in reports.iter().filter(|report| !report.echo) {
        if let (Some(license), Some(redemption)) = (&report.license_id, &report.redemption) {
            let of = redemptions.entry((license.clone(), report.tenant.clone()));
            let redeemed = (report.at.start, redemption.clone());
            of.or_default().push(redeemed);
        }
    }
    for report in reports
        .iter_mut()
        .filter(|r| r.echo && r.redemption.is_none())
    {
        let Some(license) = report.license_id.clone() else {
            continue;
        };
        let of = redemptions.get(&(license, report.tenant.clone()));
        let last = report.at.last();
        let of = of.into_iter().flatten().filter(|(at, _)| *at <= last);
        report.redemption = of.max().map(|(_, redemption)| redemption.clone());
    }
}

/// The names that reports of one landing share.
fn names(report: &ReportOf) -> Vec<String> {
    let tenant = &report.tenant;
    let mut names: Vec<String> = report
        .keys
        .iter()
        .map(|key| format!("key {} {tenant}", EventId(key.digest)))
        .collect();
    names.extend(
        report
            .redemption
            .iter()
            .map(|r| format!("redemption {r} {tenant}")),
    );
    names.extend(report.lot.iter().map(|lot| format!("lot {lot}")));
    if names.is_empty() {
        let license = report.license_id.as_ref().map_or("", LicenseId::as_str);
        names.push(format!("agreement {license} {tenant}"));
    }
    names
}

fn report(event: &Event, evidence: &Evidence) -> Option<ReportOf> {
    let actor = event.actor_person().map(|person| person.id);
    let empty = |kind, tenant: &TenantId| ReportOf {
        event: event.id,
        at: event.occurred_at,
        order_of_folds: event.order(),
        partner: event.actor.as_ref().and_then(|actor| actor.partner.clone()),
        kind,
        tenant: tenant.clone(),
        license_id: None,
        order: None,
        keys: BTreeSet::new(),
        redemption: None,
        lot: None,
        subscriptions: BTreeSet::new(),
        seats: None,
        session: None,
        person: actor,
        activation: None,
        echo: false,
    };
    if let Payload::KeysRedeemed(redeemed) = &event.payload {
        let before = evidence.redemptions.get(&redeemed.redemption);
        let keys: BTreeSet<_> = redeemed.keys.iter().map(|key| key.key).collect();
        let first = keys.iter().find_map(|key| evidence.keys.get(key));
        let by_key = first.and_then(|key| key.license_id.clone());
        let order = redeemed.order.clone();
        let order = order.or_else(|| first.and_then(|key| Some(key.order.clone()?.value)));
        let order = order.or_else(|| before.and_then(|b| b.order.clone()));
        let by_order = order
            .as_ref()
            .and_then(|o| evidence.orders.get(o)?.license_id.clone());
        let seats: Vec<u32> = redeemed
            .keys
            .iter()
            .filter_map(|k| k.seats)
            .map(|s| s.0)
            .collect();
        return Some(ReportOf {
            license_id: by_key
                .or(by_order)
                .or_else(|| redeemed.license_id.clone())
                .or_else(|| before.and_then(|b| b.license_id.clone())),
            order,
            keys,
            redemption: Some(redeemed.redemption.clone()),
            subscriptions: redeemed
                .effects
                .iter()
                .map(|e| e.subscription.clone())
                .collect(),
            seats: seats.into_iter().reduce(u32::saturating_add).map(Seats),
            session: redeemed
                .session
                .clone()
                .or_else(|| before.and_then(|b| b.session.clone())),
            person: redeemed.redeemer.as_ref().map(|p| p.id).or(actor),
            ..empty(LandingKind::Redemption, &redeemed.tenant)
        });
    }
    if let Payload::CreditLotActivated(lot) = &event.payload {
        let key = evidence.keys.get(&lot.key);
        return Some(ReportOf {
            license_id: key
                .and_then(|k| k.license_id.clone())
                .or_else(|| lot.license_id.clone()),
            order: key.and_then(|k| Some(k.order.clone()?.value)),
            keys: BTreeSet::from([lot.key]),
            redemption: lot.redemption.clone(),
            lot: Some(lot.lot.clone()),
            subscriptions: BTreeSet::from([lot.azure_subscription.clone()]),
            session: lot.session.clone(),
            ..empty(LandingKind::Credit, lot.tenant.as_ref()?)
        });
    }
    if let Payload::ServicesAutoAssigned(assigned) = &event.payload {
        return Some(ReportOf {
            license_id: Some(assigned.license_id.clone()),
            order: assigned.order.clone(),
            activation: assigned.activation.clone(),
            ..empty(LandingKind::AutoAssignment, &assigned.tenant)
        });
    }
    if let Payload::ServicesBoundToTenant(bound) = &event.payload {
        let kind = match bound.basis {
            BindingBasis::SignIn => LandingKind::SignIn,
            BindingBasis::SignUp => LandingKind::SignUp,
            BindingBasis::AutoAssign => LandingKind::AutoAssignment,
            BindingBasis::Redemption => LandingKind::Redemption,
            BindingBasis::Remap => return None,
        };
        return Some(ReportOf {
            license_id: Some(bound.license_id.clone()),
            order: bound.order.clone(),
            redemption: bound.redemption.clone(),
            session: bound.session.clone(),
            activation: bound.activation.clone(),
            echo: kind == LandingKind::Redemption,
            ..empty(kind, &bound.tenant)
        });
    }
    None
}

/// Makes one landing of its reports.
fn landing(reports: &[&ReportOf], evidence: &Evidence) -> Option<Landing> {
    // The report that is not an echo, the most precise, the earliest one speaks first.
    let first = reports
        .iter()
        .min_by_key(|r| (r.echo, r.at.precision, r.order_of_folds))?;
    let agrees = |r: &&&ReportOf| r.at.last() >= first.at.start;
    let order = reports.iter().find_map(|r| r.order.clone());
    let license_id = first.license_id.clone();
    let license_id = license_id.or_else(|| reports.iter().find_map(|r| r.license_id.clone()));
    let order = order.or_else(|| only_order(license_id.as_ref(), evidence));
    let mut landing = Landing {
        id: FindingId::new("F").ok()?,
        kind: kind_of(reports, first.kind),
        tenant: first.tenant.clone(),
        at: first.at,
        customer: customer(order.as_ref(), license_id.as_ref(), evidence),
        license_id,
        order,
        keys: reports
            .iter()
            .flat_map(|r| r.keys.iter().copied())
            .collect(),
        redemptions: reports
            .iter()
            .filter_map(|r| r.redemption.clone())
            .collect(),
        lots: reports.iter().filter_map(|r| r.lot.clone()).collect(),
        subscriptions: reports
            .iter()
            .flat_map(|r| r.subscriptions.iter().cloned())
            .collect(),
        seats: reports.iter().filter(agrees).find_map(|r| r.seats),
        session: first
            .session
            .clone()
            .or_else(|| reports.iter().find_map(|r| r.session.clone())),
        persons: reports.iter().filter_map(|r| r.person).collect(),
        partners: reports.iter().filter_map(|r| r.partner.clone()).collect(),
        flow: None,
        activation: reports.iter().find_map(|r| r.activation.clone()),
        events: reports.iter().map(|r| r.event).collect(),
        reversed: None,
        remapped: None,
    };
    complete(&mut landing, evidence);
    landing.id = identity(&landing)?;
    Some(landing)
}

fn kind_of(reports: &[&ReportOf], first: LandingKind) -> LandingKind {
    match reports.iter().any(|r| r.kind == LandingKind::Credit) {
        true => LandingKind::Credit,
        false => first,
    }
}

/// Where an agreement has one order only, a landing of the agreement is that order's.
fn only_order(license: Option<&LicenseId>, evidence: &Evidence) -> Option<OrderId> {
    let agreement = evidence.agreements.get(license?)?;
    let mut orders = agreement.orders.iter();
    let only = orders.next()?;
    orders.next().is_none().then(|| only.clone())
}

fn customer(
    order: Option<&OrderId>,
    license: Option<&LicenseId>,
    evidence: &Evidence,
) -> Option<CustomerId> {
    let by_order = order.and_then(|o| evidence.orders.get(o)?.end_customer.clone());
    let agreement = license.and_then(|l| evidence.agreements.get(l));
    let by_agreement = agreement.and_then(|a| a.customer.clone());
    by_order.or(by_agreement).map(|known| known.value)
}

/// Adds what the evidence says besides the reports: session, persons, reversal, remap.
fn complete(landing: &mut Landing, evidence: &Evidence) {
    let cutoff = landing.cutoff();
    let binding = matches!(landing.kind, LandingKind::SignIn | LandingKind::SignUp);
    let agreement = landing
        .license_id
        .as_ref()
        .and_then(|l| evidence.agreements.get(l));
    if let (true, Some(agreement)) = (binding, agreement) {
        let choice = agreement.choices.iter().rfind(|choice| {
            let other = choice.value.activation.as_ref();
            choice.by(Some(cutoff))
                && other
                    .zip(landing.activation.as_ref())
                    .is_none_or(|(a, b)| a == b)
        });
        if let Some(choice) = choice {
            landing.session = landing
                .session
                .take()
                .or_else(|| choice.value.session.clone());
            landing.persons.extend(choice.value.principal);
        }
    }
    if let Some(session) = &landing.session {
        let start = evidence.session_start(session);
        landing
            .persons
            .extend(start.and_then(|start| start.value.principal));
    }
    let aliases = landing
        .persons
        .iter()
        .flat_map(|person| evidence.same_person(*person));
    landing.persons = aliases.collect();
    let flows = landing
        .redemptions
        .iter()
        .filter_map(|r| evidence.redemptions.get(r)?.flow);
    landing.flow = flows.max();
    let by_redemption = landing
        .redemptions
        .iter()
        .filter_map(|redemption| evidence.reversed_redemptions.get(redemption));
    let by_key = landing
        .keys
        .iter()
        .filter_map(|key| evidence.reversed_keys.get(key));
    landing.reversed = by_redemption
        .chain(by_key)
        .min_by_key(|r| (r.from, r.event))
        .cloned();
    let remaps = landing
        .license_id
        .as_ref()
        .and_then(|l| evidence.remaps.get(l));
    let moved = remaps
        .into_iter()
        .flatten()
        .find(|remap| remap.value.from == landing.tenant && remap.from >= landing.at.start);
    landing.remapped = moved.map(|remap| Known {
        value: remap.value.to.clone(),
        event: remap.event,
        from: remap.from,
    });
}

/// The identity of what went wrong: what landed where. A key counts by its last five characters, so
/// that the same history has the same findings under every pepper.
fn identity(landing: &Landing) -> Option<FindingId> {
    let license = landing.license_id.as_ref().map_or("", LicenseId::as_str);
    let what = match (landing.keys.first(), landing.redemptions.first()) {
        (Some(_), _) => {
            let last5 = landing.keys.iter().map(|key| key.last5).min();
            format!(
                "key {}",
                last5.map_or_else(String::new, |last5| last5.to_string())
            )
        }
        (None, Some(redemption)) => format!("redemption {redemption}"),
        (None, None) => "agreement".to_owned(),
    };
    finding::identity(&[landing.tenant.as_str(), license, &what])
}

/// Groups of reports that share a name, transitively.
#[derive(Default)]
struct Groups {
    parent: Vec<usize>,
    by_name: BTreeMap<String, usize>,
}

impl Groups {
    fn root(&self, mut index: usize) -> usize {
        while let Some(parent) = self.parent.get(index).filter(|parent| **parent != index) {
            index = *parent;
        }
        index
    }

    /// Puts a report into the group of a name; reports come in order.
    fn join(&mut self, index: usize, name: String) {
        while self.parent.len() <= index {
            self.parent.push(self.parent.len());
        }
        let other = *self.by_name.entry(name).or_insert(index);
        let (one, other) = (self.root(index), self.root(other));
        if let Some(parent) = self.parent.get_mut(one.max(other)) {
            *parent = one.min(other);
        }
    }

    fn members(&self) -> BTreeMap<usize, Vec<usize>> {
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for index in 0..self.parent.len() {
            members.entry(self.root(index)).or_default().push(index);
        }
        members
    }
}
