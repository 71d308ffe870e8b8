//! Coverage: which sources say something about which tenant, from when to when, where they are
//! silent, and by which day the evidence has to be exported before its portal drops it (E16).

use crate::seen::Seen;
use crate::view::agreement::Agreement;
use crate::view::email::Email;
use crate::view::key::Key;
use crate::view::link::Link;
use crate::view::order::Order;
use crate::view::redemption::Redemption;
use crate::view::seat::Seat;
use crate::view::session::Session;
use crate::view::subscription::Subscription;
use ledger::event::Event;
use ledger::id::{LicenseId, Name, TenantId};
use ledger::kinds;
use ledger::subject::{Names, Subject, SubjectKind};
use ledger::time::Date;
use std::collections::{BTreeMap, BTreeSet};

/// How long a portal keeps its evidence: a parameter with a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Retention {
    /// The parameter's name.
    pub name: String,
    /// The source systems whose evidence it is.
    pub systems: Vec<String>,
    /// Days for which the portal keeps it.
    pub days: u32,
    /// Where the number comes from.
    pub from: String,
}

/// What the domain reference knows of retention. Where a portal keeps evidence longer if it is told
/// to, this is the shorter time: an export that comes too early loses nothing.
pub fn known_retentions() -> Vec<Retention> {
    let entry = |name: &str, systems: &[&str], days, from: &str| Retention {
        name: name.to_owned(),
        systems: systems.iter().map(|system| (*system).to_owned()).collect(),
        days,
        from: from.to_owned(),
    };
    vec![
        entry(
            "partner_center_activity",
            &["partner-center", "partner-center-activity"],
            30,
            "E16, P23: 30 days by default, 90 at most",
        ),
        entry(
            "message_trace",
            &["mail-trace", "message-trace"],
            90,
            "E16, P24",
        ),
        entry(
            "audit_standard",
            &["audit-log", "unified-audit-log", "ual"],
            180,
            "E16, P25",
        ),
        entry(
            "keygen_event_log",
            &["keygen", "keygen-event-log"],
            3,
            "E16, P26: 3 or 30 days by plan",
        ),
    ]
}

/// Days without an event of a source from which on they are a gap.
pub const GAP_DAYS: i64 = 31;

/// What one source says about one tenant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Covered {
    /// The tenant; `None` for events that lead to no tenant.
    pub tenant: Option<TenantId>,
    /// The source system.
    pub system: Name,
    /// How many events.
    pub events: u64,
    /// The first day that it says something of.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// The days between two events that are further apart than the limit: the first and the last
    /// day without any.
    pub gaps: Vec<(Date, Date)>,
}

/// What is held of one source, and what its portal still has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SourceHeld {
    /// The source system.
    pub system: Name,
    /// How many events, over all tenants and none.
    pub events: u64,
    /// The first day that it says something of.
    pub first: Date,
    /// The last day.
    pub last: Date,
    /// How long its portal keeps evidence, where that is known.
    pub retention: Option<Retention>,
    /// The last day on which an export misses nothing: what happened after `last` is still there.
    pub export_by: Option<Date>,
    /// The days of which the portal has dropped the evidence since, first and last.
    pub lost: Option<(Date, Date)>,
}

/// What is held, by tenant and by source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Coverage {
    /// By tenant and source.
    pub covered: Vec<Covered>,
    /// By source.
    pub sources: Vec<SourceHeld>,
}

/// The days that a source says something of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Days {
    events: u64,
    days: BTreeSet<Date>,
}

impl Days {
    fn take(&mut self, day: Date) {
        self.events += 1;
        self.days.insert(day);
    }

    fn add(&mut self, other: &Self) {
        self.events += other.events;
        self.days.extend(&other.days);
    }

    fn gaps(&self, longest: i64) -> Vec<(Date, Date)> {
        let pairs = self.days.iter().zip(self.days.iter().skip(1));
        pairs
            .filter(|(one, next)| next.days_since(**one) > longest)
            .map(|(one, next)| (one.plus_days(1), next.plus_days(-1)))
            .collect()
    }
}

/// The kinds of subjects that lead to a tenant, the surest first: an event counts for those of the
/// first kind that it names.
const LEADS: [SubjectKind; 10] = [
    SubjectKind::Tenant,
    SubjectKind::Agreement,
    SubjectKind::Subscription,
    SubjectKind::Order,
    SubjectKind::Redemption,
    SubjectKind::Email,
    SubjectKind::Link,
    SubjectKind::Key,
    SubjectKind::Seat,
    SubjectKind::Session,
];

/// Gathers what is held, event by event, in any order. Corrected and revised records count too: they
/// are held. Memory grows with tenants, sources and days, not with events.
#[derive(Debug, Clone, Default)]
pub struct Gathering {
    /// By the subject that an event leads to a tenant by: a tenant, else an agreement, else none.
    by_subject: BTreeMap<(Option<Subject>, Name), Days>,
    by_system: BTreeMap<Name, Days>,
}

