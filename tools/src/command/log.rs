use crate::error::{Failure, Outcome};
use crate::format::{Format, event};
use crate::place::{pepper_of, read_failure};
use crate::point::AsOf;
use crate::session::Session;
use crate::subject;
use ledger::event::json::write_event;
use ledger::event::{Event, KindInfo};
use ledger::id::Position;
use ledger::secret::{Keyring, PepperId};
use ledger::store::Store;
use serde_json::{Value, json};

/// List events in the order in which they were recorded.
///
/// The whole log, or the history of one subject, or the events of one kind. A key, a person or a
/// machine can be named in clear or by its pseudonym. `--format jsonl` is what `actl import` reads.
#[derive(Debug, clap::Args)]
pub struct Log {
    /// Only events that name this subject, for example tenant:contoso.onmicrosoft.example.
    #[arg(long, value_name = "KIND:ID")]
    subject: Option<String>,

    /// Only events of this kind, for example KeysRedeemed.
    #[arg(long, value_name = "KIND")]
    kind: Option<String>,

    /// Only events after this position.
    #[arg(
        long,
        value_name = "POSITION",
        default_value_t = 0,
        hide_default_value = true
    )]
    after: u64,

    /// Only what was recorded by then: a position or a time.
    #[arg(long, value_name = "POSITION|TIME")]
    as_of: Option<String>,

    /// At most so many events.
    #[arg(long, value_name = "N")]
    limit: Option<usize>,
}

impl Log {
    /// Lists them, in bounded memory.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let as_of = self.as_of.as_deref().map(AsOf::parse).transpose()?;
        let kind = self.kind.as_deref().map(kind_named).transpose()?;
        let store = session.place.open_store()?;
        let after = Position(self.after);
        let events: Box<dyn Iterator<Item = _>> = match (&self.subject, kind) {
            (Some(text), _) => {
                let mut pepper = || Ok(session.place.open_vault(&store)?.pepper());
                let subject = subject::read(text, &mut pepper)?;
                Box::new(store.history(&subject, after))
            }
            (None, Some(kind)) => Box::new(store.of_kind(kind.id, after)),
            (None, None) => Box::new(store.read(after)),
        };
        // A failure has to come through, whatever is asked for.
        let asked = |event: &Event| {
            kind.is_none_or(|kind| event.kind().id == kind.id)
                && as_of.is_none_or(|as_of| as_of.includes(event))
        };
        let events = events
            .filter(|event| event.as_ref().map_or(true, asked))
            .take(self.limit.unwrap_or(usize::MAX))
            .map(|event| event.map_err(|error| read_failure(&error)));
        write(session, &store, events)?;
        Ok(Outcome::Clean)
    }
}

fn kind_named(name: &str) -> Result<&'static KindInfo, Failure> {
    KindInfo::named(name).ok_or_else(|| {
        Failure::new(
            "cannot list the events of that kind",
            "there is no event kind of that name",
            "`actl schema events` lists the kinds; case counts",
        )
    })
}

fn write(
    session: &mut Session,
    store: &Store,
    events: impl Iterator<Item = Result<Event, Failure>>,
) -> Result<(), Failure> {
    let pepper = pepper_of(store)?;
    match session.format {
        Format::Table => {
            let width = store.end().to_string().len();
            session.out.text(&event::head(width))?;
            for one in events {
                session.out.text(&event::row(&one?, width))?;
            }
            Ok(())
        }
        Format::Jsonl => {
            for one in events {
                session.out.json_line(&write_event(&one?, pepper))?;
            }
            Ok(())
        }
        Format::Json => write_document(session, store.end(), pepper, events),
    }
}

/// One JSON document, an event a line, so that it need not be held in memory.
fn write_document(
    session: &mut Session,
    end: Position,
    pepper: PepperId,
    events: impl Iterator<Item = Result<Event, Failure>>,
) -> Result<(), Failure> {
    let head = json!({ "schema": "actl.log/1", "position": end.0 }).to_string();
    let head = head.trim_end_matches('}');
    session.out.text(&format!("{head},\"events\":["))?;
    let mut waiting: Option<Value> = None;
    for one in events {
        if let Some(value) = waiting.replace(write_event(&one?, pepper)) {
            session.out.text(&format!("{value},"))?;
        }
    }
    if let Some(value) = waiting {
        session.out.json_line(&value)?;
    }
    session.out.text("]}")
}
