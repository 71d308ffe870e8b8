//! Steps of a compensation: what is done, what it needs, and which event records it.

use ledger::event::word::AuthorizingRole;
use ledger::id::EventId;
use ledger::time::Occurred;

/// What a step does (DOMAIN sections 5.6 and 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Action {
    /// Somebody confirms that the finding is right.
    Confirm,
    /// A support case is opened.
    OpenCase,
    /// Somebody with the authority agrees.
    Authorise(AuthorizingRole),
    /// Users give up licences that the wrong tenant is about to lose.
    Unassign,
    /// The vendor reverses the redemption.
    Reverse,
    /// The vendor replaces the neutralised keys.
    Reissue,
    /// Somebody signs in to the right tenant, in a session of its own.
    SignIn,
    /// The new keys are redeemed in the right tenant.
    Redeem,
    /// The vendor corrects the end date, if the detour cost days.
    CorrectEnd,
    /// The vendor moves whole agreements.
    Remap,
    /// Users are given the licences in the right tenant.
    Reassign,
    /// Users are told that no data moved.
    TellUsers,
    /// The customer whose entitlement went astray is notified.
    NotifyAffected,
    /// The customer whose tenant it landed in is notified.
    NotifyOther,
    /// A tenant that only exists because of the mistake is retired.
    Retire,
    /// The case is closed.
    Close,
}

impl Action {
    /// The kind of event that records it.
    pub fn kind(self) -> &'static str {
        match self {
            Self::Confirm => "FindingConfirmed",
            Self::OpenCase => "CaseOpened",
            Self::Authorise(_) => "AuthorizationReceived",
            Self::Unassign => "LicensesUnassigned",
            Self::Reverse => "RedemptionReversed",
            Self::Reissue => "KeyReissued",
            Self::SignIn => "SessionStarted",
            Self::Redeem => "KeysRedeemed",
            Self::CorrectEnd => "EndDateCorrected",
            Self::Remap => "TenantRemapped",
            Self::Reassign => "SeatsReassigned",
            Self::TellUsers | Self::NotifyAffected | Self::NotifyOther => "PartyNotified",
            Self::Retire => "TenantRetired",
            Self::Close => "CaseClosed",
        }
    }

    /// Whether the case can be closed without it.
    pub fn is_optional(self) -> bool {
        match self {
            Self::CorrectEnd | Self::Reassign | Self::TellUsers | Self::Retire => true,
            Self::Confirm
            | Self::OpenCase
            | Self::Authorise(_)
            | Self::Unassign
            | Self::Reverse
            | Self::Reissue
            | Self::SignIn
            | Self::Redeem
            | Self::Remap
            | Self::NotifyAffected
            | Self::NotifyOther
            | Self::Close => false,
        }
    }

    /// What has to be given when it is recorded, besides when it happened and who says so.
    pub fn needs(self) -> &'static [&'static str] {
        match self {
            Self::Confirm | Self::Reverse | Self::Remap | Self::Retire => &[],
            Self::OpenCase => &["the number of the case (--case)"],
            Self::Authorise(_) => &[
                "the address of the person who agreed (--person)",
                "the number of the mail or form that proves it, if there is one (--proof)",
            ],
            Self::Unassign => &["the users, if others than those proposed (--user)"],
            Self::Reissue => {
                &["the new keys, one a line, from a file (--key-file) or standard input"]
            }
            Self::SignIn => &[
                "the session (--session)",
                "who signed in, if known (--person)",
            ],
            Self::Redeem => &[
                "the redemption (--redemption)",
                "the subscription in the right tenant (--subscription)",
                "how it was redeemed, if not as assumed (--mode)",
            ],
            Self::CorrectEnd => &["the corrected last day (--end)"],
            Self::Reassign => &["the users (--user)"],
            Self::TellUsers | Self::NotifyAffected | Self::NotifyOther => {
                &["how they were told, if not by mail (--channel)"]
            }
            Self::Close => &["what could not be undone, if anything (--residual)"],
        }
    }
}

/// Where a step stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StepState {
    /// An event of the ledger records it.
    Done {
        /// The event that records it; the last one, if it took several.
        event: EventId,
        /// When it happened.
        at: Occurred,
    },
    /// There is nothing to do.
    NotNeeded,
    /// It can be done now.
    Ready,
    /// Another step comes first.
    Waits {
        /// The number of that step.
        first: usize,
    },
}

impl StepState {
    /// Whether nothing remains to be done.
    pub fn is_over(&self) -> bool {
        match self {
            Self::Done { .. } | Self::NotNeeded => true,
            Self::Ready | Self::Waits { .. } => false,
        }
    }

    /// The word that people and JSON read.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Done { .. } => "done",
            Self::NotNeeded => "not needed",
            Self::Ready => "next",
            Self::Waits { .. } => "waits",
        }
    }
}

/// One step of a plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Its number, from 1. A finding keeps its numbers while it is compensated.
    pub number: usize,
    /// What it does.
    pub action: Action,
    /// The same in a sentence, with names.
    pub title: String,
    /// Where it stands.
    pub state: StepState,
}
