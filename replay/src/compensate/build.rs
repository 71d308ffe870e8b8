//! Building the events of a step from what a person says of it.
//!
//! Every event is built in its JSON form and read as an import would read it, so that its id is the
//! one that the same record would have if it were imported, and so that keys and persons are
//! protected in the one place where that is done.

use super::apply::Details;
use super::ground::Ground;
use super::holders::to_free;
use super::radius::{radius, reversal_effects};
use super::refusal::Refusal;
use super::step::Action;
use super::world::{assumed_target, remapped, reversal, unassigned};
use ledger::event::json::read_fact;
use ledger::event::word::{AuthorizingRole, RedemptionMode};
use ledger::event::{Fact, Payload};
use ledger::id::CaseId;
use ledger::secret::{KeyFingerprint, Keyring, PepperId};
use ledger::subject::Names;
use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

/// Builds the events of one step.
pub(super) struct Builder<'b> {
    ground: &'b Ground<'b>,
    number: usize,
    action: Action,
    details: &'b Details,
    keyring: &'b mut dyn Keyring,
}

impl<'b> Builder<'b> {
    pub(super) fn new(
        ground: &'b Ground<'b>,
        number: usize,
        action: Action,
        details: &'b Details,
        keyring: &'b mut dyn Keyring,
    ) -> Self {
        Self {
            ground,
            number,
            action,
            details,
            keyring,
        }
    }

    /// The events, or why they cannot be built.
    pub(super) fn facts(mut self) -> Result<Vec<Fact>, Refusal> {
        self.check_time()?;
        let payloads = match self.action {
            Action::Reissue => self.reissued()?,
            _ => vec![self.data()?],
        };
        payloads.into_iter().map(|data| self.fact(data)).collect()
    }

    fn fact(&mut self, data: Value) -> Result<Fact, Refusal> {
        let source = &self.details.source;
        let value = json!({
            "kind": self.action.kind(),
            "occurred_at": self.details.occurred_at.to_string(),
            "source": { "system": source.system.as_str(), "record": source.record.as_ref().map(|r| r.as_str()) },
            "correlation": self.ground.finding.id.as_str(),
            "data": data,
        });
        read_fact(&value, &mut *self.keyring).map_err(|error| Refusal::Field {
            action: self.action,
            error,
        })
    }

    fn check_time(&self) -> Result<(), Refusal> {
        let wrong = |why: &str| {
            Err(Refusal::Wrong {
                why: why.to_owned(),
            })
        };
        if self.details.occurred_at.last() < self.ground.landing.at.start {
            return wrong("the step cannot have happened before the landing that it compensates");
        }
        if self.details.occurred_at.start > self.ground.at.point().valid_at {
            return wrong("the step lies after the point in time that the plan looks from");
        }
        Ok(())
    }

    fn missing<T>(&self, value: Option<T>, detail: &str) -> Result<T, Refusal> {
        value.ok_or_else(|| Refusal::Missing {
            step: self.number,
            detail: detail.to_owned(),
        })
    }

    /// The case; a step may name it again, but not another one.
    fn case(&self) -> Result<&CaseId, Refusal> {
        let known = self.ground.case.as_ref();
        match (known, self.details.case.as_ref()) {
            (Some(known), Some(given)) if known != given => Err(Refusal::Wrong {
                why: format!("this is compensated under case {known}"),
            }),
            (known, given) => self.missing(known.or(given), "the number of the case (--case)"),
        }
    }

    fn pepper(&self) -> PepperId {
        self.keyring.pepper().id()
    }

