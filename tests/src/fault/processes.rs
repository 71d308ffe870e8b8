//! Runs victims and checkers, each in a process of its own and for a limited time.

use super::check::{Question, Verdict};
use super::panics::{self, Panics};
use super::victim::Orders;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// A victim or checker that takes longer hangs.
const PROCESS_TIME_MAX: Duration = Duration::from_secs(120);

/// What a store says when its index is not what it was.
const REBUILT: &str = "the index is built again";

/// Why it says so of a store that was stopped before its index had a manifest.
const NO_MANIFEST: &str = "there is none";

/// Where this build puts its programs.
fn programs() -> PathBuf {
    let own = std::env::current_exe().expect("a process knows its program");
    let folder = own.parent().expect("a program is in a folder");
    match folder.file_name().is_some_and(|name| name == "deps") {
        true => folder.parent().expect("`deps` is in a folder").to_owned(),
        false => folder.to_owned(),
    }
}

/// The library that is preloaded into victims. `cargo test` builds it with the other examples; where
/// only some targets were asked for, it is built here.
fn library() -> &'static Path {
    static LIBRARY: OnceLock<PathBuf> = OnceLock::new();
    LIBRARY.get_or_init(|| {
        let programs = programs();
        let built = programs.join("examples/libinterpose.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/interpose");
        let is_older = |than: &Path| {
            let time = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
            time(&built) < time(than)
        };
        let sources = fs::read_dir(source).expect("the library's source is there");
        if sources
            .into_iter()
            .any(|file| is_older(&file.expect("it can be listed").path()))
        {
            let mut cargo =
                Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
            cargo.args(["build", "--quiet", "-p", "tests", "--example", "interpose"]);
            cargo.current_dir(env!("CARGO_MANIFEST_DIR"));
            cargo
                .arg("--target-dir")
                .arg(programs.parent().unwrap_or(&programs));
            if programs.ends_with("release") {
                cargo.arg("--release");
            }
            assert!(
                cargo.status().is_ok_and(|status| status.success()),
                "the library is built"
            );
        }
        built
    })
}

/// The folder of one trial: the store and everything beside it. It goes away with it.
pub struct Scene(tempfile::TempDir);

impl Scene {
    /// A new folder.
    pub fn new() -> Self {
        let scene = tempfile::tempdir().expect("a temporary directory can be made");
        fs::create_dir(scene.path().join("watched")).expect("a directory can be made");
        Self(scene)
    }

    fn path(&self, name: &str) -> PathBuf {
        // Paths of open files, which the library sees, have no links in them.
        let path = self.0.path().canonicalize();
        path.expect("the folder is there").join(name)
    }

    /// The directory in which the store is, and nothing else.
    pub fn watched(&self) -> PathBuf {
        self.path("watched")
    }

    /// The store.
    pub fn store(&self) -> PathBuf {
        self.watched().join("store")
    }

    /// What was acknowledged.
    pub fn witness(&self) -> PathBuf {
        self.path("witness")
    }

    /// What the victims did.
    pub fn trace(&self) -> PathBuf {
        self.path("trace")
    }

    /// A place for something else.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.path(name)
    }

    /// Every panic of a victim or checker so far.
    pub fn panics(&self) -> Panics {
        panics::read(&self.path("panics"))
    }

    /// Keeps the folder, and says where it is.
    pub fn keep(self) -> PathBuf {
        self.0.keep()
    }

    /// Starts a victim for which a plan holds.
    pub fn victim(&self, orders: &Orders, plan: &str, traced: bool) -> Victim {
        let mut command = Command::new(programs().join("store_writer"));
        command
            .args(orders.arguments())
            .env("FAULT_PANICS", self.path("panics"))
            .env("LD_PRELOAD", library())
            .env("FAULT_ROOT", self.watched())
            .env("FAULT_PLAN", plan)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(self.output("victim"));
        if traced {
            command.env("FAULT_TRACE", self.trace());
        }
        Victim(command.spawn().expect("the victim can be started"))
    }

    fn output(&self, name: &str) -> Stdio {
        let file = File::options()
            .append(true)
            .create(true)
            .open(self.path(name));
        file.expect("a file can be made").into()
    }

    /// Has a question answered; `Err` says why there is no answer.
    pub fn check(&self, question: &Question) -> Result<Verdict, String> {
        let question = serde_json::to_string(question).expect("a question can be written");
        let said = self.path("said");
        let answer = self.path("answer");
        let file = |path: &Path| File::create(path).expect("a file can be made");
        let child = Command::new(programs().join("store_checker"))
            .arg(question)
            .env("FAULT_PANICS", self.path("panics"))
            .env_remove("RUST_LOG")
            .stdin(Stdio::null())
            .stdout(file(&answer))
            .stderr(file(&said))
            .spawn();
        let mut child = child.expect("the checker can be started");
        let status = wait(&mut child);
        let said = fs::read_to_string(said).unwrap_or_default();
        let status = status.ok_or("the checker hangs")?;
        let answer = fs::read_to_string(answer).unwrap_or_default();
        let verdict: Result<Verdict, _> = serde_json::from_str(&answer);
        let mut verdict =
            verdict.map_err(|_| format!("the checker ended with {status}: {said}"))?;
        let mut rebuilt = said
            .lines()
            .filter(|line| line.contains(REBUILT))
            .peekable();
        verdict.rebuilt = rebuilt.peek().is_some();
        verdict.lacking = rebuilt.any(|line| !line.contains(NO_MANIFEST));
        Ok(verdict)
    }
}

impl Default for Scene {
    fn default() -> Self {
        Self::new()
    }
}

/// A victim at work.
pub struct Victim(Child);

impl Victim {
    /// Waits for its end; `None` if it hangs, and then it is killed.
    pub fn wait(mut self) -> Option<ExitStatus> {
        wait(&mut self.0)
    }

    /// Kills it after a time, if it has not ended by then.
    pub fn kill_after(mut self, time: Duration) {
        let start = Instant::now();
        while start.elapsed() < time {
            if let Ok(Some(_)) = self.0.try_wait() {
                return;
            }
            std::thread::sleep(Duration::from_micros(200));
        }
        self.0.kill().expect("a child can be killed");
        self.0.wait().expect("a child can be waited for");
    }
}

fn wait(child: &mut Child) -> Option<ExitStatus> {
    let start = Instant::now();
    loop {
        if let Some(status) = child.try_wait().expect("a child can be waited for") {
            return Some(status);
        }
        if start.elapsed() > PROCESS_TIME_MAX {
            child.kill().expect("a child can be killed");
            child.wait().expect("a child can be waited for");
            return None;
        }
        std::thread::sleep(Duration::from_millis(1));
    }
}
