//! Lists of views.

use super::ViewArgs;
use crate::asking;
use crate::error::{Failure, Outcome};
use crate::format::{Format, view as form};
use crate::ground::{Ground, readable};
use crate::output::note;
use crate::session::Session;
use ledger::secret::Keyring;
use ledger::store::Store;
use ledger::subject::{Subject, SubjectKind};
use projections::Seen;
use projections::query::{Cursor, Query, Row};
use serde_json::{Value, json};

/// Rows that are read at once where no limit is given.
const ROWS_AT_ONCE: usize = 1024;

pub(super) fn run(
    args: &ViewArgs,
    kind: SubjectKind,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let store = session.place.open_store()?;
    let asked = &args.list;
    let mut pepper = || Ok(session.place.open_vault(&store)?.pepper());
    let query = asking::read(kind, &asked.filters, asked.sort.as_deref(), &mut pepper)?;
    let cursor = asked.cursor.as_deref().map(|text| query.cursor(text));
    let cursor = cursor
        .transpose()
        .map_err(|error| asking::failure(&error))?;
    let ground = Ground::open(&store)?;
    let point = match &cursor {
        Some(cursor) => cursor.point,
        None => ground.point(&args.point)?,
    };
    let seen = Seen::new(ground.source(), point);
    if asked.count {
        count(&query, &seen, kind, session)?;
    } else {
        let list = List {
            query: &query,
            seen: &seen,
            kind,
            limit: asked.limit.map(std::num::NonZeroUsize::get),
            cursor,
        };
        list.write(args, &store, session)?;
    }
    readable(&seen)?;
    ground.close();
    if args.reveal.is_asked() {
        session.place.close(store)?;
    }
    Ok(Outcome::Clean)
}

/// A list that is asked for.
struct List<'l> {
    query: &'l Query,
    seen: &'l Seen<'l>,
    kind: SubjectKind,
    limit: Option<usize>,
    cursor: Option<Cursor>,
}

impl List<'_> {
    fn write(self, args: &ViewArgs, store: &Store, session: &mut Session) -> Result<(), Failure> {
        let place = session.place.clone();
        let request = format!("{} list", self.kind.name());
        // What is revealed has to be recorded before anything is shown, so that such a list is
        // gathered first.
        let labels = |texts: Vec<String>| {
            let texts = texts.into_iter();
            args.reveal.labels(&place, store, &request, texts)
        };
        let next = match session.format {
            Format::Jsonl if !args.reveal.is_asked() => {
                self.each(&mut |_, row| session.out.json_line(&row.json()))?
            }
            Format::Table => {
                let pseudonyms = form::Pseudonyms::of(args.reveal.is_asked());
                let mut rows = Vec::new();
                let next = self.each(&mut |subject, row| {
                    rows.push(form::line(subject, row, pseudonyms));
                    Ok(())
                })?;
                let labels = labels(rows.iter().flatten().cloned().collect())?;
                for cell in rows.iter_mut().flatten() {
                    *cell = labels.text(cell);
                }
                session.out.text(&form::list(self.kind, rows))?;
                next
            }
            Format::Json | Format::Jsonl => {
                let mut rows = Vec::new();
                let next = self.each(&mut |_, row| {
                    rows.push(row.json());
                    Ok(())
                })?;
                let labels = labels(rows.iter().map(Value::to_string).collect())?;
                let rows: Vec<Value> = rows.iter().map(|row| labels.value(row)).collect();
                match session.format {
                    Format::Json => {
                        return session.out.json(&self.document(&rows, next.as_deref()));
                    }
                    Format::Table | Format::Jsonl => {
                        rows.iter().try_for_each(|row| session.out.json_line(row))?;
                    }
                }
                next
            }
        };
        if let Some(cursor) = next {
            note(&format!("there are more: --cursor {cursor}"));
        }
        Ok(())
    }

    /// Visits the rows of one page of the limit, or all; returns the cursor of what follows.
    fn each(
        &self,
        visit: &mut dyn FnMut(&Subject, &dyn Row) -> Result<(), Failure>,
    ) -> Result<Option<String>, Failure> {
        let mut after = self.cursor.clone();
        loop {
            let limit = self.limit.unwrap_or(ROWS_AT_ONCE);
            let page = self.query.page(self.seen, limit, after.as_ref());
            for (subject, row) in &page.rows {
                visit(subject, row.as_ref())?;
            }
            let Some(next) = page.next.as_deref().filter(|_| self.limit.is_none()) else {
                return Ok(page.next);
            };
            let next = self.query.cursor(next);
            after = Some(next.map_err(|error| asking::failure(&error))?);
        }
    }

    fn document(&self, rows: &[Value], next: Option<&str>) -> Value {
        let point = self.seen.point();
        json!({
            "schema": "actl.list/1",
            "kind": self.kind.name(),
            "position": point.as_of.0,
            "valid_at": point.valid_at.to_string(),
            "rows": rows,
            "next": next,
        })
    }
}

fn count(
    query: &Query,
    seen: &Seen<'_>,
    kind: SubjectKind,
    session: &mut Session,
) -> Result<(), Failure> {
    let totals = query.totals(seen);
    readable(seen)?;
    match session.format {
        Format::Table => session.out.text(&form::totals(kind, &totals)),
        Format::Json => {
            let totals = form::totals_json(kind, seen.point(), &totals);
            session.out.json(&totals)
        }
        Format::Jsonl => {
            let totals = form::totals_json(kind, seen.point(), &totals);
            session.out.json_line(&totals)
        }
    }
}