    /// The payload's JSON form. Keys and persons of the ledger are in it in their protected form.
    fn data(&self) -> Result<Value, Refusal> {
        let (ground, details) = (self.ground, self.details);
        let landing = &ground.landing;
        let licenses: Vec<&str> = landing.license_id.iter().map(|l| l.as_str()).collect();
        let customer = landing.customer.as_ref().map(|c| c.as_str());
        let channel = details.channel.as_deref();
        let (wrong, right) = (ground.wrong.as_str(), ground.right.as_str());
        let data = match self.action {
            Action::Confirm => json!({
                "finding": ground.finding.id.as_str(),
                "evidence_digest": ground.finding.evidence_digest(),
                "by": details.person,
            }),
            Action::OpenCase => json!({
                "case": self.case()?.as_str(),
                "purpose": ground.purpose().as_str(),
                "channel": channel.unwrap_or("Portal"),
                "finding": ground.finding.id.as_str(),
                "customer": customer,
                "license_ids": licenses,
                "wrong_tenant": wrong,
                "right_tenant": right,
                "requested_by": details.person,
            }),
            Action::Authorise(role) => {
                let tenant = match role {
                    AuthorizingRole::AdministratorOfSource => Some(wrong),
                    AuthorizingRole::AdministratorOfTarget => Some(right),
                    AuthorizingRole::PrimaryContact
                    | AuthorizingRole::OnlineServicesManager
                    | AuthorizingRole::NoticesContact => None,
                };
                let person = details.person.as_deref();
                json!({
                    "case": self.case()?.as_str(),
                    "from": self.missing(person, "the address of the person who agreed (--person)")?,
                    "role": role.as_str(),
                    "tenant": tenant,
                    "proof": details.proof,
                })
            }
            Action::Unassign => self.unassigned()?,
            Action::Reverse => {
                self.case()?;
                let effects = reversal_effects(&radius(ground));
                let reversed = self.missing(reversal(ground, effects), "the redemption")?;
                Payload::from(reversed).write_json(self.pepper())
            }
            Action::Reissue => Value::Null,
            Action::SignIn => json!({
                "session": self.missing(details.session.as_deref(), "the session (--session)")?,
                "principal": details.person,
                "resource_tenant": right,
                "auth": "Interactive",
                "license_id": landing.license_id.as_ref().map(|l| l.as_str()),
            }),
            Action::Redeem => self.redeemed()?,
            Action::CorrectEnd => json!({
                "subscription": self.missing(details.subscription.as_deref(), "the subscription (--subscription)")?,
                "to": self.missing(details.end.as_deref(), "the corrected last day (--end)")?,
                "case": self.case()?.as_str(),
            }),
            Action::Remap => {
                self.case()?;
                let remapped = self.missing(remapped(ground), "the customer number")?;
                Payload::from(remapped).write_json(self.pepper())
            }
            Action::Reassign => json!({
                "tenant": right,
                "from_tenant": wrong,
                "sku": ground.sku.as_ref().map(|sku| sku.as_str()),
                "users": self.missing((!details.users.is_empty()).then_some(&details.users), "the users (--user)")?,
                "case": self.case()?.as_str(),
            }),
            Action::TellUsers => json!({
                "case": self.case()?.as_str(), "party": "User", "tenant": wrong,
                "channel": channel.unwrap_or("Mail"),
            }),
            Action::NotifyAffected => json!({
                "case": self.case()?.as_str(), "party": "AffectedCustomer", "customer": customer,
                "tenant": right, "channel": channel.unwrap_or("Mail"),
            }),
            Action::NotifyOther => json!({
                "case": self.case()?.as_str(), "party": "OtherCustomer", "tenant": wrong,
                "channel": channel.unwrap_or("Mail"),
            }),
            Action::Retire => json!({ "tenant": wrong, "case": self.case()?.as_str() }),
            Action::Close => json!({
                "case": self.case()?.as_str(),
                "outcome": if details.residuals.is_empty() { "Compensated" } else { "PartlyCompensated" },
                "residuals": details.residuals,
            }),
        };
        Ok(without_nulls(data))
    }

    fn unassigned(&self) -> Result<Value, Refusal> {
        let sku = self.missing(self.ground.sku.as_ref(), "the SKU, which no event names")?;
        let proposed = unassigned(self.ground, sku, to_free(self.ground));
        let mut data = Payload::from(proposed).write_json(self.pepper());
        if let Some(users) = data.get_mut("users") {
            match self.details.users.is_empty() {
                true => forget_sealed(users),
                false => *users = json!(self.details.users),
            }
        }
        Ok(data)
    }

