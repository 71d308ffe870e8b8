//! The list of the blocks that count. The form is in `FORMAT.md`.

use super::shelf::folder;
use super::{BlockSize, TileError};
use crate::files::{self, record::Record};
use crate::id::{EventId, Position};
use crate::proof::TreeHash;
use crate::sealed::FilesHash;
use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

const TITLE: &str = "activation-ledger tiles";
pub(super) const SEEN_TITLE: &str = "activation-ledger tiles files";
const FORMAT_VERSION: u64 = 1;
pub(super) const FILE: &str = "manifest";

/// What is listed of a block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct BlockInfo {
    /// The number of its database.
    pub(super) number: u64,
    /// The hash of its files.
    pub(super) hash: FilesHash,
    /// The roots of its parts.
    pub(super) roots: Vec<TreeHash>,
}

/// Blocks, by their number in the log.
pub(super) type Listed = BTreeMap<u64, BlockInfo>;

/// Up to where the tiles of a store say that its log was durable; 0 if they say nothing. The size of the
/// blocks is whatever it was.
pub(crate) fn watermark(store: &Path, store_id: [u8; 16]) -> Position {
    let Ok(Some((size, blocks))) = read_any(&folder(store), store_id) else {
        return Position(0);
    };
    let last = blocks.last_key_value();
    last.map_or(Position(0), |(number, _)| *size.positions(*number).end())
}

/// The blocks that are listed, whatever their size; `None` if there is no list.
pub(super) fn read_any(
    directory: &Path,
    store_id: [u8; 16],
) -> Result<Option<(BlockSize, Listed)>, String> {
    let text = match fs::read_to_string(directory.join(FILE)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        text => text.map_err(|error| error.to_string())?,
    };
    let record = Record::read(TITLE, &text)?;
    if record.number("format")? != FORMAT_VERSION {
        return Err("it has another format".to_owned());
    }
    if record.get("store")? != EventId(store_id).to_string() {
        return Err("it belongs to another store".to_owned());
    }
    let leaves = record.number("block-events")?;
    let size = BlockSize::at_least(leaves);
    if size.leaves() != leaves {
        return Err(format!("a block cannot have {leaves} events"));
    }
    let blocks = record.all("block").map(|line| read_block(line, size));
    let blocks = blocks.collect::<Option<_>>();
    let blocks = blocks.ok_or("a line of a block of it cannot be read")?;
    Ok(Some((size, blocks)))
}

/// The blocks of a size that are listed; `None` if there is no list.
pub(super) fn read(
    directory: &Path,
    store_id: [u8; 16],
    size: BlockSize,
) -> Result<Option<Listed>, String> {
    match read_any(directory, store_id)? {
        Some((found, _)) if found != size => Err("its blocks have another size".to_owned()),
        found => Ok(found.map(|(_, blocks)| blocks)),
    }
}

fn read_block(line: &str, size: BlockSize) -> Option<(u64, BlockInfo)> {
    let mut words = line.split(' ');
    let mut number = || words.next()?.parse::<u64>().ok();
    let (first, last, database) = (number()?, number()?, number()?);
    let block = size.block_of(first.checked_sub(1)?);
    if size.positions(block) != (Position(first)..=Position(last)) {
        return None;
    }
    let mut hashes = words.map(|word| blake3::Hash::from_hex(word).ok());
    let hash = *hashes.next()??.as_bytes();
    let roots = hashes.map(|hash| Some(TreeHash(*hash?.as_bytes())));
    let roots: Vec<_> = roots.collect::<Option<_>>()?;
    let info = BlockInfo {
        number: database,
        hash,
        roots,
    };
    (info.roots.len() as u64 == size.parts()).then_some((block, info))
}

/// Makes a list the one that the next opening finds, in one step.
pub(super) fn write(
    directory: &Path,
    store_id: [u8; 16],
    size: BlockSize,
    blocks: &Listed,
) -> Result<(), TileError> {
    let mut record = Record::default();
    record.put("format", FORMAT_VERSION);
    record.put("store", EventId(store_id));
    record.put("block-events", size.leaves());
    for (number, info) in blocks {
        let positions = size.positions(*number);
        let (first, last) = (positions.start(), positions.end());
        let mut line = format!("{first} {last} {}", info.number);
        let roots = info.roots.iter().map(|root| root.0);
        for hash in std::iter::once(info.hash).chain(roots) {
            line.push(' ');
            line.push_str(blake3::Hash::from_bytes(hash).to_hex().as_str());
        }
        record.put("block", line);
    }
    let text = record.write(TITLE);
    Ok(files::replace(&directory.join(FILE), text.as_bytes())?)
}
