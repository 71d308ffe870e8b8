//! What the domain reference names, and where the catalogue has it: `tests/domain.txt`.

const TEXT: &str = include_str!("../domain.txt");

/// A name of the domain reference with its entries in the catalogue.
#[derive(Debug)]
pub struct Entry {
    /// The section of the domain reference.
    pub section: &'static str,
    /// The actor, component, state machine or rule.
    pub name: &'static str,
    /// `Kind`, `Kind.field`, `Kind.field=Word` or `envelope.field`.
    pub inputs: Vec<&'static str>,
}

/// Every name, in the order of the file. Panics with the line if one is of no known form.
pub fn entries() -> Vec<Entry> {
    let mut entries: Vec<Entry> = Vec::new();
    let mut section = "";
    for line in TEXT.lines().filter(|line| !line.starts_with('#')) {
        if let Some(title) = line.strip_prefix("== ") {
            section = title.split(' ').next().unwrap_or(title);
        } else if let Some(name) = line.strip_suffix(':') {
            entries.push(Entry {
                section,
                name,
                inputs: Vec::new(),
            });
        } else if let Some(entry) = entries.last_mut().filter(|_| line.starts_with("  ")) {
            entry.inputs.extend(line.split_whitespace());
        } else {
            assert!(line.is_empty(), "no line of the domain tables: {line}");
        }
    }
    entries
}
