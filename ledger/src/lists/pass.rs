//! Passing over the lists of a table: each once, in the order of their names, with all that it has.

use super::run::Cursor;
use super::{Gathering, Lists, ListsError, Table};
use crate::limits::PASS_CHUNKS_AT_ONCE;
use crate::runs::varint;
use std::collections::BTreeMap;
use std::sync::Arc;

/// The values of a list, in the order in which they were added.
#[derive(Debug, Clone)]
pub struct ListValues<'a>(&'a [u8]);

impl<'a> ListValues<'a> {
    /// The values of a stream: each has its length before it.
    pub fn of(stream: &'a [u8]) -> Self {
        Self(stream)
    }

    /// How many bytes of the stream are left.
    pub fn left_bytes(&self) -> usize {
        self.0.len()
    }
}

impl<'a> Iterator for ListValues<'a> {
    type Item = Result<&'a [u8], ListsError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let value = varint::read_bytes(&mut self.0);
        if value.is_none() {
            self.0 = &[];
        }
        Some(value.ok_or_else(|| ListsError::damaged("a value of a list is cut")))
    }
}

impl Lists {
    /// Visits the lists of a table from a name on and before another one, in the order of their names, each
    /// with the stream of all its values, to be taken apart by [`ListValues`]. What is added meanwhile may be left out. Costs reading what is there, once, and
    /// memory for some chunks of each run and for what is not in a run yet.
    pub fn pass<E: From<ListsError>>(
        &self,
        table: Table,
        from: &[u8],
        until: Option<&[u8]>,
        mut visit: impl FnMut(&[u8], &[u8]) -> Result<(), E>,
    ) -> Result<(), E> {
        let state = self.core.state();
        let mut recent: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for overlay in state.overlays() {
            overlay.copy_lists(table, from, until, &mut recent);
        }
        let runs = Arc::clone(&state.runs);
        drop(state);
        let mut cursors = Vec::new();
        for run in runs.iter() {
            if run.has_any(table)? {
                cursors.push(Cursor::start_at(run, table, from, PASS_CHUNKS_AT_ONCE)?);
            }
        }
        let mut name = Vec::new();
        let mut stream = Vec::new();
        loop {
            let heads = cursors.iter().filter_map(Cursor::head);
            let in_memory = recent.first_key_value().map(|(name, _)| name.as_slice());
            let Some(least) = heads.chain(in_memory).min() else {
                return Ok(());
            };
            if until.is_some_and(|until| least >= until) {
                return Ok(());
            }
            name.clear();
            name.extend_from_slice(least);
            stream.clear();
            for cursor in &mut cursors {
                while cursor.head() == Some(&name) {
                    cursor.take_head(&mut stream)?;
                }
            }
            if let Some(entry) = recent.first_entry()
                && *entry.key() == name
            {
                stream.extend_from_slice(&entry.remove());
            }
            visit(&name, &stream)?;
        }
    }

    /// Names that cut the lists of a table whose names begin with a prefix into about so many parts of about
    /// the same number of lists, in order; fewer, or none, where there are few lists. Costs a look at the
    /// chunks of the table in the largest run.
    pub fn cuts(
        &self,
        table: Table,
        prefix: &[u8],
        parts: usize,
    ) -> Result<Vec<Vec<u8>>, ListsError> {
        let state = self.core.state();
        let runs = Arc::clone(&state.runs);
        let largest = runs.iter().max_by_key(|run| run.info.events());
        let names = match largest {
            Some(run) => {
                drop(state);
                run.chunk_names(table, prefix)?
            }
            None => {
                let mut names = Vec::new();
                let overlays = state.overlays();
                let largest = overlays.max_by_key(|overlay| overlay.lists_count());
                largest.into_iter().for_each(|overlay| {
                    overlay.names(table, prefix, |name| names.push(name.to_vec()));
                });
                names.sort_unstable();
                names
            }
        };
        let step = names.len().div_ceil(parts.max(1)).max(1);
        Ok(names.into_iter().step_by(step).skip(1).collect())
    }
}

impl Gathering {
    /// Appends the lists of a table from a name on and before another one.
    fn copy_lists(
        &self,
        table: Table,
        from: &[u8],
        until: Option<&[u8]>,
        out: &mut BTreeMap<Vec<u8>, Vec<u8>>,
    ) {
        self.in_order(table, from, |name, values| {
            if until.is_some_and(|until| name >= until) {
                return std::ops::ControlFlow::Break(());
            }
            let stream = out.entry(name.to_vec()).or_default();
            values.for_each(|value| stream.extend_from_slice(value));
            std::ops::ControlFlow::Continue(())
        });
    }
}
