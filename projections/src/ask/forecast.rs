//! The forecast: what the passing of time will do if nothing else happens. Nothing here knows how a
//! lifecycle runs: the views themselves are folded at later days, and where one differs, the day is
//! looked for.

use super::each_subject;
use crate::passing::passing_days;
use crate::seen::{Point, Seen};
use crate::view::Fold;
use crate::view::agreement::Agreement;
use crate::view::credit::{Credit, CreditState};
use crate::view::key::{Key, KeyState};
use crate::view::link::{Link, LinkState};
use crate::view::order::{Order, OrderState};
use crate::view::seat::{Seat, SeatState, SeatView};
use crate::view::subscription::{Subscription, SubscriptionState};
use ledger::id::{CustomerId, LicenseId, Seats, TenantId};
use ledger::secret::PersonId;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};
use std::collections::BTreeMap;

/// What will happen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Coming {
    /// A reservation can last be cancelled on this day (P33).
    CancelBy,
    /// A seat's licence runs out: full function for the days of extended grace (R21).
    SeatGrace,
    /// A seat enters reduced functionality mode (R21).
    SeatReduced,
    /// A trial ends; its data stays for a while (R11).
    TrialEnds,
    /// The data of a trial is deleted (R11, P13).
    TrialDeleted,
    /// A subscription has ended and is in grace.
    SubscriptionEnds,
    /// A subscription is disabled: nobody can use it, and it can still be renewed.
    SubscriptionDisabled,
    /// A subscription is deleted for ever.
    SubscriptionDeleted,
    /// What is left of a lot of credit is lost (E11).
    CreditExpires,
    /// An activation link stops working before anybody made the choice (P4).
    LinkExpires,
    /// A key that nobody redeemed becomes void.
    KeyExpires,
}

impl Coming {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CancelBy => "cancel_by",
            Self::SeatGrace => "seat_grace",
            Self::SeatReduced => "seat_reduced",
            Self::TrialEnds => "trial_ends",
            Self::TrialDeleted => "trial_deleted",
            Self::SubscriptionEnds => "subscription_ends",
            Self::SubscriptionDisabled => "subscription_disabled",
            Self::SubscriptionDeleted => "subscription_deleted",
            Self::CreditExpires => "credit_expires",
            Self::LinkExpires => "link_expires",
            Self::KeyExpires => "key_expires",
        }
    }

    /// What happens, for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::CancelBy => "last day to cancel the reservation",
            Self::SeatGrace => "licence runs out, extended grace begins",
            Self::SeatReduced => "reduced functionality",
            Self::TrialEnds => "trial has ended",
            Self::TrialDeleted => "trial data is deleted",
            Self::SubscriptionEnds => "has ended, grace begins",
            Self::SubscriptionDisabled => "is disabled, can still be renewed",
            Self::SubscriptionDeleted => "is deleted for ever",
            Self::CreditExpires => "credit expires",
            Self::LinkExpires => "activation link has ended",
            Self::KeyExpires => "key can no longer be redeemed",
        }
    }
}

/// One thing that will happen.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ahead {
    /// The first day on which it is so; for [`Coming::CancelBy`] the last day to act.
    pub on: Date,
    /// The tenant that it concerns.
    pub tenant: Option<TenantId>,
    /// What it happens to.
    pub subject: Subject,
    /// What happens.
    pub what: Coming,
    /// Whose it is, where there is no tenant yet.
    pub customer: Option<CustomerId>,
    /// The agreement, where there is no tenant yet.
    pub license_id: Option<LicenseId>,
    /// How many seats it concerns.
    pub seats: Option<Seats>,
    /// The user of the seat, as pseudonym.
    pub user: Option<PersonId>,
    /// What is lost of credit, in minor units of the currency.
    pub amount: Option<(i64, String)>,
}

/// What is coming.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// The day of the point.
    pub from: Date,
    /// The last day that was looked at.
    pub to: Date,
    /// What will happen, by day, tenant and subject.
    pub ahead: Vec<Ahead>,
    /// Licensed seats without a sign of trouble, by tenant, whose licence runs out within the days
    /// if they are not revalidated as usual; they are not in `ahead` unless asked for.
    pub healthy: BTreeMap<Option<TenantId>, u32>,
}

/// What is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Horizon {
    /// How many days after the point's.
    pub days: u32,
    /// Whether licensed seats without a sign of trouble are told one by one.
    pub healthy_seats: bool,
}

