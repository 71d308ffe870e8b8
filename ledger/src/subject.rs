//! Subjects: what an event is about.
//!
//! An event names the subjects that its source names, by having fields of their types; it is never
//! enriched. A subject's history is all events that name it.

use crate::id::*;
use crate::secret::{KeyFingerprint, MachineId, PersonId};
use std::fmt;

/// Declares the kinds of subjects: one line each, number, name and meaning.
macro_rules! subject_kinds {
    ($($(#[$doc:meta])* $variant:ident = $number:literal, $name:literal;)+) => {
        /// The kinds of subjects. Storage contract: the numbers.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum SubjectKind { $($(#[$doc])* $variant = $number),+ }

        impl SubjectKind {
            /// Every kind, in the order of their numbers.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name in `KIND:ID`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }
        }
    };
}

subject_kinds! {
    /// A legal customer.
    Customer = 1, "customer";
    /// A reseller or distributor.
    Partner = 2, "partner";
    /// A signed agreement, by License ID.
    Agreement = 3, "agreement";
    /// A customer number at the vendor.
    Pcn = 4, "pcn";
    /// A purchase order.
    Order = 5, "order";
    /// An activation key, by fingerprint.
    Key = 6, "key";
    /// An email message.
    Email = 7, "email";
    /// An activation link.
    Link = 8, "link";
    /// An activation: order, mails, links and one choice.
    Activation = 9, "activation";
    /// A browser session.
    Session = 10, "session";
    /// A person, by pseudonym.
    Person = 11, "person";
    /// A directory.
    Tenant = 12, "tenant";
    /// A licence subscription.
    Subscription = 13, "subscription";
    /// A redemption.
    Redemption = 14, "redemption";
    /// A lot of prepaid credit.
    Credit = 15, "credit";
    /// A machine and its installs, by pseudonym.
    Seat = 16, "seat";
    /// A support case.
    Case = 17, "case";
    /// A finding of the audit, once somebody decided about it.
    Finding = 18, "finding";
}

/// What an event is about: a kind and an id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// What kind of thing it is.
    pub kind: SubjectKind,
    /// Its identifier, as stored; a pseudonym in hexadecimal.
    pub id: String,
}

impl Subject {
    /// A subject of a kind; the id is not checked.
    pub fn new(kind: SubjectKind, id: impl fmt::Display) -> Self {
        Self {
            kind,
            id: id.to_string(),
        }
    }

    /// Reads `KIND:ID`, for example `tenant:contoso.onmicrosoft.example`.
    pub fn parse(text: &str) -> Option<Self> {
        let (name, id) = text.split_once(':')?;
        let kind = SubjectKind::ALL.iter().find(|kind| kind.name() == name)?;
        let id = clear_text(id).ok()?;
        let lower = matches!(
            kind,
            SubjectKind::Tenant | SubjectKind::Person | SubjectKind::Seat
        );
        let id = if lower {
            id.to_lowercase()
        } else {
            id.to_owned()
        };
        Some(Self { kind: *kind, id })
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.kind.name(), self.id)
    }
}

/// Takes the subjects that an event names, as it names them: with repetition and in no order.
pub trait SubjectSink {
    /// Takes a subject.
    fn subject(&mut self, kind: SubjectKind, id: &str);
}

impl SubjectSink for Vec<Subject> {
    fn subject(&mut self, kind: SubjectKind, id: &str) {
        let id = id.to_owned();
        self.push(Subject { kind, id });
    }
}

/// An identifier whose presence in an event makes the event name a subject.
pub trait Names {
    /// The subject that it names.
    fn subject(&self) -> Subject;

    /// Gives the subject that it names to somebody, without making one.
    fn name_to(&self, out: &mut dyn SubjectSink);
}

macro_rules! names {
    ($($type:ty => $kind:ident;)+) => {$(
        impl Names for $type {
            fn subject(&self) -> Subject {
                Subject::new(SubjectKind::$kind, self.as_str())
            }
            fn name_to(&self, out: &mut dyn SubjectSink) {
                out.subject(SubjectKind::$kind, self.as_str());
            }
        }
    )+};
}

macro_rules! pseudonym_names {
    ($($type:ty => $kind:ident;)+) => {$(
        impl Names for $type {
            fn subject(&self) -> Subject {
                Subject::new(SubjectKind::$kind, self)
            }
            fn name_to(&self, out: &mut dyn SubjectSink) {
                out.subject(SubjectKind::$kind, text_of(&hex_digits(&self.0)));
            }
        }
    )+};
}

/// Digits and letters as a text.
fn text_of(ascii: &[u8]) -> &str {
    std::str::from_utf8(ascii).unwrap_or_default()
}

names! {
    CustomerId => Customer;
    PartnerId => Partner;
    LicenseId => Agreement;
    Pcn => Pcn;
    OrderId => Order;
    MessageId => Email;
    LinkId => Link;
    ActivationId => Activation;
    SessionId => Session;
    TenantId => Tenant;
    SubscriptionId => Subscription;
    RedemptionId => Redemption;
    LotId => Credit;
    CaseId => Case;
    FindingId => Finding;
}

pseudonym_names! {
    PersonId => Person;
    MachineId => Seat;
}

impl Names for KeyFingerprint {
    fn subject(&self) -> Subject {
        let digest = EventId(self.digest);
        Subject::new(SubjectKind::Key, format_args!("{digest}-{}", self.last5))
    }

    fn name_to(&self, out: &mut dyn SubjectSink) {
        let mut name = [b'-'; 38];
        let last5 = self.last5.as_str().bytes();
        let digits = hex_digits(&self.digest).into_iter().chain([b'-']);
        name.iter_mut()
            .zip(digits.chain(last5))
            .for_each(|(to, from)| *to = from);
        out.subject(SubjectKind::Key, text_of(&name));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_to_a_sink_is_the_subject() {
        fn check(names: &dyn Names) {
            let mut named = Vec::new();
            names.name_to(&mut named);
            assert_eq!(named, [names.subject()]);
        }
        let key = KeyFingerprint::of_key(
            &crate::secret::Pepper::public(),
            "AAAAA-BBBBB-CCCCC-DDDDD-EEEE2",
        );
        check(&key.unwrap());
        check(&PersonId(std::array::from_fn(|n| n as u8 * 17)));
        check(&MachineId([9; 16]));
        check(&TenantId::new("Contoso.onmicrosoft.example").unwrap());
    }

    #[test]
    fn every_kind_is_read_back_from_its_name() {
        for kind in SubjectKind::ALL {
            let text = format!("{}:x-1", kind.name());
            let subject = Subject::parse(&text).unwrap();
            assert_eq!((subject.kind, subject.to_string()), (*kind, text));
        }
        assert_eq!(Subject::parse("tennant:x"), None);
        assert_eq!(Subject::parse("tenant:"), None);
    }
}
