//! What was ordered reaches the tenant, by whichever way the agreement has.

use super::{choice, order, redemption, reissue, remap, renewal};
use crate::simulate::scene::Scene;
use crate::simulate::storyline::{Episode, Origin};

/// Lands the pending order of an agreement.
pub fn land(s: &mut Scene<'_>, a: usize) {
    let agreement = &s.who.agreements[a];
    if agreement.pending.is_none() {
        return;
    }
    s.out.landed();
    let agreement = &s.who.agreements[a];
    let first = a == 0 && !agreement.landed;
    let episode = match first && !s.who.episode_over {
        true => s.who.story.episode,
        false => Episode::Plain,
    };
    if agreement.open {
        match episode {
            Episode::WrongTenant if reissue::goes_wrong(s, a) => {}
            _ => redemption::redeem(s, a, episode),
        }
    } else if agreement.landed {
        renewal::added(s, a);
    } else if order::is_automatic(s, a) {
        choice::assigned(s, a, "ManagerIsAdministrator");
    } else if episode == Episode::SecondTenant {
        remap::goes_wrong(s, a);
    } else {
        match s.who.story.origin {
            Origin::New if first => choice::sign_up(s, a, "New"),
            Origin::TrialFresh if first => choice::sign_up(s, a, "TrialFresh"),
            Origin::TrialRetain if first => choice::sign_in(s, a, "TrialRetain"),
            Origin::Bypass if first => choice::sign_in(s, a, "Bypass"),
            _ => choice::sign_in(s, a, "ExistingPaid"),
        }
    }
}
