//! What a victim did to its files, operation by operation, as the preloaded library wrote it down.
//!
//! A record is its length (4 bytes), a letter, three numbers (8 bytes each), and then two texts and
//! the content, each with its length before it (4 bytes); all little-endian.

/// One operation that happened. Files and directories go by the number of their inode; paths are
/// below the directory that is watched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    /// The directory that is watched.
    Root {
        /// Its inode.
        inode: u64,
    },
    /// A file was made.
    Create {
        /// Its inode.
        inode: u64,
        /// Its path.
        path: String,
    },
    /// A directory was made.
    MakeDirectory {
        /// Its inode.
        inode: u64,
        /// Its path.
        path: String,
    },
    /// Bytes were written.
    Write {
        /// The file.
        inode: u64,
        /// Where.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A file was cut, or made longer with zeros.
    Resize {
        /// The file.
        inode: u64,
        /// Its length from then on.
        length: u64,
    },
    /// A sync began: it covers what happened before.
    SyncBegins {
        /// The file or directory.
        inode: u64,
        /// The number of the sync in its process, and of the process.
        number: (u64, u64),
    },
    /// That sync succeeded.
    SyncEnds {
        /// The number of the sync in its process, and of the process.
        number: (u64, u64),
    },
    /// A sync failed, and what had not been written of the file never will be.
    SyncLost {
        /// The file or directory.
        inode: u64,
    },
    /// Something got another name.
    Rename {
        /// The name before.
        from: String,
        /// The name after.
        to: String,
    },
    /// A name was removed.
    Remove {
        /// The name.
        path: String,
    },
    /// Something was done that is not understood here, so the trace is not complete.
    Unknown {
        /// What.
        what: String,
    },
}

impl Operation {
    /// The record of the operation.
    pub fn encode(&self) -> Vec<u8> {
        let (letter, numbers, texts, content) = match self {
            Self::Root { inode } => (b'O', [*inode, 0, 0], ["", ""], &[][..]),
            Self::Create { inode, path } => (b'C', [*inode, 0, 0], [path, ""], &[][..]),
            Self::MakeDirectory { inode, path } => (b'D', [*inode, 0, 0], [path, ""], &[][..]),
            Self::Write {
                inode,
                offset,
                bytes,
            } => (b'W', [*inode, *offset, 0], ["", ""], bytes.as_slice()),
            Self::Resize { inode, length } => (b'T', [*inode, *length, 0], ["", ""], &[][..]),
            Self::SyncBegins { inode, number } => {
                (b'B', [*inode, number.0, number.1], ["", ""], &[][..])
            }
            Self::SyncEnds { number } => (b'E', [0, number.0, number.1], ["", ""], &[][..]),
            Self::SyncLost { inode } => (b'L', [*inode, 0, 0], ["", ""], &[][..]),
            Self::Rename { from, to } => (b'R', [0; 3], [from.as_str(), to], &[][..]),
            Self::Remove { path } => (b'U', [0; 3], [path, ""], &[][..]),
            Self::Unknown { what } => (b'X', [0; 3], [what, ""], &[][..]),
        };
        let mut record = vec![0; 4];
        record.push(letter);
        for number in numbers {
            record.extend_from_slice(&number.to_le_bytes());
        }
        for part in [texts[0].as_bytes(), texts[1].as_bytes(), content] {
            record.extend_from_slice(&(part.len() as u32).to_le_bytes());
            record.extend_from_slice(part);
        }
        let length = (record.len() as u32).to_le_bytes();
        record[..4].copy_from_slice(&length);
        record
    }

    /// Reads the record at the beginning of some bytes; `None` if it is not whole.
    fn decode(bytes: &[u8]) -> Option<(Self, usize)> {
        let length = u32::from_le_bytes(*bytes.first_chunk()?) as usize;
        let record = bytes.get(4..length)?;
        let (letter, record) = record.split_first()?;
        let (numbers, mut rest) = record.split_at_checked(24)?;
        let number = |at: usize| {
            let bytes = numbers[8 * at..8 * at + 8].try_into();
            u64::from_le_bytes(bytes.expect("eight bytes were taken"))
        };
        let mut part = || {
            let (length, after) = rest.split_first_chunk()?;
            let (part, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
            rest = after;
            Some(part.to_vec())
        };
        let (first, second, content) = (part()?, part()?, part()?);
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        let inode = number(0);
        let operation = match letter {
            b'O' => Self::Root { inode },
            b'C' => Self::Create {
                inode,
                path: text(first),
            },
            b'D' => Self::MakeDirectory {
                inode,
                path: text(first),
            },
            b'W' => Self::Write {
                inode,
                offset: number(1),
                bytes: content,
            },
            b'T' => Self::Resize {
                inode,
                length: number(1),
            },
            b'B' => Self::SyncBegins {
                inode,
                number: (number(1), number(2)),
            },
            b'E' => Self::SyncEnds {
                number: (number(1), number(2)),
            },
            b'L' => Self::SyncLost { inode },
            b'R' => Self::Rename {
                from: text(first),
                to: text(second),
            },
            b'U' => Self::Remove { path: text(first) },
            b'X' => Self::Unknown { what: text(first) },
            _ => return None,
        };
        Some((operation, length))
    }
}

/// Every operation of a trace, each with the length of the trace once it was written. A record that
/// was cut by a kill is left out.
pub fn read(bytes: &[u8]) -> Vec<(Operation, u64)> {
    let mut operations = Vec::new();
    let mut at = 0;
    while let Some((operation, length)) = Operation::decode(&bytes[at..]) {
        at += length;
        operations.push((operation, at as u64));
    }
    operations
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_are_read_back_as_they_were_written() {
        let path = "store/log/db".to_owned();
        let operations = [
            Operation::Root { inode: 1 },
            Operation::Create {
                inode: 2,
                path: path.clone(),
            },
            Operation::MakeDirectory {
                inode: 3,
                path: path.clone(),
            },
            Operation::Write {
                inode: 2,
                offset: 9,
                bytes: vec![1, 2, 3],
            },
            Operation::Resize {
                inode: 2,
                length: 7,
            },
            Operation::SyncBegins {
                inode: 2,
                number: (4, 5),
            },
            Operation::SyncEnds { number: (4, 5) },
            Operation::SyncLost { inode: 2 },
            Operation::Rename {
                from: path.clone(),
                to: "b".to_owned(),
            },
            Operation::Remove { path: path.clone() },
            Operation::Unknown { what: path },
        ];
        let mut bytes: Vec<u8> = operations.iter().flat_map(Operation::encode).collect();
        let whole = bytes.len() as u64;
        bytes.extend_from_slice(&operations[3].encode()[..20]);
        let read = read(&bytes);
        assert_eq!(read.last().map(|(_, end)| *end), Some(whole));
        let read: Vec<_> = read.into_iter().map(|(operation, _)| operation).collect();
        assert_eq!(read, operations);
    }
}
