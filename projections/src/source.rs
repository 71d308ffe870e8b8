//! Sources of fold inputs: where the events that a fold reads come from.
//!
//! A source answers for one subject at a time, and knows nothing of points: [`Seen`](crate::Seen)
//! decides what of it is seen. Two sources that hold the same events give the same views.

use ledger::event::Event;
use ledger::id::{EventId, Position, Sku};
use ledger::secret::{MachineId, PersonId};
use ledger::subject::{Subject, SubjectKind};
use ledger::time::Timestamp;
use std::sync::Arc;

/// Why a source could not be read. A fold cannot fail, but a disk can.
pub type Unread = Arc<dyn std::error::Error + Send + Sync>;

/// The order in which events are folded, whatever order they arrived in: start of the interval in
/// which it happened, rank of the kind, id.
pub type Order = (Timestamp, u16, EventId);

/// Whether an event is wanted: by where it comes, when it was recorded, and what stands instead of it.
pub type Shows<'a> = &'a dyn Fn(&Order, Position, &[Replacer]) -> bool;

/// Some successive subjects of a kind: those of the ids from one on and before another one.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Within {
    /// The first id that belongs to it; from the first subject on if there is none.
    pub from: Option<String>,
    /// The first id that no longer does; to the last subject if there is none.
    pub until: Option<String>,
}

/// Subjects of which the ids are asked for at once.
pub(crate) const SUBJECTS_PAGE: usize = 1024;

/// Where fold inputs come from.
pub trait Source: Sync {
    /// The events that name a subject and whose kinds its projection takes as inputs, in fold order,
    /// each id once: everything that was ever recorded. Events of other kinds may be among them.
    /// Costs by their number.
    fn inputs(&self, subject: &Subject) -> Result<Vec<Input>, Unread>;

    /// Visits those of a subject's [`Source::inputs`] that are wanted, in fold order.
    fn events(
        &self,
        subject: &Subject,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Event),
    ) -> Result<(), Unread> {
        for input in self.inputs(subject)? {
            let event = &input.event;
            if shows(&event.order(), event.position, &input.replaced_by) {
                visit(event);
            }
        }
        Ok(())
    }

    /// [`Source::events`] of many subjects of a kind, one after the other, in the order of their ids. Costs
    /// less than asking for each, where what is held is read in that order.
    fn pass(
        &self,
        kind: SubjectKind,
        within: &Within,
        shows: Shows<'_>,
        visit: &mut dyn FnMut(&Subject, &Event),
    ) -> Result<(), Unread> {
        let ends = |id: &String| within.until.as_ref().is_some_and(|until| id >= until);
        let mut pass = |id: &str| {
            let subject = Subject::new(kind, id);
            self.events(&subject, shows, &mut |event| visit(&subject, event))
        };
        // Nobody else names the first one: ids that come after it are asked for.
        if let Some(first) = within.from.as_ref().filter(|first| !ends(first)) {
            pass(first)?;
        }
        let mut after = within.from.clone();
        loop {
            let page = self.subjects(kind, after.as_deref(), SUBJECTS_PAGE)?;
            for id in &page {
                if ends(id) {
                    return Ok(());
                }
                pass(id)?;
            }
            after = match page.into_iter().next_back() {
                Some(last) => Some(last),
                None => return Ok(()),
            };
        }
    }

    /// Ids that cut the subjects of a kind into about so many parts of about the same size, in order.
    fn cuts(&self, kind: SubjectKind, parts: usize) -> Result<Vec<String>, Unread> {
        let _ = (kind, parts);
        Ok(Vec::new())
    }

    /// The changes of a subject's counters, in fold order: what [`Projection::steps`] makes of the
    /// events of the kinds that its projection takes as a series.
    ///
    /// [`Projection::steps`]: crate::view::Projection::steps
    fn changes(&self, subject: &Subject, visit: &mut dyn FnMut(&Change)) -> Result<(), Unread>;

    /// The ids of a kind's subjects that have inputs or changes, in order, from the first that comes
    /// after `after`, at most `limit` of them.
    fn subjects(
        &self,
        kind: SubjectKind,
        after: Option<&str>,
        limit: usize,
    ) -> Result<Vec<String>, Unread>;

    /// The last position that it has taken in.
    fn end(&self) -> Position;
}

/// Is told what somebody looks up in histories that hold a part of a log, so that what they lack can be
/// added.
pub trait Watch: Send + Sync {
    /// The history of a subject was looked at.
    fn asked(&self, subject: &Subject);
    /// An event was looked for by its id, and is not there.
    fn missed(&self, event: EventId);
}

/// One event that stands instead of another: a correction, or a revised record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Replacer {
    /// From which position on it is known.
    pub position: Position,
    /// Which event it is.
    pub id: EventId,
}

/// An event that a fold reads.
#[derive(Debug, Clone)]
pub struct Input {
    /// The event.
    pub event: Arc<Event>,
    /// What stands instead of it, in no order; it is hidden as soon as one of them is seen.
    pub replaced_by: Vec<Replacer>,
}

/// One change of a counter: who, what, and whether it comes or goes. Tenants with a million seats
/// have millions of them, so that they are kept apart from whole events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// Where it comes in the order of folds. The changes of one event follow each other as
    /// [`Projection::steps`](crate::view::Projection::steps) gave them.
    pub order: Order,
    /// When it was recorded.
    pub position: Position,
    /// What stands instead of its event, as in [`Input`].
    pub replaced_by: Vec<Replacer>,
    /// What changes.
    pub step: Step,
}

/// What a change changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A user holds a licence of a SKU from now on.
    Holds(PersonId, Option<Arc<Sku>>),
    /// A user no longer holds a licence of a SKU.
    Drops(PersonId, Option<Arc<Sku>>),
    /// A user no longer holds any licence here.
    DropsAll(PersonId),
    /// A session of the tenant started.
    SignsIn,
    /// A machine is registered for a user.
    Registers(MachineId),
    /// A machine lost its place.
    Leaves(MachineId),
    /// A machine is licensed until an instant (`t < limit`).
    Licenses(MachineId, Timestamp),
}

impl Change {
    /// A change by an event.
    pub fn of(event: &Event, step: Step) -> Self {
        Self {
            order: event.order(),
            position: event.position,
            replaced_by: Vec::new(),
            step,
        }
    }
}
