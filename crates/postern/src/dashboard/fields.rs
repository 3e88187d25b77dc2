//! Names and texts: of a query, a form, a path or the cookies.

use http::HeaderMap;
use http::header::COOKIE;

/// Pairs in the order in which they came.
#[derive(Clone, Default)]
pub(super) struct Fields(Vec<(String, String)>);

impl Fields {
    /// Reads `application/x-www-form-urlencoded`.
    pub(super) fn urlencoded(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// Reads the cookies of a request.
    pub(super) fn cookies(headers: &HeaderMap) -> Self {
        let values = headers.get_all(COOKIE).into_iter();
        let texts = values.filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';'));
        let pair = |pair: &str| {
            let (name, value) = pair.trim().split_once('=')?;
            Some((name.to_owned(), value.to_owned()))
        };
        Self(pairs.filter_map(pair).collect())
    }

    /// Pairs that are known already.
    pub(super) fn of(pairs: Vec<(String, String)>) -> Self {
        Self(pairs)
    }

    /// The first text of this name, without space around it; empty when there is none.
    pub(super) fn get(&self, name: &str) -> &str {
        let found = self.0.iter().find(|(key, _)| key == name);
        found.map_or("", |(_, text)| text.trim())
    }

    /// The pairs.
    pub(super) fn pairs(&self) -> &[(String, String)] {
        &self.0
    }

    /// The pairs, but for those of this name.
    pub(super) fn without(&self, name: &str) -> Vec<(String, String)> {
        let rest = self.0.iter().filter(|(key, _)| key != name);
        rest.cloned().collect()
    }

    /// Whether a box of this name is ticked.
    pub(super) fn ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }
}

/// Pairs as a query; those with an empty text are left out.
pub(super) fn query(pairs: &[(&str, &str)]) -> String {
    let mut out = form_urlencoded::Serializer::new(String::new());
    for (name, text) in pairs.iter().filter(|(_, text)| !text.is_empty()) {
        out.append_pair(name, text);
    }
    out.finish()
}