/// The kinds of subjects that time does something to.
const KINDS: [SubjectKind; 6] = [
    SubjectKind::Order,
    SubjectKind::Key,
    SubjectKind::Link,
    SubjectKind::Subscription,
    SubjectKind::Credit,
    SubjectKind::Seat,
];

/// What will happen to everything within some days. Costs two folds of every order, key, link,
/// subscription, lot and seat, and some more of each that something will happen to.
pub fn forecast(seen: &Seen<'_>, horizon: Horizon) -> Forecast {
    let mut ahead = Vec::new();
    let mut healthy = BTreeMap::new();
    let later = Later::of(seen, horizon.days);
    for kind in KINDS {
        each_subject(seen, kind, &mut |subject| {
            let found = later.of_subject(&subject);
            if kind == SubjectKind::Seat && !horizon.healthy_seats && !found.is_empty() {
                let seat = seen.view::<Seat>(&subject);
                if let Some(seat) = seat.filter(|seat| is_healthy(seat)) {
                    *healthy.entry(seat.tenant.clone()).or_default() += 1;
                    return;
                }
            }
            ahead.extend(found);
        });
    }
    ahead.sort();
    Forecast {
        from: seen.today(),
        to: seen.today().plus_days(i64::from(horizon.days)),
        ahead,
        healthy,
    }
}

/// What will happen to one subject within some days, by day.
pub fn of_subject(seen: &Seen<'_>, subject: &Subject, days: u32) -> Vec<Ahead> {
    Later::of(seen, days).of_subject(subject)
}

/// A licensed seat of which nothing says that it will not be revalidated: not bumped, its user not
/// deprovisioned, and no failure since it was last validated.
fn is_healthy(seat: &SeatView) -> bool {
    let failed = match (seat.last_failure_at, seat.present.last_validated) {
        (Some(failed), Some(validated)) => failed > validated,
        (failed, None) => failed.is_some(),
        (None, Some(_)) => false,
    };
    let troubled = failed || seat.present.bumped || seat.user_deprovisioned;
    seat.state == SeatState::Licensed && !troubled
}

/// The same source, looked at from later days.
struct Later<'s, 'a> {
    seen: &'s Seen<'a>,
    days: u32,
}

impl<'s, 'a> Later<'s, 'a> {
    fn of(seen: &'s Seen<'a>, days: u32) -> Self {
        Self { seen, days }
    }

    fn of_subject(&self, subject: &Subject) -> Vec<Ahead> {
        match subject.kind {
            SubjectKind::Order => self.order(subject),
            SubjectKind::Key => self.key(subject),
            SubjectKind::Link => self.link(subject),
            SubjectKind::Subscription => self.subscription(subject),
            SubjectKind::Credit => self.credit(subject),
            SubjectKind::Seat => self.seat(subject),
            SubjectKind::Customer
            | SubjectKind::Partner
            | SubjectKind::Agreement
            | SubjectKind::Pcn
            | SubjectKind::Email
            | SubjectKind::Activation
            | SubjectKind::Session
            | SubjectKind::Person
            | SubjectKind::Tenant
            | SubjectKind::Redemption
            | SubjectKind::Case
            | SubjectKind::Finding => Vec::new(),
        }
    }

    /// The days on which a part of a view changes, and the view on each.
    fn changes<F: Fold, T: PartialEq + Clone>(
        &self,
        subject: &Subject,
        part: fn(&F::View) -> T,
    ) -> Vec<(Date, Option<T>)> {
        let mut at = |valid_at: Timestamp| {
            let as_of = self.seen.point().as_of;
            let later = self.seen.from(Point { as_of, valid_at });
            later.view::<F>(subject).map(|view| part(&view))
        };
        let passed = passing_days(self.seen.now(), self.days, &mut at);
        passed
            .into_iter()
            .map(|(on, _, after)| (on, after))
            .collect()
    }

    fn subscription(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Subscription>(subject) else {
            return Vec::new();
        };
        let mut trial = matches!(
            now.state,
            Some(SubscriptionState::Trial | SubscriptionState::TrialExpired)
        );
        let changes = self.changes::<Subscription, _>(subject, |view| view.state);
        let told = changes.into_iter().filter_map(|(on, state)| {
            let what = match state?? {
                SubscriptionState::TrialExpired => Coming::TrialEnds,
                SubscriptionState::Grace => Coming::SubscriptionEnds,
                SubscriptionState::Disabled => Coming::SubscriptionDisabled,
                SubscriptionState::Deleted if trial => Coming::TrialDeleted,
                SubscriptionState::Deleted => Coming::SubscriptionDeleted,
                SubscriptionState::Active => {
                    trial = false;
                    return None;
                }
                SubscriptionState::Trial | SubscriptionState::Reversed => return None,
            };
            let mut ahead = ahead(on, what, subject);
            ahead.tenant.clone_from(&now.tenant);
            ahead.seats = Some(now.seats);
            Some(ahead)
        });
        told.collect()
    }

