//! What the listener knows about a request, its name first of all.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

use http::{Extensions, HeaderValue};

/// Names a request in its answer (`x-request-id`) and in the log. Unique, not secret.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RequestId([u8; 16]);

impl RequestId {
    /// The id of a connection's `number`th request, from the connection's random seed.
    ///
    /// The finaliser of splitmix64 is a bijection, so numbers never meet under one seed.
    pub(super) fn new(seed: u64, number: u64) -> Self {
        let mut z = seed.wrapping_add(number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        Self(hex(z ^ (z >> 31)))
    }

    /// The id of an answer to what never became a request.
    pub(super) fn of_nobody() -> Self {
        Self::new(seed(), 0)
    }

    /// The id as a header's value.
    pub(super) fn header(self) -> HeaderValue {
        HeaderValue::from_bytes(&self.0).expect("hexadecimal digits are visible ASCII")
    }

    /// 16 hexadecimal digits.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

fn hex(value: u64) -> [u8; 16] {
    let bytes = value.to_be_bytes();
    std::array::from_fn(|place| {
        let both = bytes[place / 2];
        let digit = if place % 2 == 0 { both >> 4 } else { both & 15 };
        b"0123456789abcdef"[usize::from(digit)]
    })
}

/// What the listener knows about a request.
#[derive(Clone, Copy, Debug)]
pub struct RequestContext {
    /// Its name.
    pub id: RequestId,
    /// The other end of the connection: a person's machine, or a proxy.
    pub peer: SocketAddr,
}

impl RequestContext {
    /// The context that the listener put into a request's extensions.
    pub fn of(extensions: &Extensions) -> Self {
        extensions.get().copied().unwrap_or(Self {
            id: RequestId(*b"0000000000000000"),
            peer: SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0),
        })
    }
}

/// Where the names of a connection's requests begin.
pub(super) fn seed() -> u64 {
    u64::from_be_bytes(crate::world::name())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn request_ids_of_one_connection_differ() {
        let id = |number| RequestId::new(7, number).as_str().to_owned();
        let all: std::collections::HashSet<_> = (0..1000).map(id).collect();
        assert_eq!(all.len(), 1000);
        assert!(all.iter().all(|id| id.len() == 16));
    }
}
