use crate::error::{Failure, Outcome};
use crate::privacy::shown_path;
use crate::session::Session;
use crate::simulate::noise::Noise;
use crate::simulate::{Plan, Trouble, write_with};
use ledger::time::Date;
use std::fs::File;
use std::io::{BufWriter, Write, sink};
use std::path::PathBuf;

/// Write an invented history as event lines.
///
/// The same numbers give the same lines on every machine. Names, keys and addresses in it are
/// invented and stand in clear, as a source would give them; `actl import -` takes them in. Without
/// --wrong-tenant-rate or --noise the only mistakes are those of stories that tell how one was
/// compensated.
///
/// Noise profiles:
///   none     every record arrives; a tenth is late and says so
///   default  1 % of the landings go wrong; 20 % of the sign-in records and 10 % of the forwards are
///            missing; 40 % of the records come again, some from another system; 5 % arrive out of
///            order; some machines and logs have wrong clocks; portals lag by up to 47 hours
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub struct Simulate {
    /// Another seed gives another history.
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// How many customers there are.
    #[arg(long, value_name = "N", default_value_t = 10)]
    customers: u32,

    /// How many months the history goes on.
    #[arg(long, value_name = "M", default_value_t = 24)]
    months: u32,

    /// Its first day. [default: 2014-01-01]
    #[arg(long, value_name = "DAY")]
    start: Option<String>,

    /// Share of the landings that bring a mistake, as 0.01 or 1%; each comes with two innocent
    /// scenes that look like it. [default: that of the noise profile]
    #[arg(long, value_name = "R", value_parser = millionths)]
    wrong_tenant_rate: Option<u32>,

    /// What the sources do to the record.
    #[arg(long, value_name = "PROFILE", default_value = "none", value_parser = profile)]
    noise: Noise,

    /// Write the labels of mistakes and look-alikes here, one JSON line each: what it is about,
    /// which kind, and which evidence survived the noise.
    #[arg(long, value_name = "FILE")]
    labels: Option<PathBuf>,
}

impl Simulate {
    /// Writes it, in memory that does not depend on its length in lines.
    pub fn run(self, session: &mut Session) -> Result<Outcome, Failure> {
        let start = match self.start.as_deref() {
            None => Plan::default_start(),
            Some(text) => Date::parse(text.trim()).ok_or_else(|| {
                let hint = "write a day as 2014-01-01";
                Failure::new("cannot read --start", "it is no day", hint)
            })?,
        };
        let plan = Plan {
            seed: self.seed,
            customers: self.customers,
            months: self.months,
            start,
        };
        let mut trouble = Trouble::of(self.noise);
        trouble.wrong_ppm = self.wrong_tenant_rate.unwrap_or(trouble.wrong_ppm);
        let mut labels: Box<dyn Write> = match &self.labels {
            None => Box::new(sink()),
            Some(path) => Box::new(BufWriter::new(
                File::create(path).map_err(|error| unwritable(path, &error))?,
            )),
        };
        let written = write_with(plan, trouble, &mut session.out.writer(), &mut labels);
        session.out.check(written.map(|_| ()))?;
        if let Some(path) = &self.labels {
            labels.flush().map_err(|error| unwritable(path, &error))?;
        }
        Ok(Outcome::Clean)
    }
}

fn unwritable(path: &std::path::Path, error: &std::io::Error) -> Failure {
    Failure::new(
        format!("cannot write the labels to {}", shown_path(path)),
        error.to_string(),
        "name a file in a folder that can be written to",
    )
}

fn profile(text: &str) -> Result<Noise, String> {
    Noise::named(text).ok_or_else(|| {
        let names = Noise::PROFILES.iter().map(|profile| profile.name);
        let names = names.collect::<Vec<_>>().join(", ");
        format!("there is no such profile; there are {names}")
    })
}

/// A share as 0.01 or 1%, in millionths.
fn millionths(text: &str) -> Result<u32, String> {
    let wrong = || "write a share from 0 to 1, as 0.01 or 1%".to_owned();
    let (number, scale) = match text.trim().strip_suffix('%') {
        Some(percent) => (percent.trim_end(), 10_000_u32),
        None => (text.trim(), 1_000_000),
    };
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let is_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    if number.is_empty() || !is_digits(whole) || !is_digits(fraction) || fraction.len() > 6 {
        return Err(wrong());
    }
    let part = |text: &str| match text {
        "" => Ok(0),
        digits => digits.parse::<u64>().map_err(|_| wrong()),
    };
    let shift = 10_u64.pow(u32::try_from(fraction.len()).unwrap_or(0));
    let scaled = part(whole)? * u64::from(scale) + part(fraction)? * u64::from(scale) / shift;
    u32::try_from(scaled)
        .ok()
        .filter(|ppm| *ppm <= 1_000_000)
        .ok_or_else(wrong)
}
