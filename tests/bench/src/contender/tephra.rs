//! Tephra, an event store with conditions of its own: subjects and the id are tags.

use super::{Append, Contender, Verdict};
use crate::fault::Outcome;
use ledger::event::Fact;
use ledger::subject::Subject;
use std::path::Path;
use tephra::{
    AppendCondition, AppendError, Event, EventType, Position, Query, QueryItem, SegmentConfig,
    SegmentSet, Tag, Tags, WriteCoordinator, WriteHandle, WriterConfig,
};

/// The size of its segment files, as its documentation has it.
const SEGMENT_BYTES: usize = 256 << 20;

struct Tephra {
    coordinator: WriteCoordinator,
    handle: WriteHandle,
}

/// Opens the directory with its own defaults.
pub fn open(_: &str, path: &Path) -> Outcome<Box<dyn Contender>> {
    let set = SegmentSet::open(path, SegmentConfig::new(SEGMENT_BYTES))?;
    let (coordinator, handle) = WriteCoordinator::start(set, WriterConfig::default())?;
    Ok(Box::new(Tephra {
        coordinator,
        handle,
    }))
}

fn id_tag(fact: &Fact) -> Outcome<Tag> {
    Ok(Tag::new(format!("id:{}", fact.id))?)
}

fn subject_tag(subject: &Subject) -> Outcome<Tag> {
    Ok(Tag::new(subject.to_string())?)
}

fn item(tag: Tag) -> Outcome<QueryItem> {
    Ok(QueryItem::with_tags(Tags::new([tag])?))
}

fn event(fact: &Fact, stored: &[u8]) -> Outcome<Event> {
    let mut tags = vec![id_tag(fact)?];
    for subject in fact.subjects() {
        tags.push(subject_tag(&subject)?);
    }
    let kind = EventType::new(fact.kind().name)?;
    Ok(Event::new(&kind, &Tags::new(tags)?, stored)?)
}

impl Contender for Tephra {
    fn end(&self) -> u64 {
        self.handle.head().get()
    }

    fn append(&self, append: Append<'_>) -> Outcome<Verdict> {
        let events: Outcome<Vec<Event>> = (append.facts.iter().zip(append.stored))
            .map(|(fact, stored)| event(fact, stored))
            .collect();
        let unchanged = Query::item(item(subject_tag(&append.guard.unchanged)?)?);
        let mut unknown = vec![item(subject_tag(&append.guard.absent)?)?];
        for fact in &append.facts {
            unknown.push(item(id_tag(fact)?)?);
        }
        let condition = AppendCondition::new(unchanged)
            .after(Position::new(append.guard.since))
            .fail_if_exists(Query::items(unknown));
        match self.handle.append(events?, Some(condition)) {
            Ok(_) => Ok(Verdict::Appended),
            Err(AppendError::Conflict {
                clause: tephra::ConflictClause::Boundary,
                ..
            }) => Ok(Verdict::Conflict),
            Err(error) => Err(error.into()),
        }
    }

    fn close(self: Box<Self>) -> Outcome<()> {
        let Self {
            coordinator,
            handle,
        } = *self;
        drop(handle);
        drop(coordinator.shutdown());
        Ok(())
    }
}
