//! The words of a plan, for a licensing clerk and for support. They hold no key and no person.

use super::ground::{Ground, Method};
use super::radius::Radius;
use super::step::Action;
use super::world::assumed_target;
use ledger::event::word::{AuthorizingRole, RedemptionMode};
use ledger::event::{Payload, subject_of};
use ledger::id::Name;

/// The last five characters of the landing's keys: `…7F3Q2 and …9KM4T`.
fn keys(ground: &Ground<'_>) -> String {
    let keys: Vec<String> = ground
        .landing
        .keys
        .iter()
        .map(|key| format!("…{}", key.last5))
        .collect();
    match keys.is_empty() {
        true => "the order (no key)".to_owned(),
        false => keys.join(" and "),
    }
}

fn license(ground: &Ground<'_>) -> String {
    let license = ground.landing.license_id.as_ref();
    license.map_or_else(|| "(not recorded)".to_owned(), ToString::to_string)
}

/// The number that proves the right to the licence at the telephone (E4).
fn authorization_no(ground: &Ground<'_>) -> Option<Name> {
    let license = ground.landing.license_id.as_ref()?;
    ground.at.of(&subject_of(license)).find_map(|event| {
        let Payload::AgreementSigned(signed) = &event.payload else {
            return None;
        };
        signed.authorization_no.clone()
    })
}

/// A step in a sentence.
pub fn title(ground: &Ground<'_>, action: Action, users_to_free: usize) -> String {
    let (wrong, right) = (ground.name(&ground.wrong), ground.name(&ground.right));
    match action {
        Action::Confirm => "Confirm that the finding is right.".to_owned(),
        Action::OpenCase => match ground.method {
            Method::Reissue => {
                "Open a case with the vendor's support to have the key replaced.".to_owned()
            }
            Method::Remap => "Open a case with the vendor's support for a tenant remap.".to_owned(),
        },
        Action::Authorise(role) => format!("Get the agreement of {}.", authoriser(ground, role)),
        Action::Unassign => match users_to_free {
            0 => format!(
                "Take licences from users in {wrong}, if there are more than seats afterwards."
            ),
            1 => format!(
                "Have {wrong} take the licence from 1 user; the latest assigned is proposed."
            ),
            users => format!(
                "Have {wrong} take the licences from {users} users; the latest assigned are proposed."
            ),
        },
        Action::Reverse => format!(
            "Have support reverse the redemption of {} in {wrong}.",
            keys(ground)
        ),
        Action::Reissue => format!(
            "Get a new key from support in place of {}. The old key is never used again.",
            keys(ground)
        ),
        Action::SignIn => format!(
            "Sign in to {right} in a private window, by typing the credentials; use the session for nothing else."
        ),
        Action::Redeem => match ground.keys.is_empty() {
            true => format!("Redeem the order again, in {right}."),
            false => format!("Redeem the new key in {right}."),
        },
        Action::CorrectEnd => {
            "Have support correct the end date, if the detour cost days.".to_owned()
        }
        Action::Remap => format!(
            "Have support move the agreements from {wrong} to {right}. It takes about a week, and no data moves."
        ),
        Action::Reassign => format!("Give the users of {wrong} their licences in {right}."),
        Action::TellUsers => {
            "Tell the users that their data stays where it was written.".to_owned()
        }
        Action::NotifyAffected => format!("Notify the customer of {right}."),
        Action::NotifyOther => format!(
            "Notify the administrators of {wrong}; name nothing of the other customer but the key's last five."
        ),
        Action::Retire => {
            format!("Retire the tenant {wrong}, which exists only because of the mistake.")
        }
        Action::Close => "Close the case, and name what could not be undone.".to_owned(),
    }
}

