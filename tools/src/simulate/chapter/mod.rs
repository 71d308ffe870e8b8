//! The chapters that stories are made of, one file each.

pub mod agreement;
pub mod cases;
pub mod channel;
pub mod choice;
pub mod credit;
pub mod episode;
pub mod install;
pub mod landing;
pub mod licences;
pub mod mail;
pub mod month;
pub mod order;
pub mod redemption;
pub mod refusal;
pub mod registration;
pub mod reissue;
pub mod remap;
pub mod renewal;
pub mod revalidation;
pub mod session;
pub mod subscription;
pub mod trial;

use super::scene::{Scene, Step};

/// Plays one step of a customer's story.
pub fn play(s: &mut Scene<'_>, step: Step) {
    match step {
        // The channel is no customer's; the simulation opens it by itself.
        Step::Channel => {}
        Step::Join => registration::join(s),
        Step::Sign => agreement::sign_another(s),
        Step::FirstOrder(a) => order::first(s, a as usize),
        Step::ReturnOrder(a) => order::give_back(s, a as usize),
        Step::LinkExpires(a) => mail::link_expires(s, a as usize),
        Step::Land(a) => landing::land(s, a as usize),
        Step::AddSeats(a) => renewal::add_seats(s, a as usize),
        Step::Renew(a) => renewal::renew(s, a as usize),
        Step::TermEnds(i) => subscription::term_ends(s, i as usize),
        Step::GraceEnds(i) => subscription::grace_ends(s, i as usize),
        Step::Deletion(i) => subscription::deleted(s, i as usize),
        Step::Cancel(i) => subscription::cancelled(s, i as usize),
        Step::Install(i) => install::install(s, i as usize),
        Step::Revalidate(i) => revalidation::revalidate(s, i as usize),
        Step::Reprovision(user) => licences::reprovision(s, user as usize),
        Step::UseCredit => credit::spend(s),
        Step::CreditEnds(lot) => credit::ends(s, lot as usize),
        Step::Forfeit => credit::forfeit(s),
        Step::TrialEnds => trial::ends(s),
        Step::TrialDeleted => trial::deleted(s),
        Step::Month => month::look(s),
        Step::Reissue(a) => reissue::compensate(s, a as usize),
        Step::Remap(a) => remap::compensate(s, a as usize),
        Step::Episode => episode::play(s),
    }
}

/// A place in one of the customer's lists, as steps hold it.
fn place(index: usize) -> u32 {
    u32::try_from(index).unwrap_or(u32::MAX)
}
