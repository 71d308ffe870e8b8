//! Why a compensation cannot be planned, or a step not recorded.

use super::step::Action;
use ledger::event::field::FieldError;
use ledger::id::{EventId, FindingId, TenantId};

/// An event that stands in the way, and what it did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// Which event.
    pub event: EventId,
    /// What it did, in a few words.
    pub what: String,
}

/// Why something is refused. None of the texts holds a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// No such finding at this point in time.
    #[error("there is no finding {finding} at this point in time")]
    UnknownFinding {
        /// What was asked for.
        finding: String,
        /// Findings whose ids are near.
        near: Vec<FindingId>,
    },
    /// The finding is about something that reached no tenant, so that nothing can be moved.
    #[error("the finding is about no landing, and only what landed can be moved or reversed")]
    NoLanding {
        /// What the finding says to do instead.
        next_step: String,
    },
    /// Only how it was redeemed is wrong: there is nothing to move.
    #[error("it is in the right tenant, and only how it was done there is wrong")]
    RightTenant {
        /// What the finding says to do instead.
        next_step: String,
    },
    /// Somebody decided that nothing is wrong.
    #[error("the finding was dismissed")]
    Dismissed,
    /// The record does not say which one tenant is right.
    #[error("the record does not say which tenant is right: {why}")]
    RightTenantUnknown {
        /// What it says instead.
        why: String,
    },
    /// The vendor does not do this sort of thing.
    #[error("this cannot be planned: {why}")]
    NotPossible {
        /// Why.
        why: &'static str,
    },
    /// Something later depends on what landed.
    #[error("entangled: {}", list(.obstacles))]
    Entangled {
        /// The events that depend on it.
        obstacles: Vec<Obstacle>,
    },
    /// The vendor's corrections contradict each other or went elsewhere.
    #[error("already corrected in another way: {}", list(.obstacles))]
    CorrectedOtherwise {
        /// The events that say so.
        obstacles: Vec<Obstacle>,
    },
    /// The plan has no such step.
    #[error("the plan has steps 1 to {last}, and no step {step}")]
    NoSuchStep {
        /// What was asked for.
        step: usize,
        /// The last one.
        last: usize,
    },
    /// The step was recorded already, and what was given now says something else.
    #[error("step {step} was recorded already, as event {event}, and that says something else")]
    RecordedOtherwise {
        /// Which step.
        step: usize,
        /// The event that records it.
        event: EventId,
    },
    /// There is nothing to do for this step.
    #[error("step {step} needs nothing: nobody has to lose a licence")]
    NotNeeded {
        /// Which step.
        step: usize,
    },
    /// An earlier step is not done.
    #[error("step {step} waits for step {first}: {title}")]
    NotYet {
        /// Which step.
        step: usize,
        /// The one that comes before.
        first: usize,
        /// What that is.
        title: String,
    },
    /// A detail that the step needs was not given.
    #[error("step {step} needs {detail}")]
    Missing {
        /// Which step.
        step: usize,
        /// What is missing.
        detail: String,
    },
    /// A detail cannot be right.
    #[error("{why}")]
    Wrong {
        /// Why.
        why: String,
    },
    /// The event cannot be built from the details. The refused text is not in it.
    #[error("the event {} cannot be built: {} {}", .action.kind(), .error.path.join("."), .error.reason)]
    Field {
        /// What was to be recorded.
        action: Action,
        /// What is wrong with it.
        error: FieldError,
    },
}

impl Refusal {
    /// Whether the question was wrong, rather than the answer being no.
    pub fn is_misuse(&self) -> bool {
        match self {
            Self::UnknownFinding { .. }
            | Self::NoSuchStep { .. }
            | Self::Missing { .. }
            | Self::Wrong { .. }
            | Self::Field { .. } => true,
            Self::NoLanding { .. }
            | Self::RightTenant { .. }
            | Self::Dismissed
            | Self::RightTenantUnknown { .. }
            | Self::NotPossible { .. }
            | Self::Entangled { .. }
            | Self::CorrectedOtherwise { .. }
            | Self::RecordedOtherwise { .. }
            | Self::NotNeeded { .. }
            | Self::NotYet { .. } => false,
        }
    }

    /// What to do next.
    pub fn hint(&self) -> String {
        match self {
            Self::UnknownFinding { near, .. } if !near.is_empty() => {
                let near: Vec<String> = near.iter().map(ToString::to_string).collect();
                format!("did you mean {}?", near.join(" or "))
            }
            Self::UnknownFinding { .. } => {
                "`actl audit replay` lists the findings; look at the same --valid-at".to_owned()
            }
            Self::NoLanding { next_step } | Self::RightTenant { next_step } => next_step.clone(),
            Self::Dismissed => {
                "nothing has to be undone; confirm the finding if that was a mistake".to_owned()
            }
            Self::RightTenantUnknown { .. } => {
                "ask the contacts of the tenants, and record their answer as the order's tenant"
                    .to_owned()
            }
            Self::NotPossible { .. } => "take it to the vendor's support".to_owned(),
            Self::Entangled { .. } | Self::CorrectedOtherwise { .. } => {
                "look at these events with `actl show`; somebody has to decide with the vendor"
                    .to_owned()
            }
            Self::RecordedOtherwise { event, .. } => {
                format!(
                    "`actl show {event}` shows what was recorded; a correction is an event of its own"
                )
            }
            Self::NotNeeded { .. } => "go on with the next step of the plan".to_owned(),
            Self::NotYet { first, .. } => format!("record step {first} first"),
            Self::NoSuchStep { .. } | Self::Missing { .. } | Self::Wrong { .. } => {
                "`actl compensate plan` says what each step needs".to_owned()
            }
            Self::Field { error, .. } => error.hint.clone().unwrap_or_else(|| {
                "`actl compensate apply --help` explains every detail".to_owned()
            }),
        }
    }

    /// A landing that the wanted tenant is not known for.
    pub(super) fn several(tenants: impl IntoIterator<Item = TenantId>) -> Self {
        let names: Vec<String> = tenants.into_iter().map(|t| t.to_string()).collect();
        let why = format!("{} are equally likely", names.join(" and "));
        Self::RightTenantUnknown { why }
    }
}

fn list(obstacles: &[Obstacle]) -> String {
    let texts: Vec<String> = obstacles
        .iter()
        .map(|obstacle| format!("{} (event {})", obstacle.what, obstacle.event))
        .collect();
    texts.join("; ")
}