/// Who has to agree, and what they bring.
pub fn authoriser(ground: &Ground<'_>, role: AuthorizingRole) -> String {
    let license = license(ground);
    match role {
        AuthorizingRole::PrimaryContact => match authorization_no(ground) {
            Some(number) => format!(
                "the Primary Contact of agreement {license}, with licence number {license} and authorization number {number}"
            ),
            None => format!(
                "the Primary Contact of agreement {license}, with licence number {license} and the authorization number (not recorded)"
            ),
        },
        AuthorizingRole::OnlineServicesManager => {
            format!(
                "the Online Services Manager of agreement {license}, by a reply to the vendor's form"
            )
        }
        AuthorizingRole::NoticesContact => {
            format!(
                "the Notices Contact of agreement {license} (it names no Online Services Manager), by a reply to the vendor's form"
            )
        }
        AuthorizingRole::AdministratorOfSource => {
            format!("a global administrator of {}", ground.name(&ground.wrong))
        }
        AuthorizingRole::AdministratorOfTarget => {
            format!("a global administrator of {}", ground.name(&ground.right))
        }
    }
}

/// What nobody knows before it happens, and what the proof assumes for it.
pub fn unknowns(ground: &Ground<'_>) -> Vec<(&'static str, String)> {
    let mut unknowns = Vec::new();
    match ground.method {
        Method::Reissue => {
            if ground.landing.reversed.is_none() {
                unknowns.push(("day of the reversal", "the proof assumes now".to_owned()));
            }
            let open = ground
                .keys
                .iter()
                .any(|line| !ground.reissued.contains_key(&line.key));
            if open {
                unknowns.push((
                    "new key",
                    "the proof assumes one with the same seats".to_owned(),
                ));
            }
            if ground.redeemed_again().is_none() {
                let assumed = match assumed_target(ground) {
                    Some((RedemptionMode::NewSubscription | RedemptionMode::AzureNew, _))
                    | None => "the proof assumes a new subscription, whose term starts on that day"
                        .to_owned(),
                    Some((mode, subscription)) => {
                        format!("the proof assumes {} into {subscription}", mode.as_str())
                    }
                };
                unknowns.push(("day and mode of the new redemption", assumed));
            }
        }
        Method::Remap => {
            if ground.landing.remapped.is_none() {
                unknowns.push(("day of the remap", "the proof assumes now".to_owned()));
            }
        }
    }
    unknowns
}

/// A text for the support request: what the vendor asks for, and nothing else (E3, E4).
pub fn request(ground: &Ground<'_>, radius: &Radius) -> String {
    let number = authorization_no(ground);
    let number = number.map_or_else(
        || "(see the order confirmation)".to_owned(),
        |n| n.to_string(),
    );
    let on = ground.landing.at.start.date();
    let mut lines = match ground.method {
        Method::Reissue => vec![
            format!(
                "On {on} our licences were activated in a tenant that is not ours. Please reverse that activation and give us a replacement."
            ),
            format!("License ID: {}", license(ground)),
            format!("Authorization number: {number}"),
            format!("Last five characters of the key: {}", keys(ground)),
        ],
        Method::Remap => vec![
            format!(
                "On {on} our services were bound to the wrong tenant. Please remap them to the right one."
            ),
            format!("License ID: {}", license(ground)),
        ],
    };
    lines.extend(ground.order().map(|order| format!("Order: {order}")));
    if let (Method::Remap, Some(pcn)) = (
        ground.method,
        ground.agreement.as_ref().and_then(|view| view.pcn.as_ref()),
    ) {
        lines.push(format!("Customer number: {pcn}"));
        if !radius.beyond_request.is_empty() {
            let others: Vec<String> = radius
                .beyond_request
                .iter()
                .map(ToString::to_string)
                .collect();
            lines.push(format!(
                "We know that these agreements move with it: {}",
                others.join(", ")
            ));
        }
    }
    lines.push(format!("Wrong tenant: {}", ground.name(&ground.wrong)));
    lines.push(format!("Right tenant: {}", ground.name(&ground.right)));
    lines.join("\n")
}
