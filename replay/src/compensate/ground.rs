//! What a plan stands on: the finding, its landing, the two tenants, and what was recorded since.

use super::refusal::Refusal;
use crate::audit::evidence::Evidence;
use crate::audit::expectation::Wanted;
use crate::audit::finding::Landed;
use crate::audit::landing::{Landing, LandingKind, landings};
use crate::audit::{Finding, FindingState, audit};
use ledger::event::part::RedeemedKey;
use ledger::event::word::{CasePurpose, ContactRole, Program};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{CaseId, FindingId, OrderId, RedemptionId, Sku, SubscriptionId, TenantId};
use ledger::secret::KeyFingerprint;
use ledger::subject::Subject;
use projections::At;
use projections::view::agreement::{self, AgreementView};
use std::collections::{BTreeMap, BTreeSet};

/// How the vendor undoes a landing (E3, E4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// The redemption is reversed and its keys are replaced (Open programs).
    Reissue,
    /// Whole agreements are moved (Enterprise programs, and bindings of any).
    Remap,
}

impl Method {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Reissue => "reissue",
            Self::Remap => "remap",
        }
    }
}

/// Everything that a plan is made from.
pub struct Ground<'g> {
    /// The histories.
    pub at: &'g At<'g>,
    /// What the audit knows.
    pub evidence: Evidence,
    /// What went wrong.
    pub finding: Finding,
    /// What landed.
    pub landing: Landing,
    /// The tenant that it has to leave.
    pub wrong: TenantId,
    /// The tenant that it has to reach.
    pub right: TenantId,
    /// The agreement, where one is known.
    pub agreement: Option<AgreementView>,
    /// How it is undone.
    pub method: Method,
    /// The support case, once it was opened.
    pub case: Option<CaseId>,
    /// What was redeemed: keys with their seats; empty for an order without keys.
    pub keys: Vec<RedeemedKey>,
    /// What the landing bought, where a source says.
    pub sku: Option<Sku>,
    /// Subscriptions that the landing began; it only added to the others.
    pub begun: BTreeSet<SubscriptionId>,
    /// The keys that took the place of old ones.
    pub reissued: BTreeMap<KeyFingerprint, Vec<(KeyFingerprint, &'g Event)>>,
}

impl<'g> Ground<'g> {
    /// Finds the ground of a finding. Costs an audit.
    pub fn of(at: &'g At<'g>, id: &str) -> Result<Self, Refusal> {
        let evidence = Evidence::gather(at);
        let report = audit(at);
        let found = report.findings.iter().find(|f| f.id.as_str() == id);
        let Some(finding) = found.cloned() else {
            let all = report.findings.into_iter().map(|f| f.id);
            return Err(unknown(id, all));
        };
        let Some(landed) = finding.landed() else {
            return Err(Refusal::NoLanding {
                next_step: finding.next_step.clone(),
            });
        };
        let landing = landings(at, &evidence)
            .into_iter()
            .find(|l| l.id == finding.id)
            .ok_or_else(|| unknown(id, []))?;
        if finding.state == FindingState::Dismissed {
            return Err(Refusal::Dismissed);
        }
        let right = right_tenant(landed)?;
        if right == landing.tenant {
            return Err(Refusal::RightTenant {
                next_step: finding.next_step.clone(),
            });
        }
        let agreement = landing
            .license_id
            .as_ref()
            .and_then(|license| agreement::fold(at, license));
        let method = method(&landing, agreement.as_ref())?;
        let mut ground = Self {
            at,
            wrong: landing.tenant.clone(),
            right,
            agreement,
            method,
            case: None,
            keys: Vec::new(),
            sku: None,
            begun: BTreeSet::new(),
            reissued: BTreeMap::new(),
            evidence,
            finding,
            landing,
        };
        ground.read_reports();
        ground.case = ground.find_case();
        ground.reissued = ground.find_reissued();
        Ok(ground)
    }

