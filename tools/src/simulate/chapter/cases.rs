//! Support cases that change nothing in the record of who has what, and the words of a case.

use super::redemption::Redemption;
use super::subscription::Effect;
use super::{mail, place};
use crate::simulate::cast::{ADMINISTRATOR, Order, Person};
use crate::simulate::outbox::{By, System};
use crate::simulate::scene::Scene;
use ledger::time::Date;

/// Opens a case for some agreements and returns its number.
pub fn open(s: &mut Scene<'_>, purpose: &str, agreements: &[usize]) -> String {
    open_about(s, purpose, agreements, None, None)
}

/// Opens a case that names a wrong and a right tenant, and the finding that it comes from.
pub fn open_about(
    s: &mut Scene<'_>,
    purpose: &str,
    agreements: &[usize],
    finding: Option<&str>,
    tenants: Option<(&str, &str)>,
) -> String {
    let case = s.out.id("case");
    let channel = s.who.random.pick(&["Portal", "Phone", "Mail", "Partner"]);
    let who = &*s.who;
    let person = &who.people[ADMINISTRATOR];
    s.out
        .fact("CaseOpened", s.now, System::SUPPORT)
        .by(By::customer(person, who.tenant.as_deref()))
        .with(&case)
        .data(|f| {
            f.text("case", &case)
                .text("purpose", purpose)
                .text("channel", channel);
            f.maybe("finding", finding).text("customer", &who.id);
            f.texts(
                "license_ids",
                agreements
                    .iter()
                    .map(|a| who.agreements[*a].license_id.as_str()),
            );
            if let Some((wrong, right)) = tenants {
                f.text("wrong_tenant", wrong).text("right_tenant", right);
            }
            f.person("requested_by", person);
        });
    case
}

/// The case goes up the channel: from the reseller to the distributor, and on to the vendor.
pub fn escalate(s: &mut Scene<'_>, case: &str) {
    s.wait_minutes(30, 1500);
    let reseller = &s.channel.resellers[s.who.reseller];
    let distributor = s.channel.distributor_of(s.who.reseller);
    for (from, to) in [(reseller, Some(distributor)), (distributor, None)] {
        s.out
            .fact("SupportEscalated", s.now, System::SUPPORT)
            .by(By::company("Partner", &from.id, Some(&from.technician)))
            .with(case)
            .data(|f| {
                f.text("case", case).text("from", &from.id);
                f.maybe("to", to.map(|to| to.id.as_str()));
            });
        s.now = s.now.plus_minutes(190);
    }
}

/// Closes a case.
pub fn close(s: &mut Scene<'_>, case: &str, outcome: &str) {
    close_with(s, case, outcome, &[]);
}

/// Closes a case with what could not be undone.
pub fn close_with(s: &mut Scene<'_>, case: &str, outcome: &str, residuals: &[&str]) {
    s.wait_minutes(20, 900);
    s.out
        .fact("CaseClosed", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(case)
        .data(|f| {
            f.text("case", case).text("outcome", outcome);
            if !residuals.is_empty() {
                f.texts("residuals", residuals.iter().copied());
            }
        });
}

/// Somebody with the authority agrees to a compensation.
pub fn authorized(s: &mut Scene<'_>, case: &str, from: &Person, role: &str, tenant: Option<&str>) {
    let proof = s.out.id("reply");
    s.out
        .fact("AuthorizationReceived", s.now, System::SUPPORT)
        .by(By::SUPPORT)
        .with(case)
        .data(|f| {
            f.text("case", case).named("from", from).text("role", role);
            f.maybe("tenant", tenant).text("proof", &proof);
        });
    s.wait_minutes(60, 1800);
}

/// A question that is answered without any consequence.
pub fn harmless(s: &mut Scene<'_>) {
    let a = s.who.random.below(place(s.who.agreements.len())) as usize;
    if s.who.agreements.is_empty() {
        return;
    }
    let purpose = s.who.random.pick(&["LocateKey", "Other", "Other"]);
    let case = open(s, purpose, &[a]);
    if s.who.random.chance(300) {
        escalate(s, &case);
    }
    close(s, &case, "Withdrawn");
}

/// The mail cannot be found; support sends it again.
pub fn mail_lost(s: &mut Scene<'_>, a: usize) {
    mail::invite(s, a);
    s.wait_days(3, 9);
    let case = open(s, "ResendMail", &[a]);
    s.wait_minutes(60, 900);
    mail::resend(s, a);
    close(s, &case, "Withdrawn");
}

/// The key cannot be found; support reads it out.
pub fn key_lost(s: &mut Scene<'_>, a: usize) {
    s.wait_days(1, 3);
    let case = open(s, "LocateKey", &[a]);
    s.wait_minutes(10, 600);
    let who = &*s.who;
    let person = &who.people[ADMINISTRATOR];
    let Some(Order { keys, .. }) = &who.agreements[a].pending else {
        return;
    };
    for line in keys.iter().filter(|line| !line.key.is_empty()) {
        s.out
            .fact("KeyRevealed", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(&case)
            .data(|f| {
                f.text("key", &line.key)
                    .person("to", person)
                    .text("channel", "Phone");
            });
    }
    close(s, &case, "Withdrawn");
}

/// The administrator's credentials are recovered before anybody signs in.
pub fn credentials_lost(s: &mut Scene<'_>) {
    s.wait_days(1, 3);
    let case = open(s, "Credentials", &[0]);
    close(s, &case, "Withdrawn");
}

/// The portal showed another end date than the rule gives; it is reported and corrected.
pub fn diverged(s: &mut Scene<'_>, r: &Redemption<'_>, effects: &[Effect], observed: Option<Date>) {
    let Some(observed) = observed else { return };
    for effect in effects {
        let sub = &s.who.subscriptions[effect.index];
        s.out
            .fact("RedemptionOutcomeDiverged", s.now, System::PORTAL)
            .by(r.visitor.by())
            .with(r.id)
            .data(|f| {
                f.text("redemption", r.id).text("subscription", &sub.id);
                f.number("seats_expected", sub.seats)
                    .number("seats_observed", sub.seats);
                f.date("end_expected", sub.end)
                    .date("end_observed", observed);
            });
    }
    let later = s.now;
    s.wait_days(2, 6);
    let case = open(s, "Other", &[r.a]);
    s.wait_days(1, 4);
    for effect in effects {
        let sub = &s.who.subscriptions[effect.index];
        s.out
            .fact("EndDateCorrected", s.now, System::SUPPORT)
            .by(By::SUPPORT)
            .with(&case)
            .data(|f| {
                f.text("subscription", &sub.id).date("from", observed);
                f.date("to", sub.end).text("case", &case);
            });
    }
    close(s, &case, "Compensated");
    s.now = later;
}
