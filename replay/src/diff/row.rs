//! Rows: the events of one cause in either history, and what became of it.

use super::Side;
use super::cause::{Causes, is_strong};
use super::words::{describe, name};
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{EventId, TenantId};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Occurred;
use std::collections::{BTreeMap, BTreeSet};

/// What became of a cause in two histories.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// The same on both sides.
    Matched,
    /// It reached one tenant and then the other.
    Moved,
    /// Both sides know it, in another way.
    Altered,
    /// Only the left side knows it.
    OnlyLeft,
    /// Only the right side knows it.
    OnlyRight,
    /// It reached both, and the vendor undid one of them.
    Compensated,
}

impl Status {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Moved => "moved",
            Self::Altered => "altered",
            Self::OnlyLeft => "only_left",
            Self::OnlyRight => "only_right",
            Self::Compensated => "compensated",
        }
    }
}

/// Which histories an event is seen in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Seen {
    /// In the left one.
    Left,
    /// In the right one.
    Right,
    /// In both.
    Both,
    /// In neither: it belongs to the cause, and names no tenant of the two.
    Neither,
}

impl Seen {
    /// The name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Left => "left",
            Self::Right => "right",
            Self::Both => "both",
            Self::Neither => "neither",
        }
    }
}

/// One event of a cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// When it happened.
    pub at: Occurred,
    /// Its kind.
    pub kind: &'static str,
    /// What it was, in a few words.
    pub what: String,
    /// Which event.
    pub event: EventId,
    /// Where it is seen.
    pub seen: Seen,
}

/// The events of one cause.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The cause, as `KIND:ID`; keys by their last five characters; `tenant` for what concerns the
    /// tenants themselves.
    pub cause: String,
    /// What became of it.
    pub status: Status,
    /// Its events, in fold order.
    pub chain: Vec<Link>,
}

impl Row {
    /// The same row seen from the other side.
    #[must_use]
    pub fn mirrored(mut self) -> Self {
        self.status = match self.status {
            Status::OnlyLeft => Status::OnlyRight,
            Status::OnlyRight => Status::OnlyLeft,
            same @ (Status::Matched | Status::Moved | Status::Altered | Status::Compensated) => {
                same
            }
        };
        for link in &mut self.chain {
            link.seen = match link.seen {
                Seen::Left => Seen::Right,
                Seen::Right => Seen::Left,
                same @ (Seen::Both | Seen::Neither) => same,
            };
        }
        self
    }
}

/// The events of one side: those that name the tenant, or a subscription or seat in it.
fn history<'d>(side: Side<'d>) -> BTreeMap<EventId, &'d Event> {
    let tenant = subject_of(side.tenant);
    let mut owned = BTreeSet::from([tenant.clone()]);
    for event in side.at.of(&tenant) {
        // These name what is in the other tenant too.
        if matches!(
            event.payload,
            Payload::TenantRemapped(_) | Payload::SeatsTransferred(_)
        ) {
            continue;
        }
        let kept = |kind| matches!(kind, SubjectKind::Subscription | SubjectKind::Seat);
        owned.extend(
            event
                .subjects()
                .into_iter()
                .filter(|subject| kept(subject.kind)),
        );
    }
    let events = side.at.of_any(&owned);
    events.into_iter().map(|event| (event.id, event)).collect()
}

/// The rows of two histories, in the order in which their causes began.
pub fn rows(left: Side<'_>, right: Side<'_>) -> Vec<Row> {
    let (lefts, rights) = (history(left), history(right));
    let mut seen: BTreeMap<EventId, (&Event, Seen)> = BTreeMap::new();
    for (id, event) in lefts.iter().chain(&rights) {
        let side = match (lefts.contains_key(id), rights.contains_key(id)) {
            (true, true) => Seen::Both,
            (true, false) => Seen::Left,
            (false, _) => Seen::Right,
        };
        seen.insert(*id, (*event, side));
    }
    add_context(left, right, &mut seen);
    let mut causes = Causes::default();
    for (event, _) in seen.values() {
        causes.learn(event);
    }
    let mut groups: BTreeMap<Option<Subject>, Vec<(&Event, Seen)>> = BTreeMap::new();
    for (event, side) in seen.into_values() {
        groups
            .entry(causes.of(event))
            .or_default()
            .push((event, side));
    }
    let mut rows = Vec::new();
    for (cause, mut events) in groups {
        if events.iter().all(|(_, side)| *side == Seen::Neither) {
            continue;
        }
        events.sort_by_key(|(event, _)| event.order());
        let status = status(left.tenant, right.tenant, &events);
        let start = events.first().map(|(event, _)| event.order());
        let chain = events
            .iter()
            .map(|(event, seen)| link(event, *seen))
            .collect();
        let cause = cause.map_or_else(|| "tenant".to_owned(), |cause| name(&cause));
        rows.push((
            start,
            Row {
                cause,
                status,
                chain,
            },
        ));
    }
    rows.sort_by(|(one, a), (other, b)| (one, &a.cause).cmp(&(other, &b.cause)));
    rows.into_iter().map(|(_, row)| row).collect()
}

