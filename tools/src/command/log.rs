use crate::error::{Failure, Outcome};
use crate::format::{Format, event};
use crate::place::{pepper_of, read_failure};
use crate::point::AsOf;
use crate::reveal::{Reveal, RevealArgs};
use crate::session::Session;
use crate::subject;
use ledger::event::json::{write_event, write_event_revealed};
use ledger::event::{Event, KindInfo};
use ledger::id::Position;
use ledger::secret::{Keyring, PepperId};
use serde_json::{Value, json};

/// List events in the order in which they were recorded.
///
/// The whole log, or the history of one subject, or the events of one kind. A key, a person or a
/// machine can be named in clear or by its pseudonym. `--format jsonl` is what `actl import` reads.
/// With --reveal what is sealed in an event stands under it, in JSON as its source said it.
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

    #[command(flatten)]
    reveal: RevealArgs,
}

impl Log {
    /// Lists them, in bounded memory.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let as_of = self.as_of.as_deref().map(AsOf::parse).transpose()?;
        let kind = self.kind.as_deref().map(kind_named).transpose()?;
        let store = session.place.open_store()?;
        let after = Position(self.after);
        let mut pepper = || Ok(session.place.open_vault(&store)?.pepper());
        let subject = self.subject.as_deref();
        let subject = subject.map(|text| subject::read(text, &mut pepper));
        let subject = subject.transpose()?;
        let end = store.end();
        // A failure has to come through, whatever is asked for.
        let asked = |event: &Event| {
            event.position <= end
                && kind.is_none_or(|kind| event.kind().id == kind.id)
                && as_of.is_none_or(|as_of| as_of.includes(event))
        };
        let events = || {
            let events: Box<dyn Iterator<Item = _>> = match (&subject, kind) {
                (Some(subject), _) => Box::new(store.history(subject, after)),
                (None, Some(kind)) => Box::new(store.of_kind(kind.id, after)),
                (None, None) => Box::new(store.read(after)),
            };
            events
                .filter(|event| event.as_ref().map_or(true, asked))
                .take(self.limit.unwrap_or(usize::MAX))
                .map(|event| event.map_err(|error| read_failure(&error)))
        };
        let mut reveal = self.reveal.begin(&session.place, &store)?;
        if let Some(reveal) = &mut reveal {
            let request = match (&subject, kind) {
                (Some(subject), _) => format!("log {subject}"),
                (None, Some(kind)) => format!("log {}", kind.name),
                (None, None) => format!("log after {after}"),
            };
            reveal.note(events())?;
            reveal.record(&store, &request)?;
        }
        write(session, end, pepper_of(&store)?, reveal.as_ref(), events())?;
        if reveal.is_some() {
            session.place.close(store)?;
        }
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
    end: Position,
    pepper: PepperId,
    reveal: Option<&Reveal>,
    events: impl Iterator<Item = Result<Event, Failure>>,
) -> Result<(), Failure> {
    let json = |event: &Event| match reveal {
        None => write_event(event, pepper),
        Some(reveal) => write_event_revealed(event, pepper, &reveal.again(event)),
    };
    match session.format {
        Format::Table => {
            let width = end.to_string().len();
            session.out.text(&event::head(width))?;
            for one in events {
                let one = one?;
                session.out.text(&event::row(&one, width))?;
                for found in reveal
                    .map(|reveal| reveal.again(&one))
                    .iter()
                    .flat_map(|o| o.iter())
                {
                    session.out.text(&event::revealed(found, width))?;
                }
            }
            Ok(())
        }
        Format::Jsonl => {
            for one in events {
                session.out.json_line(&json(&one?))?;
            }
            Ok(())
        }
        Format::Json => write_document(session, end, events.map(|event| Ok(json(&event?)))),
    }
}

/// One JSON document, an event a line, so that it need not be held in memory.
fn write_document(
    session: &mut Session,
    end: Position,
    events: impl Iterator<Item = Result<Value, Failure>>,
) -> Result<(), Failure> {
    let head = json!({ "schema": "actl.log/1", "position": end.0 }).to_string();
    let head = head.trim_end_matches('}');
    session.out.text(&format!("{head},\"events\":["))?;
    let mut waiting: Option<Value> = None;
    for one in events {
        if let Some(value) = waiting.replace(one?) {
            session.out.text(&format!("{value},"))?;
        }
    }
    if let Some(value) = waiting {
        session.out.json_line(&value)?;
    }
    session.out.text("]}")
}
