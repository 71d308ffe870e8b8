//! What a power cut leaves: everything that was durable, and of the rest whatever chance will.
//!
//! Of what was written and not synced, each sector of 512 bytes has the content that it had at some
//! moment since the last sync; the length of the file is one that it had since then. Changes of names
//! that were not synced survive in one of two ways: in their order up to some moment, as a file system
//! with one journal does it (ext4), or each for itself, which is all that POSIX promises.

use super::medium::{Change, FileState, Id, Medium, Object, ROOT};
use super::random::Random;
use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::Path;

/// What is written as a whole or not at all.
const SECTOR_LENGTH_BYTES: u64 = 512;

/// How much of what was not durable survives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Survival {
    /// What processes see: what one that was killed leaves.
    Seen,
    /// Everything but what a failed sync lost.
    All,
    /// So many of a hundred sectors and names, chosen by chance.
    Percent(usize),
}

/// How a power cut treats what was not synced.
#[derive(Debug, Clone, Copy)]
pub struct Cut {
    /// Of what was written to files.
    pub content: Survival,
    /// Of names.
    pub names: Survival,
    /// Whether changes of names survive in their order only.
    pub in_order: bool,
}

impl Cut {
    /// A cut as chance will have it.
    pub fn any(random: &mut Random) -> Self {
        let survivals = [
            Survival::Percent(0),
            Survival::Percent(10),
            Survival::Percent(50),
            Survival::Percent(90),
            Survival::All,
        ];
        Self {
            content: random.pick(&survivals),
            names: random.pick(&survivals),
            in_order: random.percent(50),
        }
    }
}

/// Writes what a power cut leaves into a directory, which has to be empty.
pub fn write(medium: &Medium, cut: Cut, random: &mut Random, to: &Path) -> io::Result<()> {
    let names = surviving_names(medium, cut, random);
    write_directory(medium, &names, cut, random, ROOT, to)
}

type Names = BTreeMap<Id, BTreeMap<String, Id>>;

fn surviving_names(medium: &Medium, cut: Cut, random: &mut Random) -> Names {
    let steps = &medium.steps;
    let certain = steps.iter().rposition(|step| step.durable);
    let certain = certain.map_or(0, |last| last + 1);
    // In order, everything before the last durable step is durable as well.
    let prefix = match cut.names {
        Survival::Seen | Survival::All => steps.len(),
        Survival::Percent(0) => certain,
        Survival::Percent(_) => certain + random.below(steps.len() - certain + 1),
    };
    let mut names = Names::new();
    for (number, step) in steps.iter().enumerate() {
        let survives = match (cut.in_order, cut.names) {
            (true, _) => number < prefix,
            (false, Survival::Seen | Survival::All) => true,
            (false, Survival::Percent(percent)) => step.durable || random.percent(percent),
        };
        for (directory, name, object) in step.names.iter().filter(|_| survives) {
            let present = names.entry(*directory).or_default();
            match object {
                Some(object) => present.insert(name.clone(), *object),
                None => present.remove(name),
            };
        }
    }
    names
}

fn write_directory(
    medium: &Medium,
    names: &Names,
    cut: Cut,
    random: &mut Random,
    directory: Id,
    to: &Path,
) -> io::Result<()> {
    for (name, object) in names.get(&directory).into_iter().flatten() {
        let path = to.join(name);
        match &medium.objects[*object] {
            Object::File(file) => fs::write(&path, content(file, cut.content, random))?,
            Object::Directory(_) => {
                fs::create_dir(&path)?;
                write_directory(medium, names, cut, random, *object, &path)?;
            }
        }
    }
    Ok(())
}

