//! Which event records a step: what is done is derived from the ledger, whoever reported it.

use super::ground::Ground;
use super::step::Action;
use ledger::event::word::{AuthMethod, NotifiedParty};
use ledger::event::{Event, Payload};

impl<'g> Ground<'g> {
    /// The event that records a step; the last one, if it took several.
    pub fn recorded(&self, action: Action) -> Option<&'g Event> {
        let events = self.since();
        let last = |test: &dyn Fn(&Payload) -> bool| {
            events
                .iter()
                .rev()
                .find(|event| test(&event.payload))
                .copied()
        };
        let case = self.case.as_ref();
        let notified = |party: NotifiedParty| {
            last(
                &|p| matches!(p, Payload::PartyNotified(n) if n.party == party && n.case.as_ref() == case && case.is_some()),
            )
        };
        match action {
            Action::Confirm => {
                last(&|p| matches!(p, Payload::FindingConfirmed(c) if c.finding == self.finding.id))
            }
            Action::OpenCase => {
                last(&|p| matches!(p, Payload::CaseOpened(c) if Some(&c.case) == case))
            }
            Action::Authorise(role) => last(
                &|p| matches!(p, Payload::AuthorizationReceived(a) if a.role == role && Some(&a.case) == case),
            ),
            Action::Unassign => last(
                &|p| matches!(p, Payload::LicensesUnassigned(u) if u.tenant == self.wrong && self.sku.as_ref().is_none_or(|sku| u.sku == *sku)),
            ),
            Action::Reverse => self.at.event(self.landing.reversed.as_ref()?.event),
            Action::Reissue => {
                let all = self
                    .landing
                    .keys
                    .iter()
                    .all(|key| self.reissued.contains_key(key));
                let last = self.reissued.values().flatten().map(|(_, event)| *event);
                last.max_by_key(|event| event.order()).filter(|_| all)
            }
            Action::SignIn => self.signed_in(&events),
            Action::Redeem => self.redeemed_again().map(|(event, _)| event),
            Action::CorrectEnd => last(
                &|p| matches!(p, Payload::EndDateCorrected(e) if e.case.as_ref() == case && case.is_some()),
            ),
            Action::Remap => self.at.event(self.landing.remapped.as_ref()?.event),
            Action::Reassign => last(
                &|p| matches!(p, Payload::SeatsReassigned(r) if r.tenant == self.right && r.from_tenant.as_ref() == Some(&self.wrong)),
            ),
            Action::TellUsers => notified(NotifiedParty::User),
            Action::NotifyAffected => notified(NotifiedParty::AffectedCustomer),
            Action::NotifyOther => notified(NotifiedParty::OtherCustomer),
            Action::Retire => {
                last(&|p| matches!(p, Payload::TenantRetired(r) if r.tenant == self.wrong))
            }
            Action::Close => {
                last(&|p| matches!(p, Payload::CaseClosed(c) if Some(&c.case) == case))
            }
        }
    }

    /// An interactive session in the right tenant after the reversal, used for no other agreement.
    fn signed_in(&self, events: &[&'g Event]) -> Option<&'g Event> {
        let reversed = self.landing.reversed.as_ref()?;
        events.iter().rev().copied().find(|event| {
            matches!(&event.payload, Payload::SessionStarted(s)
                if s.resource_tenant.as_ref() == Some(&self.right)
                    && s.auth == AuthMethod::Interactive
                    && s.root_session.is_none()
                    && event.occurred_at.last() >= reversed.from
                    && s.license_id.as_ref().is_none_or(|l| Some(l) == self.landing.license_id.as_ref()))
        })
    }
}