    fn credit(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Credit>(subject) else {
            return Vec::new();
        };
        let changes = self.changes::<Credit, _>(subject, |view| view.state);
        let expired = changes
            .into_iter()
            .filter(|(_, state)| *state == Some(CreditState::Expired));
        let told = expired.map(|(on, _)| {
            let mut ahead = ahead(on, Coming::CreditExpires, subject);
            ahead.tenant.clone_from(&now.tenant);
            ahead.amount = now.currency.clone().map(|code| (now.remaining, code));
            ahead
        });
        told.collect()
    }

    fn seat(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Seat>(subject) else {
            return Vec::new();
        };
        let changes = self.changes::<Seat, _>(subject, |view| view.state);
        let told = changes.into_iter().filter_map(|(on, state)| {
            let what = match state? {
                SeatState::ExtendedGrace => Coming::SeatGrace,
                SeatState::Notifications => Coming::SeatReduced,
                SeatState::Unknown | SeatState::OobGrace | SeatState::Licensed => return None,
            };
            let mut ahead = ahead(on, what, subject);
            ahead.tenant.clone_from(&now.tenant);
            ahead.user = now.user;
            Some(ahead)
        });
        told.collect()
    }

    fn key(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Key>(subject) else {
            return Vec::new();
        };
        let changes = self.changes::<Key, _>(subject, |view| view.state);
        let void = changes
            .into_iter()
            .filter(|(_, state)| *state == Some(KeyState::Void));
        let told = void.map(|(on, _)| {
            let ahead = ahead(on, Coming::KeyExpires, subject);
            let mut ahead = self.under(ahead, now.license_id.as_ref());
            ahead.seats = now.seats;
            ahead
        });
        told.collect()
    }

    /// A link that ends is told only while its agreement is bound to no tenant.
    fn link(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Link>(subject) else {
            return Vec::new();
        };
        let agreement = now.license_id.as_ref();
        let agreement = agreement.and_then(|id| self.seen.view::<Agreement>(&id.subject()));
        if agreement.is_some_and(|agreement| agreement.tenant.is_some()) {
            return Vec::new();
        }
        let changes = self.changes::<Link, _>(subject, |view| view.state);
        let ended = changes
            .into_iter()
            .filter(|(_, state)| *state == Some(LinkState::Expired));
        let told = ended.map(|(on, _)| {
            let ahead = ahead(on, Coming::LinkExpires, subject);
            self.under(ahead, now.license_id.as_ref())
        });
        told.collect()
    }

    fn order(&self, subject: &Subject) -> Vec<Ahead> {
        let Some(now) = self.seen.view::<Order>(subject) else {
            return Vec::new();
        };
        let last = self.seen.today().plus_days(i64::from(self.days));
        let by = now.cancel_by.filter(|by| {
            now.state == OrderState::Reserved && *by > self.seen.now() && by.date() <= last
        });
        let told = by.map(|by| {
            let ahead = ahead(by.date(), Coming::CancelBy, subject);
            let mut ahead = self.under(ahead, now.license_id.as_ref());
            ahead.seats = Some(now.seats);
            ahead
        });
        told.into_iter().collect()
    }

    /// Adds the agreement, and its tenant or else its customer.
    fn under(&self, mut ahead: Ahead, license_id: Option<&LicenseId>) -> Ahead {
        ahead.license_id = license_id.cloned();
        let agreement = license_id.and_then(|id| self.seen.view::<Agreement>(&id.subject()));
        if let Some(agreement) = agreement {
            ahead.tenant.clone_from(&agreement.tenant);
            ahead.customer.clone_from(&agreement.customer);
        }
        ahead
    }
}

fn ahead(on: Date, what: Coming, subject: &Subject) -> Ahead {
    Ahead {
        on,
        tenant: None,
        subject: subject.clone(),
        what,
        customer: None,
        license_id: None,
        seats: None,
        user: None,
        amount: None,
    }
}