/// What is left of a file.
fn content(file: &FileState, survival: Survival, random: &mut Random) -> Vec<u8> {
    let mut content = file.durable.clone();
    if survival == Survival::Seen {
        return file.seen.clone();
    }
    let Survival::Percent(percent) = survival else {
        file.pending
            .iter()
            .for_each(|(_, change)| change.apply(&mut content));
        return content;
    };
    // So many changes are certain to have had their effect on the length.
    let lengths = match percent {
        0 => 0,
        _ => random.below(file.pending.len() + 1),
    };
    let changes = || file.pending.iter().map(|(_, change)| change);
    let mut lengths_after = Vec::new();
    changes().fold(content.len() as u64, |before, change| {
        let after = change.length_after(before);
        lengths_after.push(after);
        after
    });
    let mut sectors = Sectors::default();
    for (number, change) in changes().enumerate() {
        match change {
            Change::Write { offset, bytes } => sectors.write(*offset, bytes),
            Change::Resize { length } if number < lengths => sectors.cut(*length),
            Change::Resize { .. } | Change::Lost { .. } => {}
        }
    }
    let length = match lengths {
        0 => content.len() as u64,
        lengths => lengths_after[lengths - 1],
    };
    // A length that was shorter for a while leaves zeros behind.
    let shortest = lengths_after.iter().take(lengths).min();
    if let Some(shortest) = shortest.filter(|shortest| **shortest < content.len() as u64) {
        content.truncate(*shortest as usize);
    }
    let longest = lengths_after.iter().max().copied().unwrap_or(0).max(length);
    content.resize(content.len().max(longest as usize), 0);
    sectors.survive(percent, random, &mut content);
    content.resize(length as usize, 0);
    content
}

/// Parts of sectors, in the order in which they were written: offset and bytes, within the sector.
type Parts = Vec<(u64, Vec<u8>)>;

/// What was written since the last sync, by number of the sector.
#[derive(Default)]
struct Sectors(BTreeMap<u64, Parts>);

