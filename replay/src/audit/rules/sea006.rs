//! SEA006: seats added, or a renewal, when the subscription had ended.

use super::{Breach, Check, Parameter, Rule, Scene, Severity, Silence};
use ledger::event::kinds::KeysRedeemed;
use ledger::event::word::RedemptionMode;
use ledger::event::{Event, Payload};
use ledger::id::{RedemptionId, SubscriptionId};
use ledger::subject::SubjectKind;
use projections::view::subscription::{self, EffectView, Note, SubscriptionView};

/// No program deletes a subscription sooner after its end than this (section 5.3).
const GONE_AFTER_DAYS: i64 = 120;

pub(super) const RULE: Rule = Rule {
    code: "SEA006",
    name: "seats bought for a subscription that had ended",
    severity: Severity::High,
    meaning: "Seats were added when the subscription had ended, which leaves the end in the past, so that they serve for the grace at most; or a subscription was renewed that had been deleted already, so that a new one began and its data is gone (sections 5.3 and A, \"Refuse and import\").",
    needs: "the subscription's end, and a redemption on a later day; the keys are spent all the same",
    counter_evidence: "none: a redemption that was reversed, and one whose landing has a finding, are no case",
    false_positives: "an end date that a source corrected without a word; days that are told in another time zone",
    compensation: "renew the subscription, or have the redemption reversed and the reissued key redeemed for a new one",
    parameters: &[Parameter {
        name: "GONE_AFTER_DAYS",
        value: GONE_AFTER_DAYS,
        unit: "days",
        doc: "how long after its end the soonest a subscription is deleted: grace and disabled together",
    }],
    inputs: &[
        "KeysRedeemed.mode",
        "KeysRedeemed.effects",
        "SubscriptionStarted.end",
        "SubscriptionRenewed.end",
        "EndDateCorrected.subscription",
    ],
    check: Check::Subject(SubjectKind::Subscription, check),
};

fn check(scene: &Scene<'_>) -> Result<Vec<Breach>, Silence> {
    let id = SubscriptionId::new(&scene.subject.id);
    let id = id.map_err(|_| Silence("its id cannot be read"))?;
    if scene.events.iter().all(|event| prolongs(event).is_none()) {
        return Err(Silence("nothing was added to it or renewed"));
    }
    scene.evidence.looks_at_today();
    let view = subscription::fold(scene.at, &id).ok_or("it is not known")?;
    let added = view.notes.contains(&Note::AddedAfterEnd);
    let renewed = view.notes.contains(&Note::RenewedAfterDeletion);
    if !added && !renewed {
        return Err(Silence("it had not ended when seats were bought for it"));
    }
    let breaches: Vec<Breach> = too_late(&view)
        .filter_map(|(index, ended)| breach(scene, &view, index, ended, renewed))
        .collect();
    match breaches.is_empty() {
        true => Err(Silence("what came too late was reversed, or has a finding")),
        false => Ok(breaches),
    }
}

/// A redemption that adds seats or renews.
fn prolongs(event: &Event) -> Option<&KeysRedeemed> {
    let Payload::KeysRedeemed(redeemed) = &event.payload else {
        return None;
    };
    match redeemed.mode {
        RedemptionMode::AddKeepEnd | RedemptionMode::RenewPlus12 => Some(redeemed),
        RedemptionMode::NewSubscription | RedemptionMode::AzureNew | RedemptionMode::AzureTopUp => {
            None
        }
    }
}

/// The effects of redemptions on a day after the end that was in force then, with that end.
fn too_late(view: &SubscriptionView) -> impl Iterator<Item = (usize, ledger::time::Date)> {
    let mut ends = None;
    view.effects
        .iter()
        .enumerate()
        .filter_map(move |(index, effect)| {
            let before = std::mem::replace(&mut ends, effect.end);
            let ended = before.filter(|end| *end < effect.on && effect.redemption.is_some());
            ended.filter(|_| !effect.undone).map(|end| (index, end))
        })
}

fn breach(
    scene: &Scene<'_>,
    view: &SubscriptionView,
    index: usize,
    ended: ledger::time::Date,
    renewed: bool,
) -> Option<Breach> {
    let effect = view.effects.get(index)?;
    let redemption = effect.redemption.as_ref()?;
    let (event, redeemed) = told(scene, redemption)?;
    // A renewal in the grace is what the grace is for.
    let adds = redeemed.mode == RedemptionMode::AddKeepEnd;
    let deleted = renewed && effect.on.days_since(ended) > GONE_AFTER_DAYS;
    if !adds && !deleted {
        return None;
    }
    let mut landings = scene.others.of_tenant(&redeemed.tenant);
    if landings.any(|judged| judged.accused && judged.landing.redemptions.contains(redemption)) {
        return None;
    }
    let what = if adds {
        "Seats were added to"
    } else {
        "Keys renewed"
    };
    let summary = format!(
        "{what} {} on {}; it had ended on {ended}.",
        view.subscription, effect.on
    );
    let mut breach = Breach::new(scene.subject, event.occurred_at, Severity::High, 800)
        .says(
            summary,
            "renew the subscription, or have the redemption reversed",
        )
        .key(redemption)
        .names([redemption])
        .names([&redeemed.tenant])
        .names(&redeemed.license_id)
        .shows(
            event,
            format!("the keys went into a subscription that had ended on {ended}"),
        );
    let lives_on = |later: &&EffectView| later.end.is_some_and(|end| end >= later.on);
    let later = view.effects.iter().skip(index + 1).find(lives_on);
    let renewal = later.and_then(|later| told(scene, later.redemption.as_ref()?));
    breach.settled = renewal
        .filter(|_| adds)
        .map(|(event, _)| (event.id, "it was renewed since".to_owned()));
    Some(breach)
}

/// The report of a redemption.
fn told<'s>(scene: &Scene<'s>, redemption: &RedemptionId) -> Option<(&'s Event, &'s KeysRedeemed)> {
    scene.events.iter().find_map(|event| {
        let redeemed = prolongs(event)?;
        (redeemed.redemption == *redemption).then_some((*event, redeemed))
    })
}
