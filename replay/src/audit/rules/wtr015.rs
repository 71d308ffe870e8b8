//! WTR015: in the right tenant, but in the wrong subscription.

use super::{Case, Check, Hit, Parameter, Rule, Severity, Silence};
use crate::audit::evidence::SubscriptionFacts;
use crate::audit::landing::LandingKind;
use ledger::event::word::RedemptionMode;
use ledger::id::{CustomerId, Seats, Sku, SubscriptionId};
use projections::view::subscription::{self, SubscriptionState, SubscriptionView};
use std::collections::{BTreeMap, BTreeSet};

const ENDS_WITHIN_DAYS: i64 = 90;
const SEATS_FROM_PERCENT: u64 = 50;
const SEATS_TO_PERCENT: u64 = 150;

pub(super) const RULE: Rule = Rule {
    code: "WTR015",
    name: "the wrong subscription",
    severity: Severity::Medium,
    meaning: "A renewal began a new subscription beside the one that it was to renew, or keys of one product went into a subscription of another, old or new. The old subscription ends although it was paid for.",
    needs: "the mode of the redemption; the subscriptions of the tenant with their products and ends; or the product of the order line that the key was issued for",
    counter_evidence: "nothing lowers it",
    false_positives: "a change of plan, which is another product and so no case; a second subscription by intent: if the old one is renewed by itself, belongs to other agreements only (E10), is another customer's, or has quite another number of seats, the rule is silent",
    compensation: "reverse the redemption and redeem the reissued key as a renewal of the old subscription",
    parameters: &[
        Parameter {
            name: "ends_within_days",
            value: ENDS_WITHIN_DAYS,
            unit: "days",
            doc: "how soon the old subscription has to end for the new one to have been its renewal",
        },
        Parameter {
            name: "seats_from_percent",
            value: SEATS_FROM_PERCENT as i64,
            unit: "percent of the old seats",
            doc: "the fewest seats that a renewal of it may have",
        },
        Parameter {
            name: "seats_to_percent",
            value: SEATS_TO_PERCENT as i64,
            unit: "percent of the old seats",
            doc: "the most seats that a renewal of it may have",
        },
    ],
    inputs: &[
        "KeysRedeemed.mode",
        "KeysRedeemed.effects",
        "KeysRedeemed.keys",
        "KeyIssued.line",
        "OrderPlaced.lines",
        "SubscriptionStarted.sku",
        "SubscriptionStarted.end",
        "SubscriptionRenewed.subscription",
        "SubscriptionObserved.sku",
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
    let mode = mode.ok_or("no source says how the keys were redeemed")?;
    match mode.value {
        RedemptionMode::NewSubscription => beside_the_old(case).or_else(|_| another_product(case)),
        RedemptionMode::AddKeepEnd | RedemptionMode::RenewPlus12 => another_product(case),
        RedemptionMode::AzureNew | RedemptionMode::AzureTopUp => {
            Err(Silence("credit has no such subscription"))
        }
    }
}

/// A new subscription beside one of the same product that was about to end.
fn beside_the_old(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    let own = landing.subscriptions.iter();
    let skus: BTreeSet<&Sku> = own
        .filter_map(|id| evidence.subscriptions.get(id)?.sku.as_ref())
        .collect();
    let same = evidence
        .subscriptions_of_tenant(&landing.tenant)
        .filter(|id| !landing.subscriptions.contains(*id))
        .filter_map(|id| Some((id, evidence.subscriptions.get(id)?)))
        .filter(|(_, facts)| facts.sku.as_ref().is_some_and(|sku| skus.contains(sku)))
        .filter(|(_, facts)| is_of_agreement(case, facts) && is_of_customer(case, facts))
        .filter(|(_, facts)| !is_renewed_itself(case, facts));
    let same: Vec<&SubscriptionId> = same.map(|(id, _)| id).collect();
    if same.is_empty() {
        return Err(Silence(
            "the agreement has no other subscription of the product there",
        ));
    }
    let before = case.before();
    let today = landing.at.start.date();
    let was_to_be_renewed = |view: &SubscriptionView| {
        let live = matches!(
            view.state,
            Some(SubscriptionState::Active | SubscriptionState::Grace)
        );
        let soon = view
            .end
            .is_some_and(|end| end.days_since(today) <= ENDS_WITHIN_DAYS);
        let Some(seats) = brought(case, view.sku.as_ref()) else {
            return false;
        };
        let percent = u64::from(seats.0).saturating_mul(100);
        let old = u64::from(view.seats.0);
        let alike = percent >= old.saturating_mul(SEATS_FROM_PERCENT)
            && percent <= old.saturating_mul(SEATS_TO_PERCENT);
        live && soon && alike && view.tenant.as_ref() == Some(&landing.tenant)
    };
    let old = same
        .into_iter()
        .filter_map(|id| subscription::fold(&before, id))
        .find(was_to_be_renewed);
    let old = old.ok_or("none of its subscriptions there was about to end")?;
    let mut hit = Hit::of_manner(Severity::Medium, 800);
    let end = old.end.map_or_else(String::new, |end| format!(" on {end}"));
    let what = format!("{} with {} seats ended{end}", old.subscription, old.seats);
    hit.landed(case, &format!("a new subscription began while {what}"));
    Ok(hit)
}

/// How many seats of a product the landing brought: as a source saw them, else all that its keys hold if
/// they are of one product.
fn brought(case: &Case<'_>, sku: Option<&Sku>) -> Option<Seats> {
    let (landing, evidence) = (case.landing, case.evidence);
    let redemptions = landing.redemptions.iter();
    let facts = redemptions.filter_map(|id| evidence.redemptions.get(id));
    let effects = facts.flat_map(|facts| &facts.effects);
    // One subscription can be told by two systems.
    let seen: BTreeMap<&SubscriptionId, Seats> = effects
        .filter(|effect| effect.value.sku.as_ref() == sku)
        .filter_map(|effect| Some((&effect.value.subscription, effect.value.seats_after?)))
        .collect();
    let total = seen.values().map(|seats| seats.0).sum();
    match seen.is_empty() {
        false => Some(Seats(total)),
        true if landing.subscriptions.len() <= 1 => landing.seats,
        true => None,
    }
}

/// Whether nothing says that a subscription belongs to other agreements only. What is bought under a new
/// License ID begins a subscription of its own, and the old one runs out beside it (E10).
fn is_of_agreement(case: &Case<'_>, facts: &SubscriptionFacts) -> bool {
    let own = case.landing.license_id.as_ref();
    facts.agreements.is_empty() || own.is_none_or(|own| facts.agreements.contains(own))
}

/// Whether nothing says that a subscription is of a customer who has nothing to do with the landing's.
fn is_of_customer(case: &Case<'_>, facts: &SubscriptionFacts) -> bool {
    let Some(own) = &case.landing.customer else {
        return false;
    };
    let agreements = facts.agreements.iter();
    let customers = agreements.filter_map(|id| case.evidence.agreements.get(id)?.customer.as_ref());
    let customers: Vec<&CustomerId> = customers.map(|known| &known.value).collect();
    let moment = case.landing.at.start;
    let related = |other: &&CustomerId| {
        case.evidence
            .belong_together(own, other, moment, case.cutoff)
    };
    customers.is_empty() || customers.iter().any(related)
}

/// Whether the old subscription was renewed by another redemption, then or later.
fn is_renewed_itself(case: &Case<'_>, facts: &SubscriptionFacts) -> bool {
    let own = |by: &Option<_>| {
        by.as_ref()
            .is_some_and(|by| case.landing.redemptions.contains(by))
    };
    let near = case.landing.at.start.plus_days(-ENDS_WITHIN_DAYS);
    let mut renewed = facts.renewed.iter();
    renewed.any(|by| by.by(case.cutoff) && by.from >= near && !own(&by.value))
}

/// Keys of one product in a subscription of another. Sources may call one product by several words, so
/// both words have to be ones that orders and portals share.
fn another_product(case: &Case<'_>) -> Result<Hit, Silence> {
    let (landing, evidence) = (case.landing, case.evidence);
    let shared = |sku: &&Sku| evidence.words.are_shared(sku);
    let lines = landing.keys.iter().filter_map(|key| {
        let key = evidence.keys.get(key)?;
        let order = evidence.orders.get(&key.order.as_ref()?.value)?;
        let line = usize::try_from(key.line?).ok()?.checked_sub(1)?;
        order.skus.get(line)
    });
    let bought: BTreeSet<&Sku> = lines.filter(shared).collect();
    if bought.is_empty() {
        return Err(Silence("the product of the keys is not known"));
    }
    let into = landing.subscriptions.iter().find_map(|id| {
        let sku = evidence.subscriptions.get(id)?.sku.as_ref()?;
        (shared(&sku) && !bought.contains(sku)).then_some((id, sku))
    });
    let (into, sku) = into.ok_or("the keys are of the product of the subscription")?;
    let mut hit = Hit::of_manner(Severity::Medium, 800);
    let keys: Vec<&str> = bought.iter().map(|sku| sku.as_str()).collect();
    let why = format!(
        "keys of {} went into {into}, which is of {sku}",
        keys.join(" and ")
    );
    hit.landed(case, &why);
    Ok(hit)
}