    fn reissued(&self) -> Result<Vec<Value>, Refusal> {
        let case = self.case()?.as_str();
        let old = &self.ground.keys;
        if self.details.keys.len() != old.len() {
            let last5: Vec<String> = old.iter().map(|k| format!("…{}", k.key.last5)).collect();
            return Err(Refusal::Missing {
                step: self.number,
                detail: format!(
                    "one new key a line in place of {}, and {} were given",
                    last5.join(", "),
                    self.details.keys.len()
                ),
            });
        }
        let pepper = self.keyring.pepper();
        let mut seen: BTreeSet<KeyFingerprint> = BTreeSet::new();
        let mut all = Vec::new();
        for (line, typed) in old.iter().zip(&self.details.keys) {
            let new = KeyFingerprint::of_key(&pepper, typed).ok_or_else(|| Refusal::Wrong {
                why: "a line is no activation key of 25 letters and digits".to_owned(),
            })?;
            if self.ground.landing.keys.contains(&new) || !seen.insert(new) {
                return Err(Refusal::Wrong {
                    why: format!(
                        "key …{} is the old one or was given twice: an old key is never used again",
                        new.last5
                    ),
                });
            }
            let known = self.ground.at.of(&new.subject());
            let taken = known.into_iter().any(|event| {
                matches!(
                    event.payload,
                    Payload::KeyIssued(_) | Payload::KeysRedeemed(_)
                )
            });
            if taken {
                return Err(Refusal::Wrong {
                    why: format!("key …{} is known already, as another order's", new.last5),
                });
            }
            all.push(without_nulls(json!({
                "old_key": line.key.protected(pepper.id()),
                "new_key": new.protected(pepper.id()),
                "case": case,
                "order": self.ground.landing.order.as_ref().map(|o| o.as_str()),
                "license_id": self.ground.landing.license_id.as_ref().map(|l| l.as_str()),
                "seats": line.seats.map(|s| s.0),
            })));
        }
        Ok(all)
    }

    fn redeemed(&self) -> Result<Value, Refusal> {
        let (ground, details) = (self.ground, self.details);
        let assumed =
            assumed_target(ground).filter(|(mode, _)| *mode != RedemptionMode::NewSubscription);
        let (mode, target) = match &assumed {
            Some((mode, target)) => (mode.as_str(), Some(target.as_str())),
            None => ("NewSubscription", None),
        };
        let subscription = details.subscription.as_deref().or(target);
        let subscription = self.missing(
            subscription,
            "the subscription in the right tenant (--subscription)",
        )?;
        let redemption = details.redemption.as_deref();
        let keys: Vec<Value> = ground
            .keys
            .iter()
            .filter_map(|line| {
                let (new, _) = ground.reissued.get(&line.key)?.first()?;
                let seats = line.seats.map(|seats| seats.0);
                Some(without_nulls(
                    json!({ "key": new.protected(self.pepper()), "seats": seats }),
                ))
            })
            .collect();
        let seats_after = ground
            .landing
            .seats
            .filter(|_| keys.is_empty())
            .map(|seats| seats.0);
        let signed_in = ground.recorded(Action::SignIn).map(|event| &event.payload);
        let session = match signed_in {
            Some(Payload::SessionStarted(started)) => Some(started.session.as_str()),
            _ => None,
        };
        Ok(json!({
            "redemption": self.missing(redemption, "the redemption (--redemption)")?,
            "license_id": ground.landing.license_id.as_ref().map(|l| l.as_str()),
            "order": ground.landing.order.as_ref().map(|o| o.as_str()),
            "tenant": ground.right.as_str(),
            "session": details.session.as_deref().or(session),
            "redeemer": details.person,
            "keys": keys,
            "mode": details.mode.as_deref().unwrap_or(mode),
            "effects": [without_nulls(json!({
                "subscription": subscription,
                "sku": ground.sku.as_ref().map(|sku| sku.as_str()),
                "seats_after": seats_after,
            }))],
        }))
    }
}

/// A ciphertext belongs to the event that it was sealed for: another event keeps the pseudonym only.
fn forget_sealed(persons: &mut Value) {
    for person in persons.as_array_mut().into_iter().flatten() {
        if let Some(person) = person.as_object_mut() {
            person.remove("sealed");
        }
    }
}

fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(map) => {
            let kept: Map<String, Value> = map.into_iter().filter(|(_, v)| !v.is_null()).collect();
            Value::Object(kept)
        }
        other => other,
    }
}
