//! How good the audit is, on simulated histories whose mistakes are known.
//!
//! `accuracy [--seeds FROM..TO] [--customers N] [--months M] [--rate PPM] [--noise none|default]`
//! prints one table per noise, and a line with its cause for every miss and every false alarm. It
//! ends with 1 if anything is below the bars: with noise off recall and precision 1 for every rule,
//! with the default noise 0.97 over all and 0.9 for every rule.

use std::env;
use std::process::ExitCode;
use std::time::Instant;
use tests::accuracy::{Settings, measure};
use tools::simulate::noise::Noise;

const USAGE: &str = "usage: accuracy [--seeds FROM..TO] [--customers N] [--months M] [--rate PPM] [--noise none|default]";

fn main() -> ExitCode {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let Some((settings, noises)) = read(&arguments) else {
        eprintln!("{USAGE}");
        return ExitCode::from(2);
    };
    let mut holds = true;
    let start = Instant::now();
    let tallies = measure(&settings, &noises);
    for (noise, tally) in noises.into_iter().zip(tallies) {
        let (over_all, each) = match noise == Noise::NONE {
            true => (1.0, 1.0),
            false => (0.97, 0.90),
        };
        let seconds = start.elapsed().as_secs();
        println!(
            "noise {}: {} seeds of {} customers and {} months, {} landings in a million bring a mistake ({seconds} s)",
            noise.name,
            settings.seeds.len(),
            settings.customers,
            settings.months,
            settings.wrong_ppm
        );
        println!("{}", tally.table());
        for note in &tally.notes {
            println!("{note}");
        }
        for below in tally.below(over_all, each) {
            println!("below   {below}");
            holds = false;
        }
        println!();
    }
    ExitCode::from(u8::from(!holds))
}

fn read(arguments: &[String]) -> Option<(Settings, Vec<Noise>)> {
    let mut settings = Settings {
        seeds: (101..=105).collect(),
        customers: 200,
        months: 18,
        wrong_ppm: 150_000,
    };
    let mut noises = Noise::PROFILES.to_vec();
    for pair in arguments.chunks(2) {
        let [name, value] = pair else { return None };
        match name.as_str() {
            "--seeds" => {
                let (from, to) = value.split_once("..")?;
                let (from, to): (u64, u64) = (from.parse().ok()?, to.parse().ok()?);
                settings.seeds = (from..=to).collect();
            }
            "--customers" => settings.customers = value.parse().ok()?,
            "--months" => settings.months = value.parse().ok()?,
            "--rate" => settings.wrong_ppm = value.parse().ok()?,
            "--noise" => noises = vec![Noise::named(value)?],
            _ => return None,
        }
    }
    Some((settings, noises))
}
