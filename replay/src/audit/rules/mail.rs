//! What became of an activation mail: shared by the rules about mail.

use super::{Scene, Silence};
use ledger::event::word::ContactRole;
use ledger::event::{Event, Payload, subject_of};
use ledger::id::{ActivationId, LicenseId, LinkId, MessageId, OrderId};
use ledger::secret::PersonId;
use ledger::time::{Date, Timestamp};

/// An activation mail that went out.
pub(super) struct Mail<'s> {
    /// The event that says so.
    pub sent: &'s Event,
    /// The message.
    pub message: MessageId,
    /// Its agreement.
    pub license: LicenseId,
    /// Its order.
    pub order: Option<OrderId>,
    /// Its activation.
    pub activation: Option<ActivationId>,
    /// The recipient of record.
    pub recipient: PersonId,
    /// In which role.
    pub role: Option<ContactRole>,
    /// The link in it.
    pub link: Option<LinkId>,
    /// The last day of the link.
    pub expires: Option<Date>,
}

impl<'s> Mail<'s> {
    /// The mail that a scene's message is, first or sent again.
    pub fn of(scene: &Scene<'s>) -> Result<Self, Silence> {
        let sent = scene.events.iter().find_map(|event| of_event(scene, event));
        sent.ok_or(Silence("no source says that it went out"))
    }

    /// Silence once the mail has served its purpose, or has none any more: something landed, somebody
    /// chose, another mail took its place, or the order is gone. What landed in the wrong tenant is
    /// judged by the rules about landings.
    pub fn must_still_matter(&self, scene: &Scene<'_>) -> Result<(), Silence> {
        let since = self.sent.occurred_at.start;
        let mut landings = scene.others.of_agreement(&self.license);
        let landed = landings.any(|other| {
            let (own, its) = (&self.order, &other.landing.order);
            let same = own.is_none() || its.is_none() || own == its;
            same && other.landing.cutoff() >= since
        });
        if landed {
            return Err(Silence("the agreement was activated since"));
        }
        let agreement = scene.evidence.agreements.get(&self.license);
        let choices = agreement.map_or(&[][..], |agreement| &agreement.choices);
        let own = self.activation.as_ref();
        let chosen = choices.iter().any(|choice| {
            let both = own.zip(choice.value.activation.as_ref());
            choice.from >= since && both.is_none_or(|(one, other)| one == other)
        });
        if chosen {
            return Err(Silence("Sign In or Sign Up was chosen since"));
        }
        let message = subject_of(&self.message);
        let again = scene.at.of(&message).any(|event| {
            matches!(&event.payload, Payload::ActivationEmailResent(again)
                if again.original == self.message && again.message != self.message)
        });
        if again {
            return Err(Silence("it was sent again as another message"));
        }
        let gone = self.order.iter().any(|order| {
            scene.at.of(&subject_of(order)).any(|event| {
                matches!(
                    event.payload,
                    Payload::OrderCancelled(_) | Payload::OrderReturned(_)
                )
            })
        });
        match gone {
            true => Err(Silence("the order was cancelled or returned")),
            false => Ok(()),
        }
    }

    /// The last time that somebody opened its link.
    pub fn opened<'a>(&self, scene: &Scene<'a>) -> Option<&'a Event> {
        self.of_link(scene)
            .rfind(|event| matches!(event.payload, Payload::ActivationLinkOpened(_)))
    }

    /// The events that name its link, in fold order.
    pub fn of_link<'a>(&self, scene: &Scene<'a>) -> std::vec::IntoIter<&'a Event> {
        let events: Vec<&'a Event> = match &self.link {
            Some(link) => scene.at.of(&subject_of(link)).collect(),
            None => Vec::new(),
        };
        events.into_iter()
    }

    /// A portal's word that nothing was activated, some hours after an instant or later.
    pub fn not_activated<'a>(
        &self,
        scene: &Scene<'a>,
        since: Timestamp,
        hours: i64,
    ) -> Option<&'a Event> {
        not_activated(scene, &self.license, since, hours)
    }
}

/// A portal's last word on an agreement, if it is that nothing is activated and was spoken some hours
/// after an instant or later.
pub(super) fn not_activated<'a>(
    scene: &Scene<'a>,
    license: &LicenseId,
    since: Timestamp,
    hours: i64,
) -> Option<&'a Event> {
    use ledger::event::word::ActivationStatus::{Activated, NotActivated, Pending};
    let agreement = subject_of(license);
    let statuses = scene.at.of(&agreement).filter_map(|event| {
        if let Payload::ActivationStatusObserved(observed) = &event.payload {
            return Some((event, observed.status));
        }
        None
    });
    let (event, status) = statuses.last()?;
    let late = event.occurred_at.start >= since.plus_minutes(hours * 60);
    match status {
        NotActivated | Pending if late => Some(event),
        NotActivated | Pending | Activated => None,
    }
}

fn of_event<'s>(scene: &Scene<'_>, event: &'s Event) -> Option<Mail<'s>> {
    if let Payload::ActivationEmailSent(sent) = &event.payload {
        return Some(Mail {
            sent: event,
            message: sent.message.clone(),
            license: sent.license_id.clone(),
            order: sent.order.clone(),
            activation: sent.activation.clone(),
            recipient: sent.recipient.id,
            role: Some(sent.role),
            link: sent.link.clone(),
            expires: sent.link_expires,
        });
    }
    if let Payload::ActivationEmailResent(again) = &event.payload {
        if subject_of(&again.message) != *scene.subject {
            return None;
        }
        let first = scene.at.of(&subject_of(&again.original)).find_map(|first| {
            if let Payload::ActivationEmailSent(sent) = &first.payload {
                return Some(sent);
            }
            None
        });
        let license = again.license_id.clone();
        return Some(Mail {
            sent: event,
            message: again.message.clone(),
            license: license.or_else(|| first.map(|first| first.license_id.clone()))?,
            order: first.and_then(|first| first.order.clone()),
            activation: first.and_then(|first| first.activation.clone()),
            recipient: again.recipient.id,
            role: again.role,
            link: again.link.clone(),
            expires: None,
        });
    }
    None
}
