use std::fmt;

use zeroize::Zeroizing;

macro_rules! secret {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq)]
        pub struct $name(Zeroizing<String>);

        impl $name {
            /// Wraps the text; nothing but [`Self::expose`] gives it back.
            pub fn new(text: impl Into<String>) -> Self {
                Self(Zeroizing::new(text.into()))
            }

            /// The secret itself, for the mail, the wire or a comparison; never for a log.
            pub fn expose(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($name), "(…)"))
            }
        }
    };
}

secret! {
    /// The short code a person types: 6 to 10 characters of its alphabet.
    Passcode
}
secret! {
    /// The secret in a magic link: 49 characters, `…_l`.
    LinkToken
}
secret! {
    /// The secret in the address of the page between a mail and the app: 49 characters, `…_p`.
    PageToken
}
secret! {
    /// The `auth_request_id` of the wire: 44 characters, tagged, a capability.
    RequestHandle
}
secret! {
    /// Any other secret text: a client secret, an SMTP password.
    SecretText
}
