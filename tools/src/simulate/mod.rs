//! Simulated histories: realistic event lines in any number, for benches and for trying things.
//!
//! Every customer has a story of its own ([`storyline`]), told in steps that wait on one agenda;
//! what a step says waits in the [`outbox`] until it arrives. Memory is bounded by the customers
//! with their seats and by what is under way, never by the length of the output. The same plan gives
//! the same bytes on every machine: there is no clock, no hash map and no floating point in here.
//!
//! Nothing here knows the rules of the audit or the folds of the projections; all that is shared
//! with them is the names of the kinds and their fields.

#![expect(
    clippy::indexing_slicing,
    reason = "a story indexes the lists of its own customer with places that it gave out itself; nothing comes from outside"
)]

mod cast;
mod chapter;
pub mod label;
mod line;
pub mod mistake;
mod names;
pub mod noise;
pub mod outbox;
mod random;
mod scene;
mod storyline;

use cast::{Channel, Customer};
use label::Label;
use ledger::time::{Date, Timestamp};
use mistake::Director;
use noise::Noise;
use outbox::{Lost, Outbox};
use scene::{Agenda, Neighbours, Scene, Step};
use std::io;
use storyline::Storyline;

/// What to simulate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Another seed gives other stories.
    pub seed: u64,
    /// How many customers there are. They join over the first half of the run.
    pub customers: u32,
    /// For how many months the run goes on.
    pub months: u32,
    /// The first day. Around 2014 the portals changed, and with them the flows of a redemption.
    pub start: Date,
}

impl Plan {
    /// The first day where nobody asks for another: 2014-01-01, so that a run of two years sees the
    /// flows from before and after November 2014.
    pub fn default_start() -> Date {
        Date::new(2014, 1, 1).unwrap_or_else(|| Timestamp::from_micros(0).date())
    }

    /// When the run ends: nothing happens then or later, whatever a wrong clock says.
    pub fn horizon(&self) -> Timestamp {
        self.start
            .plus_months(self.months, self.start.day_of_month())
            .start()
    }

    /// When a customer joins: evenly over the first half of the run, in the order of the numbers.
    fn joins(&self, number: u32) -> Timestamp {
        let span = self.horizon().as_micros() - self.start.start().as_micros();
        let part = i128::from(span / 2) * i128::from(number) / i128::from(self.customers.max(1));
        let part = i64::try_from(part).unwrap_or(0);
        Timestamp::from_micros(self.start.start().as_micros() + part).plus_minutes(10)
    }
}

/// What stands against a plan: mistakes, and the noise of the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trouble {
    /// How many landings in a million bring a mistake. Two innocent scenes that look like it come
    /// with each.
    pub wrong_ppm: u32,
    /// What the sources do to the record.
    pub noise: Noise,
}

impl Trouble {
    /// No mistakes besides the compensated ones of ordinary stories, and no noise.
    pub const NONE: Self = Self::of(Noise::NONE);

    /// A noise with the mistakes that its profile has.
    pub const fn of(noise: Noise) -> Self {
        Self {
            wrong_ppm: noise.wrong_ppm,
            noise,
        }
    }
}

/// The event lines of a plan, in the order of their arrival, without line ends. Lazy: each call
/// plays just enough of the stories to know the next line.
pub fn generate(plan: Plan) -> impl Iterator<Item = String> {
    Simulation::new(plan, Trouble::NONE)
}

/// Writes the event lines of a plan, each with its line end, and returns how many they are.
pub fn write(plan: Plan, to: &mut impl io::Write) -> io::Result<u64> {
    write_with(plan, Trouble::NONE, to, &mut io::sink())
}

/// Writes the event lines of a plan with what stands against it, and its labels beside them: what
/// was played, as a line of JSON each, and what the noise lost of the mails.
pub fn write_with(
    plan: Plan,
    trouble: Trouble,
    to: &mut impl io::Write,
    labels: &mut impl io::Write,
) -> io::Result<u64> {
    let mut simulation = Simulation::new(plan, trouble);
    let mut count = 0;
    while let Some(mut line) = simulation.next() {
        line.push('\n');
        to.write_all(line.as_bytes())?;
        count += 1;
        for label in simulation.take_labels() {
            writeln!(labels, "{}", label.line())?;
        }
        for lost in simulation.take_lost() {
            writeln!(labels, "{}", label::lost_line(&lost))?;
        }
    }
    Ok(count)
}

/// A run under way: an iterator over its lines that gives the labels of what it has played besides.
pub struct Simulation {
    plan: Plan,
    channel: Channel,
    customers: Vec<Customer>,
    neighbours: Neighbours,
    agenda: Agenda,
    outbox: Outbox,
    director: Director,
}

impl Simulation {
    /// A run of a plan with what stands against it.
    pub fn new(plan: Plan, trouble: Trouble) -> Self {
        let mut simulation = Self {
            plan,
            channel: Channel::new(plan.seed, plan.customers),
            customers: Vec::new(),
            neighbours: Neighbours::default(),
            agenda: Agenda::default(),
            outbox: Outbox::new(plan.seed, plan.horizon(), trouble.noise),
            director: Director::new(plan.seed, trouble.wrong_ppm, plan.customers),
        };
        if plan.customers > 0 {
            simulation.agenda.put(plan.start.start(), 0, Step::Channel);
            simulation.agenda.put(plan.joins(0), 0, Step::Join);
        }
        simulation
    }

    fn play(&mut self, at: Timestamp, number: u32, step: Step) {
        if step == Step::Channel {
            chapter::channel::open(&self.channel, &mut self.outbox, at);
            return;
        }
        if step == Step::Join {
            self.admit(number);
        }
        let Some(who) = self.customers.get_mut(number as usize) else {
            return;
        };
        let mut scene = Scene {
            now: at,
            who,
            channel: &self.channel,
            neighbours: &mut self.neighbours,
            out: &mut self.outbox,
            agenda: &mut self.agenda,
        };
        chapter::play(&mut scene, step);
        self.director
            .after_step(at, &self.channel, &self.neighbours, &mut self.outbox);
    }

    /// The labels of the scenes that were played since the last call.
    pub fn take_labels(&mut self) -> Vec<Label> {
        self.director.take_labels()
    }

    /// The records that the noise lost since the last call: what looks like a false alarm may come
    /// from them.
    pub fn take_lost(&mut self) -> Vec<Lost> {
        self.director.take_lost()
    }

    /// Makes a customer, and has the next one wait for its turn.
    fn admit(&mut self, number: u32) {
        let story = Storyline::of(number);
        let resellers = self.channel.resellers.len();
        self.customers
            .push(Customer::new(self.plan.seed, number, story, resellers));
        let next = number + 1;
        if next < self.plan.customers {
            self.agenda.put(self.plan.joins(next), next, Step::Join);
        }
    }
}

impl Iterator for Simulation {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        let horizon = self.plan.horizon();
        loop {
            let due = self.agenda.next_at().filter(|at| *at < horizon);
            if let Some(line) = self.outbox.next_before(due) {
                return Some(line);
            }
            due?;
            let (at, number, step) = self.agenda.take()?;
            self.play(at, number, step);
        }
    }
}
