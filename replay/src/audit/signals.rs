//! Evidence against a finding that no single rule looks for: signs that whoever did it meant it
//! (DOMAIN section 9, "Signals that lower it").

use super::authority::{contacts, users_given};
use super::evidence::Evidence;
use super::expectation::is_foreign;
use super::landing::Landing;
use super::rules::Parameter;
use ledger::event::word::ContactRole;
use ledger::id::EventId;
use ledger::secret::PersonId;

const USERS_LATER: usize = 5;
const USED_WITHIN_DAYS: i64 = 14;

/// The thresholds of what speaks against any finding about a tenant.
pub const PARAMETERS: &[Parameter] = &[
    Parameter {
        name: "users_later",
        value: USERS_LATER as i64,
        unit: "users",
        doc: "how many users have to be given licences after the landing for the tenant to be in use",
    },
    Parameter {
        name: "used_within_days",
        value: USED_WITHIN_DAYS,
        unit: "days",
        doc: "how long after the landing that counts",
    },
];

/// The events that speak against accusing a landing's tenant, and why; each lowers the confidence a
/// step. Being at home in somebody else's tenant is the mistake and no excuse for it, so nothing
/// speaks for a tenant that is known to be another's.
pub fn against(evidence: &Evidence, landing: &Landing) -> Vec<(EventId, String)> {
    if is_foreign(&landing.tenant, landing, evidence) {
        return Vec::new();
    }
    [
        meant(evidence, landing),
        manager(evidence, landing),
        used(evidence, landing),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Who did it had received the mail and administers the tenant. Either alone says little: the
/// recipient may be in the wrong browser, and an administrator of the wrong tenant is the very
/// mistake. Both together are somebody who may well have meant it.
fn meant(evidence: &Evidence, landing: &Landing) -> Option<(EventId, String)> {
    let acted = |person: &PersonId| landing.persons.contains(person);
    let recipients = &landing.agreement(evidence)?.recipients;
    let by = Some(landing.cutoff());
    let recipient = recipients.iter().find(|r| acted(&r.value) && r.by(by))?;
    administrator(evidence, landing, &acted)?;
    let why = "who did it had received the activation mail and administers the tenant";
    Some((recipient.event, why.to_owned()))
}

/// The agreement's manager or primary contact administers the tenant, although somebody else did it.
fn manager(evidence: &Evidence, landing: &Landing) -> Option<(EventId, String)> {
    let by = Some(landing.cutoff());
    let in_charge = |person: &PersonId| {
        let mut contacts = contacts(landing, evidence);
        contacts.any(|contact| {
            let leads = match contact.value.role {
                ContactRole::PrimaryContact | ContactRole::OnlineServicesManager => true,
                ContactRole::OnlineAdministrator | ContactRole::NoticesContact => false,
            };
            leads && contact.by(by) && evidence.is_same(contact.value.person.id, *person)
        })
    };
    if landing.persons.iter().any(in_charge) {
        return None;
    }
    let event = administrator(evidence, landing, &in_charge)?;
    Some((
        event,
        "a contact of the agreement administers the tenant".to_owned(),
    ))
}

/// The event that made one of some persons an administrator of the landing's tenant.
fn administrator(
    evidence: &Evidence,
    landing: &Landing,
    of: &dyn Fn(&PersonId) -> bool,
) -> Option<EventId> {
    let (start, last) = (landing.at.start, landing.cutoff());
    let roles = &evidence.tenants.get(&landing.tenant)?.roles;
    let held = roles.iter().find(|role| {
        of(&role.value.user) && role.may_redeem() && role.held(start, last, Some(last))
    });
    held.map(|role| role.event)
}

/// Users were given licences in the tenant soon after: somebody needs them there.
fn used(evidence: &Evidence, landing: &Landing) -> Option<(EventId, String)> {
    let until = landing.cutoff().plus_days(USED_WITHIN_DAYS);
    let given = users_given(&landing.tenant, landing.cutoff(), until, evidence);
    let users: usize = given.iter().map(|given| given.value).sum();
    let last = given.last().filter(|_| users >= USERS_LATER)?;
    Some((
        last.event,
        format!("{users} users were given licences there soon after"),
    ))
}
