//! Mistakes: one file for each kind of the W list (DOMAIN section 9), with the scenes in which it
//! happens, the innocent scenes that look like it, and how to tell from the written lines whether the
//! evidence survived. One line in the registry for each.
//!
//! Nothing here knows the rules of the audit.

pub mod lines;
pub mod set;
pub mod stage;

use super::cast::Channel;
use super::label::{Label, Need, Role, Subject};
use super::outbox::{Lost, Outbox, Staged};
use super::random::Random;
use super::scene::Neighbours;
use ledger::time::Timestamp;
use lines::Lines;
use stage::Stage;

/// A kind of mistake.
pub struct Mistake {
    /// Its number in the W list.
    pub number: u8,
    /// What happens, in a few words.
    pub name: &'static str,
    /// The scenes in which it happens.
    pub wrong: &'static [Act],
    /// Innocent scenes that look like it: the column of false positives, or the nearest innocent one
    /// where that column is empty.
    pub alike: &'static [Act],
}

/// A scene.
pub struct Act {
    /// Which one it is.
    pub name: &'static str,
    /// Kinds that may be named for the same landing besides, because they hold for it too.
    pub also: &'static [u8],
    /// Plays it.
    pub play: fn(&mut Stage<'_>) -> Option<Told>,
    /// What shows the mistake, or clears the look-alike, in the written lines.
    pub needs: fn(&Lines, &Subject) -> Vec<Need>,
}

/// What a scene told.
pub struct Told {
    /// What it is about.
    pub subject: Subject,
    /// Landings that have a part in it, and the kinds that may be named for them.
    pub beside: Vec<(Subject, &'static [u8])>,
}

impl Told {
    /// A scene with one landing that matters.
    pub fn only(subject: Subject) -> Self {
        Self {
            subject,
            beside: Vec::new(),
        }
    }
}

macro_rules! mistakes {
    ($($module:ident),+ $(,)?) => {
        $(mod $module;)+

        /// Every kind of mistake, in the order of the W list.
        pub const MISTAKES: &[Mistake] = &[$($module::MISTAKE),+];
    };
}

mistakes!(
    w01, w02, w03, w04, w05, w06, w07, w08, w09, w10, w11, w12, w13, w14, w15, w16, w17, w18, w19,
    w20, w21, w22, w23, w24, w25, w26, w27,
);

/// How many innocent scenes come with each mistake.
pub const ALIKE_PER_MISTAKE: usize = 2;

/// Decides which landings bring a mistake, and plays it with its look-alikes. The kinds take turns, so
/// that each comes about as often as any other.
pub struct Director {
    seed: u64,
    wrong_ppm: u32,
    random: Random,
    turn: usize,
    next_customer: u32,
    labels: Vec<Label>,
    lost: Vec<Lost>,
}

/// A scene that was played and is not let out yet.
struct Played {
    staged: Staged,
    lost: Vec<Lost>,
    labels: Vec<Label>,
}

impl Director {
    /// So many landings in a million bring a mistake; its customers are numbered from a number on.
    pub fn new(seed: u64, wrong_ppm: u32, next_customer: u32) -> Self {
        let mut random = Random::new(seed, u64::MAX - 3);
        let turn = random.below(u32::try_from(MISTAKES.len()).unwrap_or(1)) as usize;
        Self {
            seed,
            wrong_ppm,
            random,
            turn,
            next_customer,
            labels: Vec::new(),
            lost: Vec::new(),
        }
    }

    /// The labels since the last call.
    pub fn take_labels(&mut self) -> Vec<Label> {
        std::mem::take(&mut self.labels)
    }

    /// The records that were lost since the last call.
    pub fn take_lost(&mut self) -> Vec<Lost> {
        std::mem::take(&mut self.lost)
    }

    /// After a step: what went missing is remembered, and every landing in it may bring a mistake.
    pub fn after_step(
        &mut self,
        at: Timestamp,
        channel: &Channel,
        neighbours: &Neighbours,
        out: &mut Outbox,
    ) {
        self.lost.extend(out.take_lost());
        self.labels.extend(out.take_labels());
        for _ in 0..out.take_landings() {
            if self.random.below(1_000_000) < self.wrong_ppm {
                self.brings_a_mistake(at, channel, neighbours, out);
            }
        }
    }

    /// Plays the next kind with its look-alikes; all of them or, near the end of the run, none.
    fn brings_a_mistake(
        &mut self,
        at: Timestamp,
        channel: &Channel,
        neighbours: &Neighbours,
        out: &mut Outbox,
    ) {
        let mistake = &MISTAKES[self.turn % MISTAKES.len()];
        let round = self.turn / MISTAKES.len();
        let mut acts = vec![(Role::Mistake, &mistake.wrong[round % mistake.wrong.len()])];
        for nth in 0..ALIKE_PER_MISTAKE {
            let which = (round * ALIKE_PER_MISTAKE + nth) % mistake.alike.len();
            acts.push((Role::LookAlike, &mistake.alike[which]));
        }
        let mut all = Vec::with_capacity(acts.len());
        for (role, act) in acts {
            let mut stage = Stage::new(
                self.seed,
                &mut self.next_customer,
                channel,
                neighbours,
                out,
                at,
            );
            match play(&mut stage, mistake, role, act, at) {
                Some(played) => all.push(played),
                None => return,
            }
        }
        self.turn += 1;
        for played in all {
            out.release(played.staged);
            self.lost.extend(played.lost);
            self.labels.extend(played.labels);
        }
    }
}

fn play(
    stage: &mut Stage<'_>,
    mistake: &Mistake,
    role: Role,
    act: &'static Act,
    at: Timestamp,
) -> Option<Played> {
    stage.begins();
    let told = (act.play)(stage);
    let (staged, lost) = stage.ends();
    let (told, staged) = told.zip(staged)?;
    // The noise may have said a line twice, which matters no more than the order.
    let lines = Lines::read(staged.iter().map(|(_, _, text)| text.as_str()));
    let label = |role, also, subject: Subject, needs| Label {
        role,
        kind: mistake.number,
        also,
        scene: act.name,
        at,
        subject,
        needs,
    };
    let needs = (act.needs)(&lines, &told.subject);
    let mut labels = vec![label(role, act.also, told.subject, needs)];
    for (subject, also) in told.beside {
        labels.push(label(Role::Beside, also, subject, Vec::new()));
    }
    Some(Played {
        staged,
        lost,
        labels,
    })
}