/// Adds the events of the orders, keys and redemptions that the histories name: how they came about,
/// and what undid them. Order, key, redemption is the longest way.
fn add_context<'d>(
    left: Side<'d>,
    right: Side<'d>,
    seen: &mut BTreeMap<EventId, (&'d Event, Seen)>,
) {
    const LINKS: usize = 3;
    let mut known: BTreeSet<Subject> = BTreeSet::new();
    for _ in 0..LINKS {
        let mut subjects = BTreeSet::new();
        for (event, _) in seen.values() {
            let mut named = Vec::new();
            event.payload.subjects(&mut named);
            subjects.extend(named.into_iter().filter(|subject| is_strong(subject.kind)));
        }
        let fresh: Vec<Subject> = subjects.difference(&known).cloned().collect();
        if fresh.is_empty() {
            return;
        }
        for side in [left, right] {
            for event in side.at.of_any(&fresh) {
                seen.entry(event.id).or_insert((event, Seen::Neither));
            }
        }
        known.extend(fresh);
    }
}

fn link(event: &Event, seen: Seen) -> Link {
    Link {
        at: event.occurred_at,
        kind: event.kind().name,
        what: describe(event),
        event: event.id,
        seen,
    }
}

fn status(left: &TenantId, right: &TenantId, events: &[(&Event, Seen)]) -> Status {
    let on = |side: Seen| {
        let here = events
            .iter()
            .filter(move |(_, seen)| *seen == side || *seen == Seen::Both);
        here.map(|(event, _)| *event)
    };
    let (lefts, rights) = (on(Seen::Left).count(), on(Seen::Right).count());
    if left == right {
        return match (lefts, rights) {
            (0, _) => Status::OnlyRight,
            (_, 0) => Status::OnlyLeft,
            _ if events
                .iter()
                .all(|(_, seen)| matches!(seen, Seen::Both | Seen::Neither)) =>
            {
                Status::Matched
            }
            _ => Status::Altered,
        };
    }
    let landed = |tenant| events.iter().any(|(event, _)| lands_in(event, tenant));
    let undone = |tenant| {
        events
            .iter()
            .any(|(event, _)| is_undone_in(event, tenant, events))
    };
    match (landed(left), landed(right)) {
        (true, true) if undone(left) != undone(right) => Status::Compensated,
        (true, true) => Status::Moved,
        _ if rights == 0 => Status::OnlyLeft,
        _ if lefts == 0 => Status::OnlyRight,
        (false, false) if alike(on(Seen::Left), on(Seen::Right)) => Status::Matched,
        _ => Status::Altered,
    }
}

/// Whether the same kinds of things happened on both sides.
fn alike<'e>(
    lefts: impl Iterator<Item = &'e Event>,
    rights: impl Iterator<Item = &'e Event>,
) -> bool {
    let count = |events: &mut dyn Iterator<Item = &'e Event>| {
        let mut kinds: BTreeMap<&str, usize> = BTreeMap::new();
        for event in events {
            *kinds.entry(event.kind().name).or_default() += 1;
        }
        kinds
    };
    let (mut lefts, mut rights) = (lefts, rights);
    count(&mut lefts) == count(&mut rights)
}

/// Whether an event brought an entitlement to a tenant.
fn lands_in(event: &Event, tenant: &TenantId) -> bool {
    let payload = &event.payload;
    if let Payload::KeysRedeemed(redeemed) = payload {
        redeemed.tenant == *tenant
    } else if let Payload::CreditLotActivated(lot) = payload {
        lot.tenant.as_ref() == Some(tenant)
    } else if let Payload::ServicesBoundToTenant(bound) = payload {
        bound.tenant == *tenant
    } else if let Payload::ServicesAutoAssigned(assigned) = payload {
        assigned.tenant == *tenant
    } else if let Payload::TrialConverted(converted) = payload {
        converted.tenant == *tenant
    } else if let Payload::TenantRemapped(remapped) = payload {
        remapped.moves.iter().any(|moved| moved.to == *tenant)
    } else {
        false
    }
}

/// Whether an event took from a tenant what one of these events had brought there.
fn is_undone_in(event: &Event, tenant: &TenantId, events: &[(&Event, Seen)]) -> bool {
    if let Payload::TenantRemapped(remapped) = &event.payload {
        return remapped.moves.iter().any(|moved| moved.from == *tenant);
    }
    let Payload::RedemptionReversed(reversed) = &event.payload else {
        return false;
    };
    events.iter().any(|(event, _)| {
        matches!(&event.payload, Payload::KeysRedeemed(redeemed)
            if redeemed.tenant == *tenant
                && (redeemed.redemption == reversed.redemption
                    || redeemed.keys.iter().any(|line| reversed.keys.contains(&line.key))))
    })
}
