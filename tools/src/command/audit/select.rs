use crate::error::Failure;
use crate::point;
use replay::audit::Severity;
use replay::audit::finding::Confidence;
use replay::audit::select::Selection;

/// Which findings are shown; the exit code follows what is shown.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct SelectArgs {
    /// Only findings with one of these codes, or of codes that begin so: WTR, EML003.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    select: Vec<String>,

    /// No findings that have only these codes, or codes that begin so.
    #[arg(long, value_name = "CODE", value_delimiter = ',')]
    ignore: Vec<String>,

    /// Only findings at least so sure: certain, strong, weak, or a number from 0 to 1.
    #[arg(long, value_name = "CONFIDENCE")]
    min_confidence: Option<String>,

    /// Only findings at least so bad: critical, high or medium.
    #[arg(long, value_name = "SEVERITY")]
    min_severity: Option<String>,

    /// Only what went wrong at this time or later.
    #[arg(long, value_name = "TIME")]
    since: Option<String>,
}

impl SelectArgs {
    /// What they select, or what is wrong with them.
    pub fn selection(&self) -> Result<Selection, Failure> {
        for (option, codes) in [("--select", &self.select), ("--ignore", &self.ignore)] {
            if let Some(wrong) = codes
                .iter()
                .find(|code| !Selection::is_of_some_rule(code.trim()))
            {
                let why = match wrong.trim().is_empty() {
                    true => "it is empty",
                    false => "no rule has a code that begins so",
                };
                let hint = "`actl explain` lists the codes";
                return Err(Failure::new(format!("cannot read {option}"), why, hint));
            }
        }
        let codes = |list: &[String]| list.iter().map(|code| code.trim().to_owned()).collect();
        let min_confidence = self.min_confidence.as_deref().map(confidence).transpose()?;
        let min_severity = self.min_severity.as_deref().map(severity).transpose()?;
        let since = self.since.as_deref().map(point::valid_at).transpose();
        Ok(Selection {
            select: codes(&self.select),
            ignore: codes(&self.ignore),
            min_confidence,
            min_severity,
            since: since?,
        })
    }
}

fn confidence(text: &str) -> Result<Confidence, Failure> {
    Confidence::parse(text.trim()).ok_or_else(|| {
        let hint = "write certain, strong, weak, or a number from 0 to 1";
        Failure::new("cannot read --min-confidence", "it is no confidence", hint)
    })
}

fn severity(text: &str) -> Result<Severity, Failure> {
    let known = Severity::ALL.into_iter();
    let mut same = known.filter(|one| one.as_str() == text.trim());
    same.next().ok_or_else(|| {
        let hint = "write critical, high or medium";
        Failure::new("cannot read --min-severity", "it is no severity", hint)
    })
}
