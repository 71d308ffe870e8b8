//! The choices of an agreement, one an activation: shared by the rules about the choice.

use super::Scene;
use ledger::event::{Event, Payload};
use ledger::id::{ActivationId, LicenseId, LinkId, SessionId, TenantId};

/// One report of Sign In or Sign Up.
pub(super) struct Choice<'s> {
    /// The event that says so.
    pub event: &'s Event,
    /// Whether Sign Up was chosen; otherwise Sign In.
    pub sign_up: bool,
    /// Of which agreement.
    pub license: &'s LicenseId,
    /// For which activation.
    pub activation: Option<&'s ActivationId>,
    /// Through which link.
    pub link: Option<&'s LinkId>,
    /// In which session.
    pub session: Option<&'s SessionId>,
    /// The tenant that was signed in to.
    pub tenant: Option<&'s TenantId>,
}

impl Choice<'_> {
    /// What was chosen.
    pub fn word(&self) -> &'static str {
        if self.sign_up { "Sign Up" } else { "Sign In" }
    }

    /// Whether both belong to one activation: the same one is named, or none and the same link.
    pub fn is_of_same_activation(&self, other: &Self) -> bool {
        match (self.activation, other.activation) {
            (Some(one), Some(other)) => one == other,
            _ => self.link.is_some() && self.link == other.link,
        }
    }

    /// Whether both can be reports of one choice: nothing that both name differs.
    pub fn may_be_one_with(&self, other: &Self) -> bool {
        let sessions = self.session.zip(other.session);
        self.sign_up == other.sign_up && sessions.is_none_or(|(one, other)| one == other)
    }

    /// What tells the activation from others of the agreement.
    pub fn key(&self) -> String {
        let activation = self.activation.map(ToString::to_string);
        let link = || self.link.map(ToString::to_string);
        activation.or_else(link).unwrap_or_default()
    }
}

/// Every report of a choice of the scene's agreement, in fold order.
pub(super) fn choices<'s>(scene: &Scene<'s>) -> Vec<Choice<'s>> {
    let mut choices = Vec::new();
    for event in scene.events {
        if let Payload::SignInChosen(chosen) = &event.payload {
            choices.push(Choice {
                event,
                sign_up: false,
                license: &chosen.license_id,
                activation: chosen.activation.as_ref(),
                link: chosen.link.as_ref(),
                session: chosen.session.as_ref(),
                tenant: chosen.tenant.as_ref(),
            });
        } else if let Payload::SignUpChosen(chosen) = &event.payload {
            choices.push(Choice {
                event,
                sign_up: true,
                license: &chosen.license_id,
                activation: chosen.activation.as_ref(),
                link: chosen.link.as_ref(),
                session: chosen.session.as_ref(),
                tenant: None,
            });
        }
    }
    choices
}
