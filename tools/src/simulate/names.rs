//! Invented names. No person, company or place of the world is meant.

use super::random::Random;

const GIVEN: &[&str] = &[
    "Ada", "Amira", "Anton", "Bela", "Bruno", "Carla", "Chidi", "Dana", "Davor", "Elif", "Emil",
    "Fadi", "Farah", "Goran", "Hana", "Henk", "Ilse", "Imran", "Ines", "Ivo", "Jana", "Jo",
    "Kaito", "Lena", "Luis", "Mads", "Maya", "Milo", "Nadia", "Nils", "Noor", "Olga", "Omar",
    "Petra", "Quinn", "Rosa", "Sami", "Tara", "Tomas", "Una", "Vera", "Wim", "Yara", "Zoe",
];

const FAMILY: &[&str] = &[
    "Abara",
    "Albrook",
    "Anders",
    "Belmore",
    "Birch",
    "Blake",
    "Calder",
    "Castell",
    "Dahlin",
    "Darrow",
    "Egan",
    "Elmore",
    "Farrow",
    "Fenwick",
    "Garland",
    "Grieve",
    "Halloran",
    "Hartog",
    "Idowu",
    "Ibsen",
    "Jarvis",
    "Kaplan",
    "Keller",
    "Lindqvist",
    "Lowell",
    "Marek",
    "Moreau",
    "Nakano",
    "Norling",
    "Okafor",
    "Osborne",
    "Pinter",
    "Quist",
    "Ramsey",
    "Rossi",
    "Sandoval",
    "Silva",
    "Tanaka",
    "Thorne",
    "Ulrich",
    "Varga",
    "Wexler",
    "Yilmaz",
    "Zander",
];

const FIRST: &[&str] = &[
    "Alder", "Amber", "Ash", "Beacon", "Birch", "Blue", "Bright", "Cedar", "Clear", "Copper",
    "Coral", "Dawn", "East", "Elm", "Ember", "Fern", "Flint", "Frost", "Glen", "Gold", "Granite",
    "Harbor", "Hazel", "Heron", "Iron", "Ivory", "Juniper", "Lark", "Linden", "Maple", "Marble",
    "North", "Oak", "Opal", "Pine", "Quartz", "River", "Silver", "Stone", "Willow",
];

const SECOND: &[&str] = &[
    "bank", "barrow", "bay", "bridge", "brook", "cliff", "cove", "crest", "dale", "fall", "field",
    "ford", "gate", "grove", "haven", "hill", "hollow", "lake", "land", "light", "mark", "mead",
    "mere", "mill", "moor", "mount", "path", "point", "port", "reach", "ridge", "rock", "shore",
    "spring", "stead", "vale", "view", "water", "well", "wood",
];

const TRADE: &[&str] = &[
    "Bakeries",
    "Bearings",
    "Books",
    "Ceramics",
    "Clinics",
    "College",
    "Dairy",
    "Design",
    "Energy",
    "Foods",
    "Freight",
    "Gardens",
    "Glass",
    "Hotels",
    "Insurance",
    "Joinery",
    "Labs",
    "Legal",
    "Logistics",
    "Motors",
    "Optics",
    "Paper",
    "Schools",
    "Textiles",
];

const COUNTRIES: &[&str] = &[
    "AT", "BE", "CA", "DE", "DK", "ES", "FI", "FR", "GB", "IE", "IT", "JP", "NL", "NO", "PT", "SE",
    "US",
];

const TRADES_OF_THE_CHANNEL: &[&str] = &["Licensing", "Software", "Systems", "Cloud", "Solutions"];

/// The name of a company, unique for its number.
pub fn company(number: u32) -> String {
    named(number, TRADE)
}

/// The name of a reseller or distributor, unique for its number.
pub fn reseller(number: u32) -> String {
    named(number, TRADES_OF_THE_CHANNEL)
}

fn named(number: u32, trades: &[&str]) -> String {
    let count = FIRST.len() * SECOND.len() * trades.len();
    let number = number as usize;
    // A stride that shares no factor with the counts visits every combination before any repeats.
    let place = number.wrapping_mul(7919) % count;
    let (first, rest) = (place % FIRST.len(), place / FIRST.len());
    let (second, trade) = (rest % SECOND.len(), rest / SECOND.len());
    let (first, second, trade) = (FIRST[first], SECOND[second], trades[trade]);
    match number / count {
        0 => format!("{first}{second} {trade}"),
        round => format!("{first}{second} {trade} {}", round + 1),
    }
}

/// A company's name as it stands in domains: lower case letters, digits and hyphens.
pub fn slug(company: &str) -> String {
    company.to_lowercase().replace(' ', "-")
}

/// The country of a company's seat, ISO 3166.
pub fn country(random: &mut Random) -> &'static str {
    random.pick(COUNTRIES)
}

/// A person of a company: the name and the local part of the address, which the number makes
/// unique.
pub fn person(random: &mut Random, number: usize) -> (String, String) {
    let (given, family) = (random.pick(GIVEN), random.pick(FAMILY));
    let local = format!("{given}.{family}").to_lowercase();
    let local = if number < 2 {
        local
    } else {
        format!("{local}{number}")
    };
    (format!("{given} {family}"), local)
}
