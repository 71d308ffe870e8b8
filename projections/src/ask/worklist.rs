//! The worklist: what waits for somebody, since when, and what to do next.

use super::each_subject;
use crate::seen::Seen;
use crate::view::agreement::{ActivationState, Agreement};
use crate::view::case::{Case, CaseState};
use crate::view::email::{Email, EmailState};
use crate::view::finding::{Finding, FindingState};
use crate::view::lag::{Lag, PortalStatus};
use crate::view::link::{Link, LinkState};
use crate::view::order::{Order, OrderState};
use crate::view::redemption::{Redemption, RedemptionState, RedemptionView};
use crate::view::seat::Seat;
use ledger::event::word::ActivationStatus;
use ledger::id::{CustomerId, LicenseId, Seats, TenantId};
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::{Date, Timestamp};

/// From when on something is on the list: parameters, each with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Days after an order until it should be activated.
    pub order_days: i64,
    /// Days after a mail until somebody should have opened it.
    pub mail_days: i64,
    /// Days before a link's end from which on it is told.
    pub link_days: i64,
    /// Hours after a choice until something should be bound.
    pub choice_hours: i64,
    /// Hours after Redeem was pressed until the outcome should be known.
    pub outcome_hours: i64,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            order_days: 7,
            mail_days: 3,
            link_days: 30,
            choice_hours: 24,
            outcome_hours: 24,
        }
    }
}

/// What waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Job {
    /// Redeem was pressed, and nothing says how it ended.
    OutcomeUnknown,
    /// A portal still shows "not activated" after the longest lag (R16, P4).
    StatusLate,
    /// A choice was made, and nothing was bound.
    ChoiceWithoutBinding,
    /// A case is open.
    CaseOpen,
    /// A finding was confirmed, and no case is open about it.
    FindingWithoutCase,
    /// An order was not activated.
    OrderNotActivated,
    /// The activation mail came back.
    MailBounced,
    /// Nobody opened the activation mail.
    MailNotOpened,
    /// An activation link is about to end.
    LinkEnding,
    /// An activation link has ended before the choice.
    LinkEnded,
    /// A seat waits for a reset.
    ResetWaiting,
}

impl Job {
    /// The word in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutcomeUnknown => "outcome_unknown",
            Self::StatusLate => "status_late",
            Self::ChoiceWithoutBinding => "choice_without_binding",
            Self::CaseOpen => "case_open",
            Self::FindingWithoutCase => "finding_without_case",
            Self::OrderNotActivated => "order_not_activated",
            Self::MailBounced => "mail_bounced",
            Self::MailNotOpened => "mail_not_opened",
            Self::LinkEnding => "link_ending",
            Self::LinkEnded => "link_ended",
            Self::ResetWaiting => "reset_waiting",
        }
    }

    /// What waits, for people.
    pub fn says(self) -> &'static str {
        match self {
            Self::OutcomeUnknown => "redemptions of unknown outcome",
            Self::StatusLate => "status later than the longest lag after a redemption",
            Self::ChoiceWithoutBinding => "choices without a binding",
            Self::CaseOpen => "cases that wait",
            Self::FindingWithoutCase => "confirmed findings without a case",
            Self::OrderNotActivated => "orders not activated",
            Self::MailBounced => "activation mails that came back",
            Self::MailNotOpened => "activation mails that nobody opened",
            Self::LinkEnding => "activation links about to end",
            Self::LinkEnded => "activation links that ended before the choice",
            Self::ResetWaiting => "seats that wait for a reset",
        }
    }
}

/// One thing that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What waits.
    pub job: Job,
    /// What it is about.
    pub subject: Subject,
    /// Since when.
    pub since: Timestamp,
    /// The day by which something has to be done, where there is one.
    pub due: Option<Date>,
    /// The tenant, where one is known.
    pub tenant: Option<TenantId>,
    /// The agreement.
    pub license_id: Option<LicenseId>,
    /// Whose it is.
    pub customer: Option<CustomerId>,
    /// Seats that wait with it.
    pub seats: Option<Seats>,
    /// What to do next.
    pub next: &'static str,
}

/// The kinds of subjects that something can wait with.
const KINDS: [SubjectKind; 8] = [
    SubjectKind::Redemption,
    SubjectKind::Agreement,
    SubjectKind::Case,
    SubjectKind::Finding,
    SubjectKind::Order,
    SubjectKind::Email,
    SubjectKind::Link,
    SubjectKind::Seat,
];

/// Everything that waits, by what it is, the longest waiting first. Costs a fold of every redemption,
/// agreement, case, finding, order, email, link and seat.
pub fn worklist(seen: &Seen<'_>, patience: &Patience) -> Vec<Waiting> {
    let mut all = Vec::new();
    for kind in KINDS {
        each_subject(seen, kind, &mut |subject| {
            all.extend(of_subject(seen, &subject, patience));
        });
    }
    all.sort_by(|a, b| {
        let order = |w: &Waiting| (w.job, w.due, w.since);
        order(a)
            .cmp(&order(b))
            .then_with(|| a.subject.cmp(&b.subject))
    });
    all
}

