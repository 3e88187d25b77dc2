//! The closed sets that metrics are counted by.

/// One value of a metric's label: a closed enum whose values are known at start.
pub trait Label: Copy + 'static {
    /// The label's name in Prometheus text.
    const NAME: &'static str;
    /// Every value, in the order of their indexes.
    const ALL: &'static [Self];

    /// The value's place in [`Self::ALL`].
    fn index(self) -> usize;

    /// The value's text.
    fn text(self) -> &'static str;

    /// Name and text, as a Prometheus pair.
    fn pair(self) -> (&'static str, &'static str) {
        (Self::NAME, self.text())
    }
}

macro_rules! label {
    ($(#[$doc:meta])* $name:ident as $label:literal { $($(#[$value_doc:meta])* $value:ident = $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name { $($(#[$value_doc])* $value,)* }

        impl Label for $name {
            const NAME: &'static str = $label;
            const ALL: &'static [Self] = &[$(Self::$value,)*];

            fn index(self) -> usize {
                self as usize
            }

            fn text(self) -> &'static str {
                match self { $(Self::$value => $text,)* }
            }
        }
    };
}

label! {
    /// What was asked.
    Method as "method" {
        /// Open an auth request.
        Send = "send",
        /// Mail it again.
        Resend = "resend",
        /// Judge a proof.
        Verify = "verify",
        /// Look into the authentication log.
        ListAuthRequests = "list_auth_requests",
        /// An access token.
        Token = "token",
        /// The public signing keys.
        Keys = "keys",
        /// Anything else: pages, documents, unknown paths.
        Other = "other",
    }
}

label! {
    /// Which door it came through.
    Door as "door" {
        /// gRPC, over HTTP/2 or HTTP/1.1.
        Grpc = "grpc",
        /// JSON over HTTP.
        Rest = "rest",
        /// The OAuth endpoints.
        Oauth = "oauth",
    }
}

label! {
    /// How a call ended: the kind of its error, or `ok`.
    Outcome as "outcome" {
        /// Answered as asked.
        Ok = "ok",
        /// The request was malformed.
        Invalid = "invalid",
        /// The proof was wrong.
        Refused = "refused",
        /// The auth request or its credential is over.
        Spent = "spent",
        /// There is no such thing for this caller.
        NotFound = "not_found",
        /// A limit was met.
        Throttled = "throttled",
        /// An admin must act first.
        NotReady = "not_ready",
        /// No valid credentials.
        Unauthenticated = "unauthenticated",
        /// Nothing was done; try again.
        Unavailable = "unavailable",
        /// Our fault.
        Internal = "internal",
    }
}

label! {
    /// How a proof was judged (lifecycle, the order of judgement).
    RedeemVerdict as "verdict" {
        /// Right, and consumed.
        Accepted = "accepted",
        /// Wrong, for the first time or again: the answer tells no difference.
        Wrong = "wrong",
        /// The request was used before.
        Used = "used",
        /// The request is dead from wrong codes.
        Dead = "dead",
        /// The request's time is over.
        Expired = "expired",
        /// A kind that was not mailed, or an impossible shape.
        NotThisKind = "not_this_kind",
        /// Same-browser enforcement refused it.
        OtherBrowser = "other_browser",
        /// The address is past its guess budget.
        Budget = "budget",
        /// A credential of an older mail.
        Superseded = "superseded",
        /// No such request for this caller.
        NotFound = "not_found",
    }
}

label! {
    /// How one attempt to hand a mail on ended.
    Attempt as "outcome" {
        /// The next server took it.
        Sent = "sent",
        /// Not now; it will be tried again.
        Retried = "retried",
        /// The recipient or the message was refused for good.
        Bounced = "bounced",
        /// It could not be sent in time.
        Failed = "failed",
        /// Not sent: the request was spent, superseded or expired by then.
        Abandoned = "abandoned",
    }
}

label! {
    /// What a callback of a mail provider told.
    Told as "told" {
        /// The recipient's server took the mail.
        Delivered = "delivered",
        /// It came back for good.
        Bounced = "bounced",
        /// The person called it spam.
        Complained = "complained",
        /// What was known already.
        Known = "known",
        /// Something about a mail that is not ours, or not any more.
        Unknown = "unknown",
        /// Something that is no business of ours.
        Ignored = "ignored",
        /// The callback was not believed.
        Refused = "refused",
    }
}

impl Told {
    /// What a fate is counted as.
    pub fn of(fate: &postern_core::model::Fate) -> Self {
        use postern_core::model::Fate;
        match fate {
            Fate::Delivered => Self::Delivered,
            Fate::Bounced { .. } => Self::Bounced,
            Fate::Complained => Self::Complained,
        }
    }
}
