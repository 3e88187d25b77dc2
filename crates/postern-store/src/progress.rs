/// How far a long piece of work has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress<'a> {
    /// What is being done, in a word or two.
    pub step: &'a str,
    /// How much of it is done.
    pub done: u64,
    /// Of how much; 0 when that is not known.
    pub of: u64,
}

/// Who hears of progress, often.
pub type Watcher<'w> = &'w mut (dyn FnMut(Progress<'_>) + Send);
