/// Numbers that are the same at each run with the same seed (SplitMix64): what is broken, and when.
pub(crate) struct Random(u64);

impl Random {
    /// The sequence that this seed gives.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`, which is at least 1.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    /// An index into something of this length.
    pub(crate) fn index(&mut self, length: usize) -> usize {
        let drawn = self.below(u64::try_from(length.max(1)).unwrap_or(u64::MAX));
        usize::try_from(drawn).unwrap_or(0)
    }
}
