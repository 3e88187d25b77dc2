//! What was read of an expression, in our language.

/// What was read.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Is {
    /// The one variable of this expression.
    Name,
    Nil,
    /// A number or a truth value.
    Bare,
    Text,
    /// How long a text is.
    Count,
    /// Whether a variable that Postern fills is set: the one that it holds.
    Set,
    Other,
}

#[derive(Clone)]
pub(super) struct Read {
    pub(super) text: String,
    pub(super) is: Is,
    pub(super) holds: Vec<String>,
    pub(super) fails: Vec<String>,
}

impl Read {
    pub(super) fn new(text: String, is: Is) -> Self {
        Self {
            text,
            is,
            holds: Vec::new(),
            fails: Vec::new(),
        }
    }

    pub(super) fn other(text: String) -> Self {
        Self::new(text, Is::Other)
    }

    /// A question whose answer yes says that these variables are there.
    pub(super) fn shows(text: String, holds: Vec<String>) -> Self {
        Self {
            holds,
            ..Self::other(text)
        }
    }

    /// The same question, answered the other way round.
    pub(super) fn turned(self) -> Self {
        Self {
            holds: self.fails,
            fails: self.holds,
            ..self
        }
    }

    /// As it may stand beside an operator.
    pub(super) fn apart(&self) -> String {
        match self.is {
            Is::Count | Is::Set | Is::Other => format!("({})", self.text),
            Is::Name | Is::Nil | Is::Bare | Is::Text => self.text.clone(),
        }
    }
}