impl Gathering {
    /// Takes an event in. An event that names several tenants counts for each of them; one that names
    /// none counts for the tenant of its agreement, order, mail, key, machine or session.
    pub fn take(&mut self, event: &Event) {
        // What the ledger says of itself is no evidence.
        if matches!(event.payload, kinds![ImportRecorded IncarnationBegun]) {
            return;
        }
        let day = event.occurred_at.start.date();
        let system = &event.source.system;
        self.by_system.entry(system.clone()).or_default().take(day);
        let subjects = event.subjects();
        let of = |kind: &SubjectKind| {
            let of_kind = subjects.iter().filter(|subject| subject.kind == *kind);
            of_kind.cloned().map(Some).collect::<Vec<_>>()
        };
        let mut led = LEADS.iter().map(of);
        let led = led.find(|led| !led.is_empty()).unwrap_or(vec![None]);
        for subject in led {
            let days = self.by_subject.entry((subject, system.clone()));
            days.or_default().take(day);
        }
    }

    /// What is held, as seen from a point: what leads to a tenant leads to
    /// the one that it has then. Costs a fold of whatever leads to one.
    pub fn finish(
        &self,
        seen: &Seen<'_>,
        retentions: &[Retention],
        longest_gap_days: i64,
    ) -> Coverage {
        let mut by_tenant: BTreeMap<(Option<TenantId>, Name), Days> = BTreeMap::new();
        for ((subject, system), days) in &self.by_subject {
            let tenant = subject
                .as_ref()
                .and_then(|subject| tenant_of(seen, subject));
            let entry = by_tenant.entry((tenant, system.clone()));
            entry.or_default().add(days);
        }
        let covered = by_tenant
            .into_iter()
            .filter_map(|((tenant, system), days)| {
                Some(Covered {
                    tenant,
                    system,
                    events: days.events,
                    first: *days.days.first()?,
                    last: *days.days.last()?,
                    gaps: days.gaps(longest_gap_days),
                })
            });
        let sources = self.by_system.iter().filter_map(|(system, days)| {
            let of =
                |retention: &&Retention| retention.systems.iter().any(|s| s == system.as_str());
            let retention = retentions.iter().find(of).cloned();
            held(seen.today(), system, days, retention)
        });
        Coverage {
            covered: covered.collect(),
            sources: sources.collect(),
        }
    }
}

fn held(
    today: Date,
    system: &Name,
    days: &Days,
    retention: Option<Retention>,
) -> Option<SourceHeld> {
    let last = *days.days.last()?;
    let kept = retention
        .as_ref()
        .map(|retention| i64::from(retention.days));
    // A day's evidence is there for as many days after it. What happened on the last day that is held
    // may have gone on after the export, so that day counts as not yet held.
    let export_by = kept.map(|kept| last.plus_days(kept));
    let lost = kept
        .map(|kept| (last, today.plus_days(-kept - 1)))
        .filter(|(first, last)| first <= last);
    Some(SourceHeld {
        system: system.clone(),
        events: days.events,
        first: *days.days.first()?,
        last,
        retention,
        export_by,
        lost,
    })
}

/// The tenant that a subject leads to, as seen from a point.
fn tenant_of(seen: &Seen<'_>, subject: &Subject) -> Option<TenantId> {
    let bound = |id: &Option<LicenseId>| {
        let agreement = seen.view::<Agreement>(&id.as_ref()?.subject())?;
        agreement.tenant.clone()
    };
    match subject.kind {
        SubjectKind::Tenant => TenantId::new(&subject.id).ok(),
        SubjectKind::Agreement => bound(&LicenseId::new(&subject.id).ok()),
        SubjectKind::Subscription => seen.view::<Subscription>(subject)?.tenant.clone(),
        SubjectKind::Order => bound(&seen.view::<Order>(subject)?.license_id),
        SubjectKind::Redemption => {
            let view = seen.view::<Redemption>(subject)?;
            view.tenant.clone().or_else(|| bound(&view.license_id))
        }
        SubjectKind::Email => bound(&seen.view::<Email>(subject)?.license_id),
        SubjectKind::Link => bound(&seen.view::<Link>(subject)?.license_id),
        SubjectKind::Key => {
            let view = seen.view::<Key>(subject)?;
            view.tenant.clone().or_else(|| bound(&view.license_id))
        }
        SubjectKind::Seat => seen.view::<Seat>(subject)?.tenant.clone(),
        SubjectKind::Session => seen.view::<Session>(subject)?.resource_tenant.clone(),
        SubjectKind::Customer
        | SubjectKind::Partner
        | SubjectKind::Pcn
        | SubjectKind::Activation
        | SubjectKind::Person
        | SubjectKind::Credit
        | SubjectKind::Case
        | SubjectKind::Finding => None,
    }
}
