//! Lists of views.

use super::ListArgs;
use crate::asking;
use crate::error::{Failure, Outcome};
use crate::format::{Format, view as form};
use crate::ground::{Ground, readable};
use crate::histories::PointArgs;
use crate::output::note;
use crate::session::Session;
use ledger::secret::Keyring;
use ledger::subject::SubjectKind;
use projections::Seen;
use projections::query::{Cursor, Query};
use serde_json::json;

/// Rows that are read at once where no limit is given.
const ROWS_AT_ONCE: usize = 1024;

pub(super) fn run(
    args: &ListArgs,
    point: &PointArgs,
    kind: SubjectKind,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let store = session.place.open_store()?;
    let mut pepper = || Ok(session.place.open_vault(&store)?.pepper());
    let query = asking::read(kind, &args.filters, args.sort.as_deref(), &mut pepper)?;
    let cursor = args.cursor.as_deref().map(|text| query.cursor(text));
    let cursor = cursor
        .transpose()
        .map_err(|error| asking::failure(&error))?;
    let ground = Ground::open(&store)?;
    let point = match &cursor {
        Some(cursor) => cursor.point,
        None => ground.point(point)?,
    };
    let seen = Seen::new(ground.source(), point);
    if args.count {
        let outcome = count(&query, &seen, kind, session);
        ground.close();
        return outcome;
    }
    let limit = args.limit.map(std::num::NonZeroUsize::get);
    match session.format {
        Format::Table => table(&query, &seen, kind, limit, cursor, session)?,
        Format::Json => document(&query, &seen, kind, limit, cursor, session)?,
        Format::Jsonl => {
            let next = each(&query, &seen, limit, cursor, &mut |page| {
                let mut rows = page.rows.iter();
                rows.try_for_each(|(_, row)| session.out.json_line(&row.json()))
            })?;
            go_on(next.as_deref());
        }
    }
    readable(&seen)?;
    ground.close();
    Ok(Outcome::Clean)
}

/// Visits the pages: one of the limit, or all.
fn each(
    query: &Query,
    seen: &Seen<'_>,
    limit: Option<usize>,
    mut after: Option<Cursor>,
    visit: &mut dyn FnMut(&projections::query::Page) -> Result<(), Failure>,
) -> Result<Option<String>, Failure> {
    loop {
        let page = query.page(seen, limit.unwrap_or(ROWS_AT_ONCE), after.as_ref());
        visit(&page)?;
        let Some(next) = page.next.as_deref().filter(|_| limit.is_none()) else {
            return Ok(page.next);
        };
        let next = query.cursor(next);
        after = Some(next.map_err(|error| asking::failure(&error))?);
    }
}

fn go_on(next: Option<&str>) {
    if let Some(cursor) = next {
        note(&format!("there are more: --cursor {cursor}"));
    }
}

fn table(
    query: &Query,
    seen: &Seen<'_>,
    kind: SubjectKind,
    limit: Option<usize>,
    cursor: Option<Cursor>,
    session: &mut Session,
) -> Result<(), Failure> {
    let mut rows = Vec::new();
    let next = each(query, seen, limit, cursor, &mut |page| {
        let page = page.rows.iter();
        rows.extend(page.map(|(subject, row)| form::line(subject, row.as_ref())));
        Ok(())
    })?;
    session.out.text(&form::list(kind, rows))?;
    go_on(next.as_deref());
    Ok(())
}

fn document(
    query: &Query,
    seen: &Seen<'_>,
    kind: SubjectKind,
    limit: Option<usize>,
    cursor: Option<Cursor>,
    session: &mut Session,
) -> Result<(), Failure> {
    let point = seen.point();
    let mut rows = Vec::new();
    let next = each(query, seen, limit, cursor, &mut |page| {
        rows.extend(page.rows.iter().map(|(_, row)| row.json()));
        Ok(())
    })?;
    session.out.json(&json!({
        "schema": "actl.list/1",
        "kind": kind.name(),
        "position": point.as_of.0,
        "valid_at": point.valid_at.to_string(),
        "rows": rows,
        "next": next,
    }))
}

fn count(
    query: &Query,
    seen: &Seen<'_>,
    kind: SubjectKind,
    session: &mut Session,
) -> Result<Outcome, Failure> {
    let totals = query.totals(seen);
    readable(seen)?;
    match session.format {
        Format::Table => session.out.text(&form::totals(kind, &totals))?,
        Format::Json => session
            .out
            .json(&form::totals_json(kind, seen.point(), &totals))?,
        Format::Jsonl => {
            let totals = form::totals_json(kind, seen.point(), &totals);
            session.out.json_line(&totals)?;
        }
    }
    Ok(Outcome::Clean)
}