impl Sectors {
    fn write(&mut self, mut offset: u64, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let within = offset % SECTOR_LENGTH_BYTES;
            let length = bytes.len().min((SECTOR_LENGTH_BYTES - within) as usize);
            let (part, rest) = bytes.split_at(length);
            let sector = self.0.entry(offset / SECTOR_LENGTH_BYTES).or_default();
            sector.push((offset, part.to_vec()));
            offset += length as u64;
            bytes = rest;
        }
    }

    /// Forgets what was written after a length.
    fn cut(&mut self, length: u64) {
        for parts in self.0.values_mut() {
            for (offset, part) in parts.iter_mut() {
                part.truncate(
                    usize::try_from(length.saturating_sub(*offset)).unwrap_or(usize::MAX),
                );
            }
        }
    }

    /// Gives each sector the content of some moment; it is newer than the synced one so often in a
    /// hundred times.
    fn survive(self, percent: usize, random: &mut Random, content: &mut [u8]) {
        for parts in self.0.into_values() {
            let newest = match random.percent(percent) {
                true => 1 + random.below(parts.len()),
                false => 0,
            };
            for (offset, part) in parts.into_iter().take(newest) {
                let offset = offset as usize;
                content[offset..offset + part.len()].copy_from_slice(&part);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::trace::Operation;
    use super::*;

    const NOTHING: Cut = Cut {
        content: Survival::Percent(0),
        names: Survival::Percent(0),
        in_order: false,
    };

    fn create(inode: u64, path: &str) -> Operation {
        let path = path.to_owned();
        Operation::Create { inode, path }
    }

    fn written(inode: u64, offset: u64, byte: u8, count: usize) -> Operation {
        let bytes = vec![byte; count];
        Operation::Write {
            inode,
            offset,
            bytes,
        }
    }

    fn synced(inode: u64, number: u64) -> [Operation; 2] {
        let number = (number, 1);
        [
            Operation::SyncBegins { inode, number },
            Operation::SyncEnds { number },
        ]
    }

    fn image(
        operations: impl IntoIterator<Item = Operation>,
        cut: Cut,
        seed: u64,
    ) -> BTreeMap<String, Vec<u8>> {
        let mut medium = Medium::default();
        medium.take(&Operation::Root { inode: 1 });
        operations
            .into_iter()
            .for_each(|operation| medium.take(&operation));
        let to = tempfile::tempdir().unwrap();
        write(&medium, cut, &mut Random::new(seed), to.path()).unwrap();
        let files = fs::read_dir(to.path()).unwrap().map(Result::unwrap);
        let read = |file: fs::DirEntry| {
            (
                file.file_name().into_string().unwrap(),
                fs::read(file.path()).unwrap(),
            )
        };
        files.map(read).collect()
    }

    #[test]
    fn a_file_without_a_synced_name_is_gone_and_one_without_a_sync_is_empty() {
        let mut operations = vec![
            create(2, "named"),
            create(3, "synced"),
            written(3, 0, 7, 10),
        ];
        operations.extend(synced(1, 1));
        operations.extend([
            create(4, "unnamed"),
            written(4, 0, 7, 10),
            written(2, 0, 7, 10),
        ]);
        operations.extend(synced(3, 2));
        operations.extend(synced(4, 3));
        let image = image(operations, NOTHING, 1);
        let wanted = [("named", vec![]), ("synced", vec![7; 10])];
        assert_eq!(
            image,
            wanted.map(|(name, bytes)| (name.to_owned(), bytes)).into()
        );
    }

    #[test]
    fn a_sync_covers_what_was_written_before_it_began() {
        let mut operations = vec![create(2, "f")];
        operations.extend(synced(1, 1));
        let [begins, ends] = synced(2, 2);
        operations.extend([written(2, 0, 1, 4), begins, written(2, 4, 2, 4), ends]);
        assert_eq!(image(operations, NOTHING, 1)["f"], [1; 4]);
    }

    #[test]
    fn what_a_failed_sync_lost_is_durable_only_when_it_is_written_again() {
        let lost = || {
            let mut operations = vec![create(2, "f")];
            operations.extend(synced(1, 1));
            operations.extend([written(2, 0, 1, 4), Operation::SyncLost { inode: 2 }]);
            operations
        };
        let mut operations = lost();
        operations.extend(synced(2, 2));
        assert_eq!(image(operations, NOTHING, 1)["f"], [0; 4]);
        let mut operations = lost();
        operations.push(written(2, 0, 1, 4));
        operations.extend(synced(2, 2));
        assert_eq!(image(operations, NOTHING, 1)["f"], [1; 4]);
    }

    #[test]
    fn sectors_survive_one_by_one_and_lengths_are_ones_that_were() {
        let mut operations = vec![create(2, "f")];
        operations.extend(synced(1, 1));
        operations.push(written(2, 0, 1, 2_048));
        operations.extend(synced(2, 2));
        operations.push(written(2, 256, 2, 1_024));
        operations.push(Operation::Resize {
            inode: 2,
            length: 100,
        });
        operations.push(written(2, 100, 3, 412));
        let cut = Cut {
            content: Survival::Percent(50),
            ..NOTHING
        };
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..400 {
            let file = image(operations.clone(), cut, seed).remove("f").unwrap();
            assert!([100, 512, 2_048].contains(&file.len()), "{}", file.len());
            assert!(file.iter().take(100).all(|byte| *byte == 1));
            if file.len() == 2_048 {
                let sectors = file.as_chunks::<512>().0;
                assert!(
                    sectors
                        .iter()
                        .all(|sector| sector[256..].iter().all(|b| *b == sector[256]))
                );
                seen.insert(sectors.iter().map(|sector| sector[256]).collect::<Vec<_>>());
            } else {
                assert!(file.iter().all(|byte| [0, 1, 3].contains(byte)));
            }
        }
        assert!(seen.len() >= 4, "{seen:?}");
    }

    #[test]
    fn a_rename_is_one_step_and_in_order_nothing_later_survives_alone() {
        let mut operations = vec![create(2, "old")];
        operations.extend(synced(1, 1));
        let renamed = |from: &str, to: &str| Operation::Rename {
            from: from.to_owned(),
            to: to.to_owned(),
        };
        operations.extend([renamed("old", "new"), create(3, "later")]);
        let mut seen = std::collections::BTreeSet::new();
        for in_order in [true, false] {
            let cut = Cut {
                names: Survival::Percent(50),
                in_order,
                ..NOTHING
            };
            for seed in 0..200 {
                let names: Vec<_> = image(operations.clone(), cut, seed).into_keys().collect();
                assert_eq!(names.iter().filter(|name| *name != "later").count(), 1);
                assert!(!in_order || names != ["later", "old"]);
                seen.insert(names);
            }
        }
        assert_eq!(seen.len(), 4);
    }
}