    /// Keys, SKU and new subscriptions, from the reports of the landing.
    fn read_reports(&mut self) {
        use ledger::event::word::RedemptionMode::{AzureNew, NewSubscription};
        for event in self
            .landing
            .events
            .iter()
            .filter_map(|id| self.at.event(*id))
        {
            let Payload::KeysRedeemed(redeemed) = &event.payload else {
                continue;
            };
            for line in &redeemed.keys {
                if !self.keys.iter().any(|known| known.key == line.key) {
                    self.keys.push(line.clone());
                }
            }
            for effect in &redeemed.effects {
                self.sku = self.sku.take().or_else(|| effect.sku.clone());
                if matches!(redeemed.mode, NewSubscription | AzureNew) {
                    self.begun.insert(effect.subscription.clone());
                }
            }
        }
        for subscription in &self.landing.subscriptions {
            let view = projections::view::subscription::fold(self.at, subscription);
            self.sku = self.sku.take().or_else(|| view.and_then(|view| view.sku));
        }
    }

    /// The events since the landing that name what it is about, in fold order.
    pub fn since(&self) -> Vec<&'g Event> {
        let mut subjects = BTreeSet::from([subject_of(&self.finding.id)]);
        subjects.extend([&self.wrong, &self.right].map(subject_of));
        subjects.extend(self.landing.license_id.iter().map(subject_of));
        subjects.extend(self.landing.redemptions.iter().map(subject_of));
        subjects.extend(self.landing.keys.iter().map(subject_of));
        subjects.extend(self.landing.subscriptions.iter().map(subject_of));
        subjects.extend(self.case.iter().map(subject_of));
        let new = self.reissued.values().flatten();
        subjects.extend(new.map(|(key, _)| subject_of(key)));
        let mut events = self.at.of_any(&subjects);
        events.retain(|event| event.occurred_at.last() >= self.landing.at.start);
        events
    }

    /// The case that was opened about this finding, or about this agreement in these tenants.
    fn find_case(&self) -> Option<CaseId> {
        let events = self.since();
        let cases = events.iter().rev().filter_map(|event| {
            let Payload::CaseOpened(opened) = &event.payload else {
                return None;
            };
            let about_it = match &opened.finding {
                Some(finding) => *finding == self.finding.id,
                None => {
                    let license = self.landing.license_id.as_ref();
                    license.is_some_and(|license| opened.license_ids.contains(license))
                        && opened.wrong_tenant.as_ref() == Some(&self.wrong)
                        && opened
                            .right_tenant
                            .as_ref()
                            .is_none_or(|t| *t == self.right)
                        && opened.purpose == self.purpose()
                }
            };
            about_it.then(|| opened.case.clone())
        });
        let withdrawn = |case: &CaseId| {
            use ledger::event::word::CaseOutcome::{Refused, Withdrawn};
            let case_events = self.at.of_any(&[subject_of(case)]);
            case_events.into_iter().any(|event| {
                matches!(&event.payload, Payload::CaseClosed(closed)
                    if matches!(closed.outcome, Withdrawn | Refused))
            })
        };
        let mut cases = cases;
        cases.find(|case| !withdrawn(case))
    }

    /// What a case about this finding is for.
    pub fn purpose(&self) -> CasePurpose {
        match self.method {
            Method::Reissue => CasePurpose::Reissue,
            Method::Remap => CasePurpose::Remap,
        }
    }

    fn find_reissued(&self) -> BTreeMap<KeyFingerprint, Vec<(KeyFingerprint, &'g Event)>> {
        let mut reissued: BTreeMap<KeyFingerprint, Vec<(KeyFingerprint, &Event)>> = BTreeMap::new();
        for event in self.since() {
            if let Payload::KeyReissued(r) = &event.payload
                && self.landing.keys.contains(&r.old_key)
            {
                let new = reissued.entry(r.old_key).or_default();
                if !new.iter().any(|(key, _)| *key == r.new_key) {
                    new.push((r.new_key, event));
                }
            }
        }
        reissued
    }

    /// The keys that took the place of the landing's.
    pub fn new_keys(&self) -> BTreeSet<KeyFingerprint> {
        self.reissued
            .values()
            .flatten()
            .map(|(key, _)| *key)
            .collect()
    }

    /// The redemption that brought the entitlement to the right tenant: with the new keys, or of the
    /// order without keys after the reversal.
    pub fn redeemed_again(&self) -> Option<(&'g Event, &'g RedemptionId)> {
        let new = self.new_keys();
        let reversed = self.landing.reversed.as_ref()?;
        self.since().into_iter().find_map(|event| {
            let Payload::KeysRedeemed(redeemed) = &event.payload else {
                return None;
            };
            let with_new = redeemed.keys.iter().any(|line| new.contains(&line.key));
            let without = self.keys.is_empty()
                && redeemed.keys.is_empty()
                && redeemed.license_id == self.landing.license_id
                && event.occurred_at.start >= reversed.from;
            (redeemed.tenant == self.right && (with_new || without))
                .then_some((event, &redeemed.redemption))
        })
    }

    /// The Online Services Manager authorises, else the Notices Contact (E3, P6).
    pub fn manager_role(&self) -> ContactRole {
        let has = |role: ContactRole| {
            let view = self.agreement.as_ref();
            view.is_some_and(|view| agreement::contact(view, role).is_some())
        };
        match (
            has(ContactRole::OnlineServicesManager),
            has(ContactRole::NoticesContact),
        ) {
            (false, true) => ContactRole::NoticesContact,
            _ => ContactRole::OnlineServicesManager,
        }
    }

    /// The order that the landing was of.
    pub fn order(&self) -> Option<&OrderId> {
        self.landing.order.as_ref()
    }

    /// A tenant's name for people.
    pub fn name(&self, tenant: &TenantId) -> String {
        self.evidence.tenant_name(tenant)
    }

    /// The subjects whose histories the plan was made from.
    pub fn touched(&self) -> BTreeSet<Subject> {
        let mut touched: BTreeSet<Subject> = [&self.wrong, &self.right]
            .map(subject_of)
            .into_iter()
            .collect();
        touched.insert(subject_of(&self.finding.id));
        touched.extend(self.landing.license_id.iter().map(subject_of));
        touched.extend(self.landing.keys.iter().map(subject_of));
        touched.extend(self.landing.redemptions.iter().map(subject_of));
        touched.extend(self.landing.subscriptions.iter().map(subject_of));
        touched.extend(self.new_keys().iter().map(subject_of));
        touched.extend(self.case.iter().map(subject_of));
        touched
    }
}

