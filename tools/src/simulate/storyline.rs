//! What is going to happen to a customer: how its first services come about, and one episode.
//!
//! Storylines go round in a fixed order instead of being drawn, so that every one of them occurs,
//! and with them every kind of event, in any run that is large enough.

/// How a customer comes to its first services.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Open program; the key is redeemed in a tenant that it has already.
    OpenExisting,
    /// Open program; the public page redeems the key and makes the tenant.
    OpenSetup,
    /// Open program; a partner that buys for itself.
    OpenPartner,
    /// Enterprise program; never had anything: signs up.
    New,
    /// Enterprise program; keeps its trial: signs in.
    TrialRetain,
    /// Enterprise program; leaves its trial behind: signs up.
    TrialFresh,
    /// Enterprise program; has a paid tenant: signs in.
    ExistingPaid,
    /// Enterprise program; services are assigned without a choice.
    Automatic,
    /// Enterprise program; its BPOS-S of 2011 was never activated: signs in.
    Bypass,
}

impl Origin {
    /// Whether the first agreement is under an Open program.
    pub fn is_open(self) -> bool {
        matches!(
            self,
            Self::OpenExisting | Self::OpenSetup | Self::OpenPartner
        )
    }
}

/// What happens to a customer besides the ordinary.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Episode {
    /// Nothing.
    Plain,
    /// The mail bounces; the contact is changed and the mail sent again.
    Bounce,
    /// The link expires before anybody opens it.
    LinkExpires,
    /// The mail is lost; support sends it again.
    MailLost,
    /// The key cannot be found; support reads it out.
    KeyLost,
    /// The administrator's credentials are lost.
    CredentialsLost,
    /// A key is mistyped and the first attempt given up.
    Abandoned,
    /// Somebody without the role tries first.
    NoRole,
    /// The first order goes back along the chain.
    Returned,
    /// The first order is cancelled and placed again.
    Cancelled,
    /// Licences are reserved, and a reservation is cancelled.
    Reservation,
    /// The customer merges with another one.
    Merger,
    /// The reseller loses its delegation, and roles change.
    Handover,
    /// Renewed in grace.
    RenewedLate,
    /// Renewed when disabled.
    RenewedVeryLate,
    /// Never renewed.
    Lapsed,
    /// Cancelled in the middle of a term.
    Ended,
    /// Renewed with fewer seats.
    Reduced,
    /// The portal shows another end date than the rule gives.
    Diverged,
    /// Azure credit besides: all of it is spent or expires.
    Credit,
    /// Azure credit besides: forfeited.
    CreditForfeited,
    /// One user has more machines than are allowed.
    SixthInstall,
    /// A mistake: redeemed in another customer's tenant, reversed and reissued.
    WrongTenant,
    /// A mistake: signed up into a second tenant, remapped.
    SecondTenant,
    /// A finding that was none.
    Dismissed,
    /// A scene that is told from outside: nothing happens by itself.
    Staged,
}

/// An origin and an episode.
#[derive(Debug, Clone, Copy)]
pub struct Storyline {
    /// How it begins.
    pub origin: Origin,
    /// What happens besides.
    pub episode: Episode,
}

use Episode as E;
use Origin as O;

const STORYLINES: &[(Origin, Episode)] = &[
    (O::OpenExisting, E::Plain),
    (O::New, E::Plain),
    (O::OpenSetup, E::Bounce),
    (O::ExistingPaid, E::LinkExpires),
    (O::OpenExisting, E::Returned),
    (O::TrialRetain, E::Plain),
    (O::OpenExisting, E::RenewedVeryLate),
    (O::Automatic, E::Plain),
    (O::OpenExisting, E::WrongTenant),
    (O::TrialFresh, E::Plain),
    (O::OpenSetup, E::Lapsed),
    (O::New, E::MailLost),
    (O::OpenPartner, E::Credit),
    (O::OpenExisting, E::Ended),
    (O::ExistingPaid, E::SecondTenant),
    (O::OpenExisting, E::Reduced),
    (O::Bypass, E::Plain),
    (O::OpenSetup, E::KeyLost),
    (O::OpenExisting, E::Diverged),
    (O::New, E::Reservation),
    (O::OpenExisting, E::CreditForfeited),
    (O::OpenExisting, E::Abandoned),
    (O::ExistingPaid, E::SixthInstall),
    (O::OpenSetup, E::Plain),
    (O::OpenExisting, E::NoRole),
    (O::TrialRetain, E::CredentialsLost),
    (O::OpenExisting, E::Merger),
    (O::Automatic, E::Handover),
    (O::OpenSetup, E::RenewedLate),
    (O::OpenExisting, E::Dismissed),
    (O::OpenExisting, E::Credit),
    (O::New, E::Cancelled),
];

impl Storyline {
    /// The storyline of a customer's number.
    pub fn of(number: u32) -> Self {
        let (origin, episode) = STORYLINES[number as usize % STORYLINES.len()];
        Self { origin, episode }
    }
}
