//! Randomness that is the same on every machine.

/// A stream of numbers decided by its seed: SplitMix64. It is not for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    /// The stream of a seed that has a number. Streams of other numbers share nothing visible with
    /// it, so that one customer's story does not depend on how many others there are.
    pub fn new(seed: u64, stream: u64) -> Self {
        let mut mixer = Self(seed ^ stream.wrapping_mul(STEP).rotate_left(31));
        let state = mixer.number() ^ stream;
        Self(state)
    }

    /// Any number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STEP);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number less than `limit`; 0 if the limit is 0.
    pub fn below(&mut self, limit: u32) -> u32 {
        let wide = (self.number() >> 32) * u64::from(limit);
        u32::try_from(wide >> 32).unwrap_or(0)
    }

    /// A number from `low` to `high`, both among them.
    pub fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// Whether something happens that happens so often in a thousand times.
    pub fn chance(&mut self, per_thousand: u32) -> bool {
        self.below(1000) < per_thousand
    }

    /// One of some things.
    pub fn pick<T: Copy>(&mut self, things: &[T]) -> T {
        let count = u32::try_from(things.len()).unwrap_or(u32::MAX);
        things[self.below(count) as usize]
    }

    /// An invented activation key: five groups of five letters or digits.
    pub fn key(&mut self) -> String {
        let mut key = String::with_capacity(29);
        for group in 0..5 {
            if group > 0 {
                key.push('-');
            }
            self.characters(&mut key, 5);
        }
        key
    }

    /// The last five characters of an invented machine key.
    pub fn last5(&mut self) -> String {
        let mut text = String::with_capacity(5);
        self.characters(&mut text, 5);
        text
    }

    /// So many invented hexadecimal digits.
    pub fn hex(&mut self, digits: usize) -> String {
        let mut text = String::with_capacity(digits + 16);
        while text.len() < digits {
            text.push_str(&format!("{:016x}", self.number()));
        }
        text.truncate(digits);
        text
    }

    fn characters(&mut self, text: &mut String, count: usize) {
        const ALPHABET: &[u8] = b"BCDFGHJKMNPQRTVWXY2346789";
        for _ in 0..count {
            text.push(char::from(self.pick(ALPHABET)));
        }
    }
}
