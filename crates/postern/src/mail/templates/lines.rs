//! Lines that a mail can carry as they are.

use super::pieces::{Piece, pieces};

/// Past this many bytes a line ends where it may. A line of a mail should have no more than 78 and
/// must not have more than 998 (RFC 5322 §2.1.1).
const LONG: usize = 70;

/// HTML whose long lines are broken between the attributes of tags, where white space is white
/// space. Without that a mail of markup would have to be encoded, and be a fifth longer.
///
/// # Errors
/// A template tag that is not closed.
pub(super) fn broken(html: &str) -> Result<String, String> {
    let mut out = String::with_capacity(html.len());
    let mut at = At::Text;
    let mut line = 0;
    for piece in pieces(html)? {
        let (Piece::Text(all) | Piece::Output(all) | Piece::Statement(all) | Piece::Comment(all)) =
            piece;
        let literal = matches!(piece, Piece::Text(_));
        for (place, c) in all.char_indices() {
            if literal {
                at = at.after(c, &all[place..]);
            }
            let breaks = literal && c == ' ' && at == At::Tag && line >= LONG;
            let c = if breaks { '\n' } else { c };
            line = if c == '\n' { 0 } else { line + c.len_utf8() };
            out.push(c);
        }
    }
    Ok(out)
}

/// Where the walk stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Text,
    /// In a tag, outside of quotes.
    Tag,
    Value(char),
    /// In something that is written like a tag and is none: `<!…>`.
    Other,
}

impl At {
    fn after(self, c: char, rest: &str) -> Self {
        match (self, c) {
            (Self::Text, '<') => {
                let next = rest[1..].chars().next().unwrap_or(' ');
                match next {
                    '!' => Self::Other,
                    next if next.is_ascii_alphabetic() => Self::Tag,
                    _ => Self::Text,
                }
            }
            (Self::Tag, '"' | '\'') => Self::Value(c),
            (Self::Tag | Self::Other, '>') => Self::Text,
            (Self::Value(quote), c) if c == quote => Self::Tag,
            _ => self,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(width: usize) -> String {
        let cell = format!(
            "<td align=\"left\" class=\"a b\" style=\"{}\">x < y</td>",
            "c: d; ".repeat(width)
        );
        format!(
            "<!--[if mso | IE]><table border=\"0\"><![endif]-->{}",
            cell.repeat(40)
        )
    }

    #[test]
    fn a_line_ends_between_attributes_and_nowhere_else() {
        let html = long(10);
        let told = broken(&html).unwrap();
        assert_eq!(told.replace('\n', " "), html);
        assert!(told.lines().count() > 5);
        assert!(told.lines().all(|line| line.len() <= 3 * LONG));
        for line in told.lines().skip(1) {
            assert!(
                line.starts_with("class=")
                    || line.starts_with("style=")
                    || line.starts_with("align="),
                "{line}"
            );
        }
    }

    #[test]
    fn values_comments_and_template_tags_stay_whole() {
        let quoted = format!("<a title=\"{}\">", "a b ".repeat(200));
        assert_eq!(broken(&quoted).unwrap(), quoted);
        let tag = format!("<a {}>", "{% if a == 1 %}".repeat(100));
        assert_eq!(broken(&tag).unwrap(), tag);
        let told = format!("{}<!--[if mso | IE]>", "x".repeat(500));
        assert_eq!(broken(&told).unwrap(), told);
    }
}
