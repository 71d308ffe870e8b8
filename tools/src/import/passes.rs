//! The two passes of an import.
//!
//! The first pass reads every source to its end, validates each record and digests the bytes; it
//! appends nothing. The second reads the same bytes again and appends. The first pass leaves a digest
//! for every batch, so the second hands on only what the first has seen: a source that was changed in
//! between is refused at the first batch that differs.

use super::source::Source;
use super::{Given, Importer, Refusal};
use crate::error::{Class, Failure};
use crate::progress::Progress;
use ledger::event::Fact;
use ledger::secret::{Keyring, Pepper, Pseudonym, SealingKey};
use std::collections::BTreeSet;

/// How many events are appended at once.
pub const BATCH_EVENTS: usize = 256;

/// How many refusals are kept to be listed; further ones are counted.
pub const REFUSALS_LISTED_MAX: usize = 1000;

/// What is imported, by whom it is read and with what knowledge.
pub struct Job<'a> {
    /// The sources, in the order in which they are read.
    pub sources: &'a [Source],
    /// What reads them.
    pub importer: &'a dyn Importer,
    /// What the sources do not say.
    pub given: &'a Given,
}

/// A record that was left out.
#[derive(Debug, Clone)]
pub struct LeftOut {
    /// How its source is called in messages.
    pub shown: String,
    /// Why.
    pub refusal: Refusal,
}

/// What the first pass has found.
#[derive(Debug, Default)]
pub struct Survey {
    /// The digest of each source.
    pub digests: Vec<blake3::Hash>,
    /// How many records can be read.
    pub readable: u64,
    /// How many records cannot be read.
    pub refused: u64,
    /// The first of them.
    pub left_out: Vec<LeftOut>,
    /// Whose sealing keys the records need.
    pub owners: BTreeSet<Pseudonym>,
    /// The running digest of the source after every [`BATCH_EVENTS`] records.
    checkpoints: Vec<blake3::Hash>,
}

/// A keyring of the first pass: it seals nothing and notes whose keys will be needed.
struct Noting<'a> {
    pepper: Pepper,
    owners: &'a mut BTreeSet<Pseudonym>,
}

impl Keyring for Noting<'_> {
    fn pepper(&self) -> Pepper {
        self.pepper.clone()
    }

    fn sealing_key(&mut self, owner: Pseudonym) -> Option<SealingKey> {
        self.owners.insert(owner);
        None
    }

    fn opening_key(&self, _: Pseudonym) -> Option<SealingKey> {
        None
    }
}

/// The first pass: reads everything, appends nothing. A record that cannot be read is an error,
/// unless `keep_going` is set: then it is noted and left out. If nothing at all can be read, it is
/// an error in any case. Memory grows with the number of persons and machines, not of records.
pub fn survey(
    job: &Job<'_>,
    pepper: Pepper,
    keep_going: bool,
    progress: &mut Progress,
) -> Result<Survey, Failure> {
    let mut found = Survey::default();
    let mut owners = BTreeSet::new();
    for source in job.sources {
        let mut input = source.open()?;
        let mut keyring = Noting {
            pepper: pepper.clone(),
            owners: &mut owners,
        };
        job.importer
            .read(&mut input, job.given, &mut keyring, &mut |record, input| {
                progress.to(input.consumed_bytes());
                match record {
                    Ok(_) => {
                        found.readable += 1;
                        if found.readable.is_multiple_of(BATCH_EVENTS as u64) {
                            found.checkpoints.push(input.digest());
                        }
                    }
                    Err(refusal) if !keep_going => {
                        return Err(stopped("import", &source.shown, &refusal));
                    }
                    Err(refusal) => {
                        found.refused += 1;
                        if found.left_out.len() < REFUSALS_LISTED_MAX {
                            let shown = source.shown.clone();
                            found.left_out.push(LeftOut { shown, refusal });
                        }
                    }
                }
                Ok(())
            })?;
        found.digests.push(input.digest());
        progress.file_done(input.consumed_bytes());
    }
    if found.readable == 0
        && let Some(first) = found.left_out.first()
    {
        return Err(stopped("import", &first.shown, &first.refusal));
    }
    found.owners = owners;
    Ok(found)
}

/// A record that stops the reading of a source: `verb` is what was to be done with it.
pub fn stopped(verb: &str, shown: &str, refusal: &Refusal) -> Failure {
    let what = format!("cannot {verb} {shown}{}", refusal.place());
    Failure::new(what, &refusal.reason, &refusal.hint)
}

/// The second pass: reads the same sources again and hands their facts on in batches of at most
/// [`BATCH_EVENTS`]. Every fact that is handed on was seen by the first pass; if a source was changed
/// since, this is an error and what was handed on before stays. The keyring should hold the keys of
/// all [`Survey::owners`] already, durably.
pub fn deliver(
    job: &Job<'_>,
    survey: &Survey,
    keyring: &mut dyn Keyring,
    progress: &mut Progress,
    append: &mut dyn FnMut(Vec<Fact>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let mut batch = Vec::with_capacity(BATCH_EVENTS);
    let mut checkpoints = survey.checkpoints.iter();
    for (source, digest) in job.sources.iter().zip(&survey.digests) {
        let mut input = source.open()?;
        job.importer
            .read(&mut input, job.given, keyring, &mut |record, input| {
                progress.to(input.consumed_bytes());
                let Ok(record) = record else {
                    return Ok(());
                };
                batch.push(record.fact);
                if batch.len() < BATCH_EVENTS {
                    return Ok(());
                }
                if checkpoints.next() != Some(&input.digest()) {
                    return Err(changed(&source.shown));
                }
                append(std::mem::replace(
                    &mut batch,
                    Vec::with_capacity(BATCH_EVENTS),
                ))
            })?;
        if input.digest() != *digest {
            return Err(changed(&source.shown));
        }
        progress.file_done(input.consumed_bytes());
    }
    if batch.is_empty() {
        return Ok(());
    }
    append(batch)
}

fn changed(shown: &str) -> Failure {
    Failure::new(
        format!("cannot import {shown} to its end"),
        "the file was changed while it was being imported",
        "import it again when nothing writes to it; what was appended already is known then",
    )
    .class(Class::Refused)
}

#[cfg(test)]
mod tests;
