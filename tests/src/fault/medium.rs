//! A file system as POSIX and ext4 promise it: what of a trace is durable, and what is still on its way.
//!
//! - The content and length of a file are durable once a sync of that file that began later has
//!   succeeded. `sync_file_range` promises nothing, and is not in the trace.
//! - A name is durable once its directory was synced. The sync of a file says nothing of its name.
//! - A rename within a directory is one step.
//! - After a sync that failed and lost what it covered, no later sync makes that durable; it has to be
//!   written again.

use super::trace::Operation;
use std::collections::BTreeMap;
use std::collections::HashMap;

/// The number of a file or directory in a [`Medium`].
pub type Id = usize;

/// The directory that was watched.
pub const ROOT: Id = 0;

/// A change of a file that is not durable yet.
#[derive(Debug, Clone)]
pub enum Change {
    /// Bytes at an offset.
    Write {
        /// Where.
        offset: u64,
        /// What.
        bytes: Vec<u8>,
    },
    /// A new length.
    Resize {
        /// The length.
        length: u64,
    },
    /// A write whose content a failed sync lost; its length may be there.
    Lost {
        /// The file reached at least so far.
        length: u64,
    },
}

impl Change {
    /// The length of a file after the change.
    pub fn length_after(&self, before: u64) -> u64 {
        match self {
            Self::Write { offset, bytes } => before.max(offset + bytes.len() as u64),
            Self::Resize { length } => *length,
            Self::Lost { length } => before.max(*length),
        }
    }

    /// Makes the change on the medium.
    pub fn apply(&self, content: &mut Vec<u8>) {
        let length = self.length_after(content.len() as u64);
        content.resize(length as usize, 0);
        if let Self::Write { offset, bytes } = self {
            let offset = *offset as usize;
            content[offset..offset + bytes.len()].copy_from_slice(bytes);
        }
    }
}

/// A file.
#[derive(Debug, Clone, Default)]
pub struct FileState {
    /// What survives for certain.
    pub durable: Vec<u8>,
    /// What processes see.
    pub seen: Vec<u8>,
    /// What came later, each with the number of its operation, in order.
    pub pending: Vec<(usize, Change)>,
}

/// A file or directory.
#[derive(Debug, Clone)]
pub enum Object {
    /// A file.
    File(FileState),
    /// A directory: its names as processes see them.
    Directory(BTreeMap<String, Id>),
}

/// A change of names: one step.
#[derive(Debug, Clone)]
pub struct Step {
    /// In which directory a name leads to what from then on.
    pub names: Vec<(Id, String, Option<Id>)>,
    /// Whether it survives for certain.
    pub durable: bool,
    number: usize,
}

/// Everything that was done, and how durable it is.
#[derive(Debug, Clone)]
pub struct Medium {
    /// Files and directories, the root first. None is ever taken out.
    pub objects: Vec<Object>,
    /// All changes of names, in order.
    pub steps: Vec<Step>,
    by_inode: HashMap<u64, Id>,
    /// Syncs that began: what they are of, and after how many operations.
    syncs: HashMap<(u64, u64), (u64, usize)>,
    operations: usize,
}

impl Default for Medium {
    fn default() -> Self {
        Self {
            objects: vec![Object::Directory(BTreeMap::new())],
            steps: Vec::new(),
            by_inode: HashMap::new(),
            syncs: HashMap::new(),
            operations: 0,
        }
    }
}

