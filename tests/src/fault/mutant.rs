//! Bugs that are planted on purpose, to see that the trials notice.
//!
//! A mutant is a file in `tests/mutants`: a sentence that says what is wrong, lines `engine NAME`,
//! `trials KIND COUNT` and, if the trials need it, `plan PLAN`, and then its edits: `file PATH`, `<<<<`,
//! what is there, `====`, what is there instead, `>>>>`. White space does not matter when an edit looks
//! for its place, so that formatting does not make it stale.

use std::fs;
use std::path::{Path, PathBuf};

/// A planted bug.
#[derive(Debug, Clone)]
pub struct Mutant {
    /// The name of its file, without the ending.
    pub name: String,
    /// What is wrong.
    pub what: String,
    /// The engine that is tried.
    pub engine: String,
    /// The kind of trial that has to notice, and how many are made.
    pub trials: (String, usize),
    /// The plan of every fault trial; empty if chance decides.
    pub plan: String,
    edits: Vec<Edit>,
}

#[derive(Debug, Clone, Default)]
struct Edit {
    file: PathBuf,
    find: String,
    replace: String,
}

/// Every mutant, by name.
pub fn all() -> Vec<Mutant> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mutants");
    let files = fs::read_dir(folder).expect("the mutants are there");
    let mut paths: Vec<_> = files
        .map(|file| file.expect("it can be listed").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| parse(path)).collect()
}

fn parse(path: &Path) -> Mutant {
    let text = fs::read_to_string(path).expect("a mutant can be read");
    let name = path.file_stem().expect("a mutant has a name");
    let name = name.to_string_lossy().into_owned();
    let mut lines = text.lines();
    let mut mutant = Mutant {
        name,
        what: lines.next().unwrap_or_default().to_owned(),
        engine: String::new(),
        trials: (String::new(), 0),
        plan: String::new(),
        edits: Vec::new(),
    };
    let mut until = |end: &str| {
        let part: Vec<_> = lines.by_ref().take_while(|line| *line != end).collect();
        part.join("\n")
    };
    let head = until("<<<<");
    let mut file = PathBuf::new();
    for line in head.lines() {
        match line.split_once(' ') {
            Some(("engine", engine)) => mutant.engine = engine.to_owned(),
            Some(("plan", plan)) => mutant.plan = plan.to_owned(),
            Some(("trials", trials)) => {
                let (kind, count) = trials.split_once(' ').expect("trials have a number");
                let count = count.parse().expect("it is a number");
                mutant.trials = (kind.to_owned(), count);
            }
            Some(("file", path)) => file = path.into(),
            _ => panic!("{}: `{line}` says nothing", path.display()),
        }
    }
    loop {
        let find = until("====");
        let replace = until(">>>>");
        mutant.edits.push(Edit {
            file,
            find,
            replace,
        });
        let next = until("<<<<");
        let Some(path) = next.strip_prefix("file ") else {
            return mutant;
        };
        file = path.into();
    }
}

impl Mutant {
    /// Plants the bug in a copy of the tree; says why not if a place is not found exactly once.
    pub fn plant(&self, tree: &Path) -> Result<(), String> {
        for edit in &self.edits {
            let path = tree.join(&edit.file);
            let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
            let edited = edit.apply(&text);
            let edited = edited.map_err(|error| format!("{}: {error}", edit.file.display()))?;
            fs::write(path, edited).map_err(|error| error.to_string())?;
        }
        Ok(())
    }

    /// Whether each edit finds its place in a tree; says why not.
    pub fn check(&self, tree: &Path) -> Result<(), String> {
        for edit in &self.edits {
            let text = fs::read_to_string(tree.join(&edit.file));
            let edited = edit.apply(&text.map_err(|error| error.to_string())?);
            edited.map_err(|error| format!("{}: {error}", edit.file.display()))?;
        }
        Ok(())
    }
}

impl Edit {
    fn apply(&self, text: &str) -> Result<String, String> {
        let dense = |text: &str| -> String { text.split_whitespace().collect() };
        let places: Vec<usize> = text
            .char_indices()
            .filter(|(_, character)| !character.is_whitespace())
            .map(|(at, _)| at)
            .collect();
        let (all, wanted) = (dense(text), dense(&self.find));
        let found: Vec<_> = all.match_indices(&wanted).map(|(at, _)| at).collect();
        let [at] = found[..] else {
            return Err(format!("its place is there {} times", found.len()));
        };
        if wanted.is_empty() || wanted == dense(&self.replace) {
            return Err("it changes nothing".to_owned());
        }
        // Places are counted in characters, matches in bytes.
        let first = all[..at].chars().count();
        let last = first + wanted.chars().count() - 1;
        let end = places[last]
            + text[places[last]..]
                .chars()
                .next()
                .map_or(0, char::len_utf8);
        let (before, after) = (&text[..places[first]], &text[end..]);
        Ok(format!("{before}{}{after}", self.replace))
    }
}
