//! Before a redemption: which tenant is expected, whether the session is clean, what would be found.

use crate::desk::Desk;

/// The events of a story up to the first line of a kind.
fn until(name: &str, kind: &str) -> String {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus");
    let text = std::fs::read_to_string(folder.join(name).join("events.jsonl")).expect("a story");
    let kind = format!("\"{kind}\"");
    let lines = text.lines().take_while(|line| !line.contains(&kind));
    lines.fold(String::new(), |all, line| all + line + "\n")
}

fn desk(name: &str, kind: &str) -> Desk {
    let desk = Desk::new();
    desk.file("events.jsonl", until(name, kind));
    desk.run(&["import", "events.jsonl"]).ok();
    desk
}