impl Medium {
    /// Takes in the next operation. Panics if the trace contradicts itself: it is not complete then.
    pub fn take(&mut self, operation: &Operation) {
        self.operations += 1;
        match operation {
            Operation::Root { inode } => {
                self.by_inode.insert(*inode, ROOT);
            }
            Operation::Create { inode, path } => {
                self.make(*inode, path, Object::File(FileState::default()));
            }
            Operation::MakeDirectory { inode, path } => {
                self.make(*inode, path, Object::Directory(BTreeMap::new()));
            }
            Operation::Write {
                inode,
                offset,
                bytes,
            } => self.change(
                *inode,
                Change::Write {
                    offset: *offset,
                    bytes: bytes.clone(),
                },
            ),
            Operation::Resize { inode, length } => {
                self.change(*inode, Change::Resize { length: *length });
            }
            Operation::SyncBegins { inode, number } => {
                self.syncs.insert(*number, (*inode, self.operations));
            }
            Operation::SyncEnds { number } => {
                let (inode, began) = self.syncs[number];
                self.sync(self.by_inode[&inode], began);
            }
            Operation::SyncLost { inode } => self.lose(*inode),
            Operation::Rename { from, to } => {
                let (from, from_name) = self.parent(from);
                let (to, to_name) = self.parent(to);
                let moved = self.names(from)[&from_name];
                self.step(vec![(from, from_name, None), (to, to_name, Some(moved))]);
            }
            Operation::Remove { path } => {
                let (directory, name) = self.parent(path);
                self.step(vec![(directory, name, None)]);
            }
            Operation::Unknown { what } => panic!("the trace is not complete: {what}"),
        }
    }

    /// The names in a directory, as processes see them.
    pub fn names(&self, directory: Id) -> &BTreeMap<String, Id> {
        match &self.objects[directory] {
            Object::Directory(names) => names,
            Object::File(_) => panic!("a file has no names in it"),
        }
    }

    fn file(&mut self, inode: u64) -> &mut FileState {
        match &mut self.objects[self.by_inode[&inode]] {
            Object::File(file) => file,
            Object::Directory(_) => panic!("a directory is not written"),
        }
    }

    /// The directory and the name that a path leads to.
    fn parent(&self, path: &str) -> (Id, String) {
        let (above, name) = path.rsplit_once('/').unwrap_or(("", path));
        let parts = above.split('/').filter(|part| !part.is_empty());
        let directory = parts.fold(ROOT, |directory, part| self.names(directory)[part]);
        (directory, name.to_owned())
    }

    fn make(&mut self, inode: u64, path: &str, object: Object) {
        let id = self.objects.len();
        self.objects.push(object);
        // Numbers of inodes are given again after a file is gone.
        self.by_inode.insert(inode, id);
        let (directory, name) = self.parent(path);
        self.step(vec![(directory, name, Some(id))]);
    }

    fn step(&mut self, names: Vec<(Id, String, Option<Id>)>) {
        for (directory, name, object) in &names {
            let Object::Directory(present) = &mut self.objects[*directory] else {
                panic!("a file has no names in it");
            };
            match object {
                Some(object) => present.insert(name.clone(), *object),
                None => present.remove(name),
            };
        }
        self.steps.push(Step {
            names,
            durable: false,
            number: self.operations,
        });
    }

    fn change(&mut self, inode: u64, change: Change) {
        let number = self.operations;
        let file = self.file(inode);
        change.apply(&mut file.seen);
        file.pending.push((number, change));
    }

    fn sync(&mut self, id: Id, began: usize) {
        match &mut self.objects[id] {
            Object::File(file) => {
                let later = file.pending.iter().position(|(number, _)| *number > began);
                let later = later.unwrap_or(file.pending.len());
                for (_, change) in file.pending.drain(..later) {
                    change.apply(&mut file.durable);
                }
            }
            Object::Directory(_) => {
                for step in &mut self.steps {
                    let here = step.names.iter().any(|(directory, ..)| *directory == id);
                    step.durable |= here && step.number <= began;
                }
            }
        }
    }

    fn lose(&mut self, inode: u64) {
        if self.by_inode[&inode] == ROOT
            || !matches!(self.objects[self.by_inode[&inode]], Object::File(_))
        {
            // What a directory's failed sync lost is decided when the power is cut.
            return;
        }
        for (_, change) in &mut self.file(inode).pending {
            if let Change::Write { offset, bytes } = change {
                *change = Change::Lost {
                    length: *offset + bytes.len() as u64,
                };
            }
        }
    }
}
