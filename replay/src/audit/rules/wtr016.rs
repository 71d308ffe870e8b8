//! WTR016: seats added where a renewal was meant, or the reverse.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use crate::audit::landing::LandingKind;
use ledger::event::word::RedemptionMode;
use ledger::id::{Seats, SubscriptionId};
use ledger::time::Date;
use projections::view::subscription;

const ADDED_BEFORE_END_DAYS: i64 = 60;
const GRACE_DAYS: i64 = 30;
const ALIKE_PERCENT: u64 = 10;
const RENEWED_BEFORE_END_DAYS: i64 = 180;
const FEW_PERCENT: u64 = 20;

pub(super) const RULE: Rule = Rule {
    code: "WTR016",
    name: "Add where Renew was meant, or the reverse",
    severity: Severity::Medium,
    meaning: "Seats were added shortly before the end, as many as there were: a renewal was meant, and the subscription ends all the same. Or a few seats were redeemed as a renewal long before the end: they were to be added, and a renewal sets the seats to those of its keys.",
    needs: "the mode of the redemption; seats and end of the subscription before it; the seats of the keys",
    counter_evidence: "nothing lowers it",
    false_positives: "genuine growth near the end: once the subscription is renewed after it, the rule is silent",
    compensation: "have the end date corrected, or the redemption reversed and the reissued key redeemed in the other mode",
    parameters: &[
        Parameter {
            name: "added_before_end_days",
            value: ADDED_BEFORE_END_DAYS,
            unit: "days",
            doc: "how soon the end has to be for added seats to have been a renewal",
        },
        Parameter {
            name: "grace_days",
            value: GRACE_DAYS,
            unit: "days",
            doc: "how long after the end seats may have been added instead of a renewal",
        },
        Parameter {
            name: "alike_percent",
            value: ALIKE_PERCENT as i64,
            unit: "percent of the seats before",
            doc: "how far the added seats may be from the seats before",
        },
        Parameter {
            name: "renewed_before_end_days",
            value: RENEWED_BEFORE_END_DAYS,
            unit: "days",
            doc: "how far away the end has to be for a renewal to have been an addition",
        },
        Parameter {
            name: "few_percent",
            value: FEW_PERCENT as i64,
            unit: "percent of the seats before",
            doc: "the most seats that such a renewal may have",
        },
    ],
    inputs: &[
        "KeysRedeemed.mode",
        "KeysRedeemed.keys",
        "KeysRedeemed.effects",
        "SubscriptionStarted.end",
        "SubscriptionRenewed.redemption",
        "EndDateCorrected.subscription",
    ],
    check: Check::Landing(check),
};

fn check(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    if landing.kind != LandingKind::Redemption {
        return Err(Silence("no key was redeemed for seats"));
    }
    case.must_not_be_elsewhere()?;
    let redemptions = landing.redemptions.iter();
    let mut redemptions = redemptions.filter_map(|id| evidence.redemptions.get(id));
    let mode = redemptions.find_map(|facts| facts.mode.as_ref());
    let mode = mode
        .ok_or("no source says how the keys were redeemed")?
        .value;
    let added = match mode {
        RedemptionMode::AddKeepEnd => true,
        RedemptionMode::RenewPlus12 => false,
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew | RedemptionMode::AzureTopUp => {
            return Err(Silence("neither were seats added nor was it renewed"));
        }
    };
    let seats = landing
        .seats
        .ok_or("no source says how many seats it brought")?;
    let [subscription] = landing.subscriptions.iter().collect::<Vec<_>>()[..] else {
        return Err(Silence("it touched not exactly one subscription"));
    };
    let before = before(case, subscription);
    let (had, end) = before.ok_or("seats and end of the subscription are not known")?;
    let days = end.days_since(landing.at.start.date());
    let percent = u64::from(seats.0).saturating_mul(100);
    let of = |share: u64| u64::from(had.0).saturating_mul(share);
    let why = match added {
        true => {
            let near = (-GRACE_DAYS..=ADDED_BEFORE_END_DAYS).contains(&days);
            let alike = percent >= of(100 - ALIKE_PERCENT) && percent <= of(100 + ALIKE_PERCENT);
            if !near || !alike {
                return Err(Silence("it does not look like a renewal"));
            }
            if is_renewed_later(case, subscription) {
                return Err(Silence("the subscription was renewed after it: it grew"));
            }
            format!(
                "{seats} seats were added to {had}, and {subscription} ends on {end} all the same"
            )
        }
        false => {
            if days <= RENEWED_BEFORE_END_DAYS || percent > of(FEW_PERCENT) {
                return Err(Silence("it does not look like an addition"));
            }
            format!(
                "{subscription} with {had} seats was renewed with {seats}, {days} days before its end"
            )
        }
    };
    let mut hit = Hit::of_manner(Severity::Medium, if added { 600 } else { 800 });
    hit.landed(case, &why);
    let facts = evidence.subscriptions.get(subscription);
    let corrected = facts.into_iter().flat_map(|facts| &facts.corrected);
    let corrected = corrected
        .filter(|c| c.by(case.cutoff))
        .find(|c| c.from > landing.at.start);
    hit.settled = corrected.map(|corrected| corrected.event);
    Ok(hit)
}

/// Seats and end of the subscription before: as a source saw them, else as they are computed.
fn before(case: &Case<'_>, subscription: &SubscriptionId) -> Option<(Seats, Date)> {
    let landing = case.landing;
    let redemptions = landing.redemptions.iter();
    let seen = redemptions
        .filter_map(|id| case.evidence.redemptions.get(id))
        .flat_map(|facts| &facts.effects)
        .filter(|effect| effect.value.subscription == *subscription)
        .find_map(|effect| Some((effect.value.seats_before?, effect.value.end_before?)));
    seen.or_else(|| {
        let view = subscription::fold(&case.before(), subscription)?;
        Some((view.seats, view.end?))
    })
}

/// Whether the subscription was renewed after the landing.
fn is_renewed_later(case: &Case<'_>, subscription: &SubscriptionId) -> bool {
    let facts = case.evidence.subscriptions.get(subscription);
    let mut renewed = facts.into_iter().flat_map(|facts| &facts.renewed);
    renewed.any(|by| by.by(case.cutoff) && by.from > case.landing.at.start)
}
