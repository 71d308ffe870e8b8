//! WTR013: assigned where the manager happens to be an administrator.

use super::{Case, Check, Hit, Rule, Severity, Silence};
use crate::audit::authority::{belongs_to_customer, contacts};
use crate::audit::expectation::ExpectationSource;
use crate::audit::landing::LandingKind;
use ledger::event::word::{AutoAssignCriterion, ContactRole};
use ledger::secret::PersonId;

pub(super) const RULE: Rule = Rule {
    code: "WTR013",
    name: "assigned where the manager is an administrator",
    severity: Severity::High,
    meaning: "Services were assigned without anybody's choice, because the Online Services Manager administers a tenant; but that is the tenant of a consultancy, a parent or a former employer and not the customer's.",
    needs: "an expected tenant by the order, a binding or the customer's domain; the automatic assignment and its criterion, or the manager's role in the tenant",
    counter_evidence: "the manager's role in the tenant is not on record",
    false_positives: "a manager who rightly administers the tenant of the whole group: if the tenant is known to belong to the customer or its group, the rule is silent",
    compensation: "remap before the seats are assigned; on the word of the Online Services Manager, else of the Notices Contact",
    parameters: &[],
    inputs: &[
        "ServicesAutoAssigned.criterion",
        "ServicesAutoAssigned.tenant",
        "ServicesBoundToTenant.basis",
        "AgreementSigned.contacts",
        "ContactChanged.role",
        "TenantRoleAssigned.user",
        "TenantRoleAssigned.role",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.kind != LandingKind::AutoAssignment {
        return Err(Silence("somebody chose it"));
    }
    case.must_be_elsewhere()?;
    match case.expectation.source {
        ExpectationSource::Order
        | ExpectationSource::AgreementBinding
        | ExpectationSource::CustomerNumberBinding
        | ExpectationSource::CustomerDomain
        | ExpectationSource::Trial
        | ExpectationSource::Scenario => {}
        ExpectationSource::ContactDomain
        | ExpectationSource::Owner
        | ExpectationSource::Nothing => {
            return Err(Silence("what is known of the right tenant is too weak"));
        }
    }
    if belongs_to_customer(&landing.tenant, landing, evidence) {
        return Err(Silence("the tenant belongs to the customer or its group"));
    }
    let assigned = landing.agreement(evidence).into_iter();
    let assigned = assigned.flat_map(|agreement| &agreement.assigned);
    let mut assigned = assigned.filter(|to| to.value.0 == landing.tenant);
    let assigned = assigned.next_back();
    let by = Some(landing.cutoff());
    let is_manager = |person: &PersonId| {
        contacts(landing, evidence).any(|contact| {
            let manages = contact.value.role == ContactRole::OnlineServicesManager;
            manages && contact.by(by) && evidence.is_same(contact.value.person.id, *person)
        })
    };
    let tenant = evidence.tenants.get(&landing.tenant);
    let role = tenant
        .into_iter()
        .flat_map(|tenant| &tenant.roles)
        .find(|role| {
            let held = role.held(landing.at.start, landing.cutoff(), case.cutoff);
            role.may_redeem() && held && is_manager(&role.value.user)
        });
    let name = case.tenant_name();
    let mut hit = Hit::new(Severity::High, 950);
    match assigned {
        Some(to) if to.value.1 == AutoAssignCriterion::ManagerIsAdministrator => {
            let why = "assigned because the manager administers the tenant";
            hit.evidence.push((to.event, why.to_owned()));
            if role.is_none() {
                let why = format!("no role of the manager in {name} is on record");
                hit.counter_evidence.push((to.event, why));
            }
        }
        Some(_) => return Err(Silence("it was assigned by another criterion")),
        None if role.is_none() => return Err(Silence("nothing says why it was assigned")),
        None => {}
    }
    hit.evidence
        .extend(role.map(|role| (role.event, format!("the manager administers {name}"))));
    Ok(hit)
}
