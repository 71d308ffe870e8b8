//! Runs `actl` as a process of its own in an empty folder.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use tempfile::TempDir;

/// The program under test.
pub const ACTL: &str = env!("CARGO_BIN_EXE_actl-under-test");

/// What a run of the program left behind.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Ran {
    /// Checks that an error says what, why and what to do, in plain words, with this exit code.
    #[track_caller]
    pub fn failed(&self, code: i32, parts: &[&str]) {
        assert_eq!(self.code, code, "{self:#?}");
        for part in ["error: ", "\n  why: ", "\n  hint: "].iter().chain(parts) {
            assert!(self.err.contains(part), "{part:?} is missing in {self:#?}");
        }
        assert!(
            !self.err.contains("panicked") && !self.err.contains("mistake"),
            "{self:#?}"
        );
    }

    /// Checks that the arguments were refused, in the words of the argument parser.
    #[track_caller]
    pub fn failed_at_the_arguments(&self) {
        assert_eq!(self.code, 2, "{self:#?}");
        assert!(self.err.contains("Usage:"), "{self:#?}");
    }

    /// The answer of a run that succeeded.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{self:#?}");
        self.out
    }

    /// The JSON answer of a run that succeeded.
    #[track_caller]
    pub fn json(self) -> serde_json::Value {
        serde_json::from_str(&self.ok()).expect("the answer is JSON")
    }
}

/// An empty folder to work in.
pub struct Desk {
    folder: TempDir,
}

impl Desk {
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder");
        Self { folder }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file and returns its name.
    pub fn file<'n>(&self, name: &'n str, content: impl AsRef<[u8]>) -> &'n str {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
        name
    }

    /// Runs a command without input.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.run_with(arguments, b"")
    }

    /// Runs a command with this on its standard input.
    pub fn run_with(&self, arguments: &[&str], stdin: &[u8]) -> Ran {
        let mut child = self.command(arguments).spawn().expect("the program starts");
        let mut pipe = child.stdin.take().expect("standard input");
        // A command that fails early does not read its input.
        let _ = pipe.write_all(stdin);
        drop(pipe);
        let output = child.wait_with_output().expect("the program ends");
        Ran {
            code: output.status.code().expect("the program was not killed"),
            out: String::from_utf8(output.stdout).expect("text"),
            err: String::from_utf8(output.stderr).expect("text"),
        }
    }

    /// A command in this folder, with nothing of the environment that could change it.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(ACTL);
        command.args(arguments).current_dir(self.folder.path());
        for name in [
            "ACTL_STORE",
            "ACTL_VAULT",
            "ACTL_MASTER_KEY",
            "ACTL_MASTER_KEY_FILE",
        ] {
            command.env_remove(name);
        }
        // Whatever a library would log is asked for.
        command.env("RUST_LOG", "trace");
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// Every file in the folder with its bytes.
    pub fn files(&self) -> Vec<(PathBuf, Vec<u8>)> {
        fn collect(folder: &Path, files: &mut Vec<(PathBuf, Vec<u8>)>) {
            for entry in std::fs::read_dir(folder).expect("a folder") {
                let path = entry.expect("an entry").path();
                if path.is_dir() {
                    collect(&path, files);
                } else {
                    let bytes = std::fs::read(&path).expect("a file");
                    files.push((path, bytes));
                }
            }
        }
        let mut files = Vec::new();
        collect(self.folder.path(), &mut files);
        files.sort();
        files
    }

    /// The names in the folder.
    pub fn names(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.folder.path()).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| {
                entry
                    .expect("an entry")
                    .file_name()
                    .to_string_lossy()
                    .into_owned()
            })
            .collect();
        names.sort();
        names
    }
}

/// An event line: tenant number `n` comes to be.
pub fn tenant(n: usize) -> String {
    format!(
        "{{\"kind\":\"TenantCreated\",\"occurred_at\":\"2024-03-11\",\"source\":{{\"system\":\"graph\",\"record\":\"r{n}\"}},\"data\":{{\"tenant\":\"t{n}.onmicrosoft.example\",\"created_via\":\"SignUpChoice\"}}}}\n"
    )
}

/// Some event lines.
pub fn tenants(numbers: std::ops::Range<usize>) -> String {
    numbers.map(tenant).collect()
}