fn unknown(id: &str, all: impl IntoIterator<Item = FindingId>) -> Refusal {
    let start: String = id.chars().take(4).collect::<String>().to_uppercase();
    let near = all
        .into_iter()
        .filter(|one| one.as_str().starts_with(&start));
    // A text that is no identifier may be anything, a secret too, and is not repeated.
    let finding =
        FindingId::new(id).map_or_else(|_| "of this name".to_owned(), |id| id.to_string());
    Refusal::UnknownFinding {
        finding,
        near: near.take(3).collect(),
    }
}

fn right_tenant(landed: &Landed) -> Result<TenantId, Refusal> {
    match &landed.expected.wanted {
        Wanted::Existing(tenants) => match landed.expected.tenant() {
            Some(_) if landed.expected.contested => Err(Refusal::RightTenantUnknown {
                why: "two tenants claim the agreement".to_owned(),
            }),
            Some(tenant) => Ok(tenant.clone()),
            None => Err(Refusal::several(tenants.iter().cloned())),
        },
        Wanted::BornOfThisChoice => Err(Refusal::RightTenantUnknown {
            why: "it was to be a new tenant, and that does not exist yet".to_owned(),
        }),
        Wanted::Unknown => Err(Refusal::RightTenantUnknown {
            why: "nothing says which tenant was meant".to_owned(),
        }),
    }
}

fn method(landing: &Landing, agreement: Option<&AgreementView>) -> Result<Method, Refusal> {
    let whole = match agreement.and_then(|view| view.program) {
        Some(
            Program::Enterprise | Program::Campus | Program::Schools | Program::ProductsAndServices,
        ) => true,
        Some(Program::OpenLicense | Program::OpenValue | Program::OpenValueSubscription) | None => {
            false
        }
    };
    match landing.kind {
        LandingKind::Credit => Err(Refusal::NotPossible {
            why: "Azure credit cannot be cancelled after its activation; only support can move what is unspent (P17)",
        }),
        LandingKind::Redemption if !whole => Ok(Method::Reissue),
        LandingKind::Redemption
        | LandingKind::SignIn
        | LandingKind::SignUp
        | LandingKind::AutoAssignment => match agreement.map(|view| view.pcn.is_some()) {
            Some(true) => Ok(Method::Remap),
            Some(false) => Err(Refusal::NotPossible {
                why: "the customer number of the agreement is not recorded, and a remap moves a customer number",
            }),
            None => Err(Refusal::NotPossible {
                why: "the agreement is not recorded, and a remap moves whole agreements",
            }),
        },
    }
}