/// What waits with one subject.
pub fn of_subject(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Vec<Waiting> {
    let found = match subject.kind {
        SubjectKind::Redemption => redemption(seen, subject, patience),
        SubjectKind::Agreement => agreement(seen, subject, patience),
        SubjectKind::Case => case(seen, subject),
        SubjectKind::Finding => finding(seen, subject),
        SubjectKind::Order => order(seen, subject, patience),
        SubjectKind::Email => email(seen, subject, patience),
        SubjectKind::Link => link(seen, subject, patience),
        SubjectKind::Seat => seat(seen, subject),
        SubjectKind::Customer
        | SubjectKind::Partner
        | SubjectKind::Pcn
        | SubjectKind::Key
        | SubjectKind::Activation
        | SubjectKind::Session
        | SubjectKind::Person
        | SubjectKind::Tenant
        | SubjectKind::Subscription
        | SubjectKind::Credit => None,
    };
    found.into_iter().collect()
}

fn waiting(job: Job, subject: &Subject, since: Timestamp, next: &'static str) -> Waiting {
    Waiting {
        job,
        subject: subject.clone(),
        since,
        due: None,
        tenant: None,
        license_id: None,
        customer: None,
        seats: None,
        next,
    }
}

/// Adds the agreement, its tenant and its customer.
fn under(seen: &Seen<'_>, mut waiting: Waiting, license_id: Option<&LicenseId>) -> Waiting {
    waiting.license_id = license_id.cloned();
    let agreement = license_id.and_then(|id| seen.view::<Agreement>(&id.subject()));
    if let Some(agreement) = agreement {
        waiting.tenant = waiting.tenant.or_else(|| agreement.tenant.clone());
        waiting.customer.clone_from(&agreement.customer);
    }
    waiting
}

fn older(seen: &Seen<'_>, since: Timestamp, minutes: i64) -> bool {
    since.plus_minutes(minutes) <= seen.now()
}

const MINUTES_PER_HOUR: i64 = 60;
const MINUTES_PER_DAY: i64 = 24 * MINUTES_PER_HOUR;

fn redemption(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Option<Waiting> {
    let view = seen.view::<Redemption>(subject)?;
    let limit = patience.outcome_hours * MINUTES_PER_HOUR;
    let found = match view.state {
        RedemptionState::OutcomeUnknown => {
            let since = view.submitted_at.filter(|at| older(seen, *at, limit))?;
            let next =
                "ask the tenant's administrator whether the seats are there; else the support";
            waiting(Job::OutcomeUnknown, subject, since, next)
        }
        RedemptionState::Redeemed | RedemptionState::PartlyReversed => {
            let since = late(seen, &view)?;
            let next = "open a case: the portal should have shown it by now";
            waiting(Job::StatusLate, subject, since, next)
        }
        RedemptionState::Unknown
        | RedemptionState::Started
        | RedemptionState::Refused
        | RedemptionState::Abandoned
        | RedemptionState::Reversed => return None,
    };
    let mut found = under(seen, found, view.license_id.as_ref());
    found.tenant = view.tenant.clone().or(found.tenant);
    found.seats = (view.seats != Seats(0)).then_some(view.seats);
    Some(found)
}

/// When it landed, if a portal showed anything but "activated" last and the longest lag is over: then
/// the last status contradicts it, or is older than the landing and nobody looked since.
fn late(seen: &Seen<'_>, view: &RedemptionView) -> Option<Timestamp> {
    let landed = view.redeemed_at?;
    let PortalStatus { shown, at, lag, .. } = view.portal.as_ref()?;
    let hours = seen.policies().limits.status_late_hours;
    let over = older(seen, landed, hours * MINUTES_PER_HOUR);
    let unseen = *at < landed && *shown != ActivationStatus::Activated.as_str();
    let contradicts = *lag == Some(Lag::Contradicts);
    (over && (contradicts || unseen)).then_some(landed)
}

fn agreement(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Option<Waiting> {
    let view = seen.view::<Agreement>(subject)?;
    let chosen = matches!(
        view.state,
        ActivationState::ChosenSignIn | ActivationState::ChosenSignUp
    );
    let limit = patience.choice_hours * MINUTES_PER_HOUR;
    let since = view
        .chosen_at
        .filter(|at| chosen && older(seen, *at, limit))?;
    let next = "ask the support for the binding: the choice itself cannot be made again";
    let found = waiting(Job::ChoiceWithoutBinding, subject, since, next);
    Some(under(seen, found, Some(&view.license_id)))
}

fn case(seen: &Seen<'_>, subject: &Subject) -> Option<Waiting> {
    let view = seen.view::<Case>(subject)?;
    let moved = [view.opened_at, view.authorised_at, view.last_step_at];
    let since = moved.into_iter().flatten().max()?;
    let next = match view.state {
        CaseState::Suspected => "confirm or dismiss the finding",
        CaseState::Confirmed | CaseState::Unknown => "obtain the authorisation",
        CaseState::Authorised => "carry out the steps of the plan",
        CaseState::Executing => "carry out what is left of the plan, then close the case",
        CaseState::Dismissed | CaseState::Closed => return None,
    };
    let mut found = waiting(Job::CaseOpen, subject, since, next);
    found = under(seen, found, view.license_ids.first());
    found.tenant = view.wrong_tenant.clone().or(found.tenant);
    found.customer = view.customer.clone().or(found.customer);
    Some(found)
}

fn finding(seen: &Seen<'_>, subject: &Subject) -> Option<Waiting> {
    let view = seen.view::<Finding>(subject)?;
    let confirmed = view.state == FindingState::Confirmed && view.cases.is_empty();
    let since = view.decided_at.filter(|_| confirmed)?;
    let next = "plan the compensation and open a case";
    Some(waiting(Job::FindingWithoutCase, subject, since, next))
}

fn order(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Option<Waiting> {
    let view = seen.view::<Order>(subject)?;
    let open = matches!(view.state, OrderState::Placed | OrderState::PartlyActivated);
    // What is to be used later cannot be activated earlier.
    let placed = view.placed_on?.max(view.usage_date.or(view.placed_on)?);
    let since = placed.start();
    if !open || !older(seen, since, patience.order_days * MINUTES_PER_DAY) {
        return None;
    }
    let next = match (view.keys, view.messages.is_empty()) {
        _ if view.contacts_missing => "correct the contacts, then ask for the mail to be sent",
        (0, true) => "ask why no activation mail was sent",
        (0, false) => "ask the recipient to make the choice in the activation mail",
        (_, _) => "ask the customer to redeem the keys that are left",
    };
    let mut found = waiting(Job::OrderNotActivated, subject, since, next);
    found.customer.clone_from(&view.customer);
    let left = view.seats.0.saturating_sub(view.seats_redeemed.0);
    found.seats = (left > 0).then_some(Seats(left));
    let customer = found.customer.clone();
    let mut found = under(seen, found, view.license_id.as_ref());
    found.customer = customer.or(found.customer);
    Some(found)
}

/// Mails matter while nothing landed: an agreement that is bound needs none.
fn is_bound(seen: &Seen<'_>, license_id: Option<&LicenseId>) -> bool {
    let agreement = license_id.and_then(|id| seen.view::<Agreement>(&id.subject()));
    agreement.is_some_and(|agreement| agreement.tenant.is_some() || agreement.choice.is_some())
}

fn email(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Option<Waiting> {
    let view = seen.view::<Email>(subject)?;
    let answered = is_bound(seen, view.license_id.as_ref()) || !view.resent_as.is_empty();
    let since = view.sent_at.filter(|_| !answered)?;
    let found = match view.state {
        EmailState::Bounced => {
            let next = "correct the contact, and ask for the mail to be sent again: a change alone sends none";
            waiting(Job::MailBounced, subject, since, next)
        }
        EmailState::Sent | EmailState::Delivered => {
            if !older(seen, since, patience.mail_days * MINUTES_PER_DAY) {
                return None;
            }
            let next = match view.recipient_replaced {
                true => {
                    "the recipient no longer has the role: ask for the mail to be sent to the present one"
                }
                false => "ask the recipient to open it or to forward it to an administrator",
            };
            waiting(Job::MailNotOpened, subject, since, next)
        }
        EmailState::Unknown | EmailState::Opened | EmailState::Answered | EmailState::Expired => {
            return None;
        }
    };
    let mut found = under(seen, found, view.license_id.as_ref());
    found.due = view.link_expires;
    Some(found)
}

fn link(seen: &Seen<'_>, subject: &Subject, patience: &Patience) -> Option<Waiting> {
    let view = seen.view::<Link>(subject)?;
    if is_bound(seen, view.license_id.as_ref()) {
        return None;
    }
    let last = view.expires;
    let found = match view.state {
        LinkState::Used => return None,
        LinkState::Expired => {
            let since = last.map_or(seen.now(), |last| last.plus_days(1).start());
            let next = "ask the support to reactivate the link";
            waiting(Job::LinkEnded, subject, since.min(seen.now()), next)
        }
        LinkState::Live => {
            let soon = last?.plus_days(-patience.link_days);
            if seen.today() < soon {
                return None;
            }
            let next = "have the choice made before the link ends";
            waiting(Job::LinkEnding, subject, soon.start(), next)
        }
    };
    let mut found = under(seen, found, view.license_id.as_ref());
    found.due = last.filter(|_| view.state == LinkState::Live);
    Some(found)
}

fn seat(seen: &Seen<'_>, subject: &Subject) -> Option<Waiting> {
    let view = seen.view::<Seat>(subject)?;
    let next = "reset the licence on the machine, and sign in to the right tenant";
    let mut found = waiting(Job::ResetWaiting, subject, view.reset_requested?, next);
    found.tenant.clone_from(&view.tenant);
    Some(found)
}
