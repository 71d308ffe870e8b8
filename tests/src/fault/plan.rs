//! What is to go wrong, as text that is handed to the victim in its environment.
//!
//! A plan is rules with `;` between them. A rule is `CLASS[/PART]@FIRST[-LAST|+]=ACTION`: what happens
//! to the operations of a class on a path that contains PART, counted from 1. `space=BYTES:FAILURES`
//! is a disk with room for so many more bytes, to which space is added after so many failures.

/// A class of operations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// `write`, `pwrite`, `writev`, `pwritev`.
    Write,
    /// `fsync` and `fdatasync` of a file.
    Sync,
    /// `fsync` of a directory.
    SyncDirectory,
    /// Making a file.
    Create,
    /// `mkdir`.
    MakeDirectory,
    /// `rename`.
    Rename,
    /// `unlink` and `rmdir`.
    Remove,
    /// `ftruncate` and `fallocate`.
    Resize,
}

impl Class {
    const NAMES: &[(&str, Self)] = &[
        ("write", Self::Write),
        ("sync", Self::Sync),
        ("syncdir", Self::SyncDirectory),
        ("create", Self::Create),
        ("mkdir", Self::MakeDirectory),
        ("rename", Self::Rename),
        ("remove", Self::Remove),
        ("resize", Self::Resize),
    ];
}

/// What happens to an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// It fails with `EIO`; a sync that fails so has lost nothing.
    Eio,
    /// It fails with `ENOSPC`.
    Enospc,
    /// Half of the bytes are written, and that is what the call answers.
    Short,
    /// A sync fails with `EIO`, and what it covered is in the page cache only and never written
    /// again; the next sync succeeds, as Linux does it.
    Lost,
    /// The process is killed before the operation.
    KillBefore,
    /// The process is killed after it.
    KillAfter,
    /// Half of the bytes are written, and the process is killed.
    KillHalfway,
    /// A sync takes three milliseconds longer: what should wait for it but does not is seen.
    Slow,
}

impl Action {
    const NAMES: &[(&str, Self)] = &[
        ("eio", Self::Eio),
        ("enospc", Self::Enospc),
        ("short", Self::Short),
        ("lost", Self::Lost),
        ("kill-before", Self::KillBefore),
        ("kill-after", Self::KillAfter),
        ("kill-halfway", Self::KillHalfway),
        ("slow", Self::Slow),
    ];
}

/// What happens to some operations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    class: Class,
    part: String,
    first: u64,
    last: u64,
    action: Action,
    /// How many such operations there were.
    seen: u64,
}

/// Everything that is to go wrong, and how far it has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    rules: Vec<Rule>,
    /// Bytes by which files may still grow; `None` for a disk without end.
    space: Option<u64>,
    /// After how many more failures there is space again.
    failures: u64,
}

fn named<T: Copy>(names: &[(&str, T)], name: &str) -> Option<T> {
    let found = names.iter().find(|(known, _)| *known == name);
    found.map(|(_, value)| *value)
}

impl Plan {
    /// Reads a plan; `None` if it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let mut plan = Self::default();
        for rule in text.split(';').filter(|rule| !rule.is_empty()) {
            if let Some(space) = rule.strip_prefix("space=") {
                let (bytes, failures) = space.split_once(':')?;
                plan.space = Some(bytes.parse().ok()?);
                plan.failures = failures.parse().ok()?;
                continue;
            }
            let (what, action) = rule.split_once('=')?;
            let (what, numbers) = what.split_once('@')?;
            let (class, part) = what.split_once('/').unwrap_or((what, ""));
            let (first, last) = match (numbers.strip_suffix('+'), numbers.split_once('-')) {
                (Some(first), _) => (first.parse().ok()?, u64::MAX),
                (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
                (None, None) => (numbers.parse().ok()?, numbers.parse().ok()?),
            };
            plan.rules.push(Rule {
                class: named(Class::NAMES, class)?,
                part: part.to_owned(),
                first,
                last,
                action: named(Action::NAMES, action)?,
                seen: 0,
            });
        }
        Some(plan)
    }

    /// Counts an operation and says what happens to it. `growth` is by how many bytes the file would
    /// grow.
    pub fn decide(&mut self, class: Class, path: &str, growth: u64) -> Option<Action> {
        let mut decided = None;
        for rule in &mut self.rules {
            if rule.class == class && path.contains(&rule.part) {
                rule.seen += 1;
                if (rule.first..=rule.last).contains(&rule.seen) {
                    decided = Some(rule.action);
                }
            }
        }
        decided.or_else(|| self.fill(class, growth))
    }

    /// Takes space, if the operation needs any.
    fn fill(&mut self, class: Class, growth: u64) -> Option<Action> {
        let space = self.space?;
        let needs = match class {
            Class::Create | Class::MakeDirectory => 4_096,
            _ => growth,
        };
        if needs == 0 {
            return None;
        }
        if let Some(rest) = space.checked_sub(needs) {
            self.space = Some(rest);
            return None;
        }
        self.failures = self.failures.saturating_sub(1);
        if self.failures == 0 {
            self.space = None;
        }
        Some(Action::Enospc)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_the_operations_that_it_names() {
        let mut plan = Plan::parse("write/log/@2-3=eio;sync@1+=slow").unwrap();
        let mut decide = |class, path| plan.decide(class, path, 10);
        assert_eq!(decide(Class::Write, "store/log/db"), None);
        assert_eq!(decide(Class::Write, "store/manifest"), None);
        assert_eq!(decide(Class::Write, "store/log/db"), Some(Action::Eio));
        assert_eq!(decide(Class::Write, "store/log/db"), Some(Action::Eio));
        assert_eq!(decide(Class::Write, "store/log/db"), None);
        assert_eq!(decide(Class::Sync, "store/manifest"), Some(Action::Slow));
        assert!(Plan::parse("write@1=nonsense").is_none() && Plan::parse("write").is_none());
    }

    #[test]
    fn a_full_disk_fails_until_there_is_space_again() {
        let mut plan = Plan::parse("space=100:2").unwrap();
        let mut write = |growth| plan.decide(Class::Write, "x", growth);
        assert_eq!((write(60), write(0), write(40)), (None, None, None));
        assert_eq!((write(1), write(0)), (Some(Action::Enospc), None));
        assert_eq!((write(1), write(1_000)), (Some(Action::Enospc), None));
    }
}
