//! The audit's report as one HTML file: no script, nothing loaded, readable without colour.

mod picture;

use super::audit::{Origins, counts, expected, when};
use ledger::time::Occurred;
use picture::picture;
use replay::audit::finding::{About, Exhibit, Finding, FindingState};
use replay::audit::report::Report;
use replay::audit::rules::Rule;
use std::fmt::Write;

const STYLE: &str = "
:root{color-scheme:light}
body{font:16px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:80rem;padding:0 1rem;color:#1c1c1c;background:#fff}
h1{font-size:1.5rem;margin:0}h2{font-size:1.15rem;margin:2.5rem 0 .3rem}
.sub{color:#555;margin:.2rem 0 1.5rem}
table{border-collapse:collapse;width:100%;margin:.6rem 0;font-size:.9rem}
th,td{text-align:left;vertical-align:top;padding:.3rem .6rem;border-bottom:1px solid #ddd}
th{font-weight:600;background:#f5f5f5}
td:first-child,.when{white-space:nowrap}
code{font-family:ui-monospace,monospace;font-size:.88em}
.case{border-top:3px solid #1c1c1c;padding-top:.2rem;break-inside:avoid}
.badge{display:inline-block;border:1px solid #555;border-radius:.3rem;padding:0 .45rem;margin-right:.3rem;font-size:.82rem}
.critical{border:2px solid #a40000;color:#a40000;font-weight:700}
.scroll{overflow-x:auto;margin:.6rem 0}
.next{border-left:4px solid #1c1c1c;padding-left:.8rem}
svg text{font:13px system-ui,sans-serif;fill:#1c1c1c}
svg .lane{font-weight:600}
svg .small{font-size:11px;fill:#555}
svg .wrong{fill:#a40000;font-weight:700}
";

/// The report as a whole document.
pub fn document(report: &Report, origins: &Origins) -> String {
    let mut out = String::from(
        "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">\n<meta name=\"viewport\" content=\"width=device-width\">\n<title>Activation ledger: audit</title>\n",
    );
    let _ = write!(out, "<style>{STYLE}</style>\n</head>\n<body>\n");
    let _ = writeln!(out, "<h1>Audit of the activation ledger</h1>");
    let _ = writeln!(
        out,
        "<p class=\"sub\">{} · valid at {}</p>",
        counts(report),
        escaped(&when(Occurred::at(report.valid_at))),
    );
    contents(&mut out, report);
    for finding in &report.findings {
        case(&mut out, finding, origins);
    }
    rest(&mut out, report);
    out.push_str("</body>\n</html>");
    out
}

fn contents(out: &mut String, report: &Report) {
    if report.findings.is_empty() {
        out.push_str("<p>Nothing was found.</p>\n");
        return;
    }
    out.push_str("<table>\n<tr><th>Finding</th><th>Severity</th><th>Confidence</th><th>State</th><th>When</th><th>What</th></tr>\n");
    for finding in &report.findings {
        let _ = writeln!(
            out,
            "<tr><td><a href=\"#{0}\"><code>{0}</code></a></td><td>{1}</td><td>{2}</td><td>{3}</td><td class=\"when\">{4}</td><td>{5}</td></tr>",
            escaped(finding.id.as_str()),
            finding.severity.as_str(),
            finding.confidence.word(),
            state(finding.state),
            escaped(&when(finding.at)),
            escaped(&finding.summary),
        );
    }
    out.push_str("</table>\n");
}

fn state(state: FindingState) -> &'static str {
    match state {
        FindingState::Open => "open",
        FindingState::Reopened => "open again",
        FindingState::Confirmed => "confirmed",
        FindingState::Dismissed => "dismissed",
        FindingState::Compensated => "compensated",
    }
}

fn case(out: &mut String, finding: &Finding, origins: &Origins) {
    let rules = finding.codes.iter().map(|code| match Rule::of_code(code) {
        Some(rule) => format!("{code} {}", rule.name),
        None => (*code).to_owned(),
    });
    let rules = rules.collect::<Vec<_>>().join(" · ");
    let id = escaped(finding.id.as_str());
    let _ = writeln!(out, "<section class=\"case\" id=\"{id}\">");
    let _ = writeln!(out, "<h2><code>{id}</code> {}</h2>", escaped(&rules));
    let severity = finding.severity.as_str();
    let _ = writeln!(
        out,
        "<p><span class=\"badge {severity}\">{severity}</span><span class=\"badge\">{}</span><span class=\"badge\">{}</span></p>",
        finding.confidence.word(),
        state(finding.state),
    );
    let _ = writeln!(out, "<p>{}</p>", escaped(&finding.summary));
    let _ = writeln!(out, "<div class=\"scroll\">{}</div>", picture(finding));
    match &finding.about {
        About::Landing(landed) => {
            let expected = escaped(&expected(&landed.expected));
            let _ = writeln!(out, "<p>Expected: {expected}.</p>");
        }
        About::Subject(subject) => {
            let _ = writeln!(
                out,
                "<p>About: <code>{}</code></p>",
                escaped(&subject.to_string())
            );
        }
    }
    if !finding.effects.is_empty() {
        let effects = finding.effects.iter().map(|effect| escaped(effect));
        let _ = writeln!(
            out,
            "<p>Effect: {}.</p>",
            effects.collect::<Vec<_>>().join("; ")
        );
    }
    exhibits(out, "Evidence", &finding.evidence, origins);
    exhibits(out, "Against it", &finding.counter_evidence, origins);
    let next = escaped(&finding.next_step);
    let _ = writeln!(out, "<p class=\"next\">Next: {next}</p>\n</section>");
}

fn exhibits(out: &mut String, title: &str, exhibits: &[Exhibit], origins: &Origins) {
    if exhibits.is_empty() {
        return;
    }
    let _ = writeln!(
        out,
        "<table>\n<tr><th>{title}</th><th>What it shows</th><th>Where</th></tr>"
    );
    for exhibit in exhibits {
        let place = origins.get(&exhibit.event).cloned();
        let place = place.unwrap_or_else(|| format!("event {}", exhibit.event));
        let _ = writeln!(
            out,
            "<tr><td>{}</td><td>{}</td><td><code>{}</code></td></tr>",
            escaped(&when(exhibit.at)),
            escaped(&exhibit.why),
            escaped(&place),
        );
    }
    out.push_str("</table>\n");
}

/// What was not judged, what is unexplained, and how much is clean.
fn rest(out: &mut String, report: &Report) {
    if !report.not_judged.is_empty() {
        out.push_str("<h2>Not judged: nothing says which tenant was meant</h2>\n<table>\n<tr><th>What landed</th><th>In</th><th>What would settle it</th></tr>\n");
        for one in &report.not_judged {
            let _ = writeln!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td><td>{}</td></tr>",
                escaped(&one.landing),
                escaped(&one.tenant),
                escaped(&one.needs),
            );
        }
        out.push_str("</table>\n");
    }
    if !report.without.unexplained.is_empty() {
        out.push_str("<h2>Elsewhere than expected, though no rule accuses it</h2>\n<table>\n");
        for one in &report.without.unexplained {
            let _ = writeln!(
                out,
                "<tr><td><code>{}</code></td><td>{}</td></tr>",
                escaped(&one.subject),
                escaped(&one.line),
            );
        }
        out.push_str("</table>\n");
    }
    let _ = writeln!(
        out,
        "<p class=\"sub\">{} agreements and trials without a finding.</p>",
        report.without.clean.len()
    );
}

/// A text that means itself in HTML, in attributes too.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}
