//! The relaxed forms of header fields and bodies (RFC 6376 §3.4.2 and §3.4.4): what stays the
//! same when servers on the way fold headers anew or touch white space.

/// A header field: its name, and its value with the line end.
type Field<'a> = (&'a [u8], &'a [u8]);

/// The message's header fields in their order, and its body.
pub(super) fn parts(message: &[u8]) -> (Vec<Field<'_>>, &[u8]) {
    let (mut fields, mut rest) = (Vec::new(), message);
    while !rest.is_empty() {
        if let Some(body) = rest.strip_prefix(b"\r\n") {
            return (fields, body);
        }
        let (field, after) = rest.split_at(field_length(rest));
        if let Some(colon) = field.iter().position(|byte| *byte == b':') {
            fields.push((&field[..colon], &field[colon + 1..]));
        }
        rest = after;
    }
    (fields, rest)
}

/// How long the first field is, with its folded lines and line ends.
fn field_length(text: &[u8]) -> usize {
    let mut length = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        if length > 0 && !line.starts_with(b" ") && !line.starts_with(b"\t") {
            break;
        }
        length += line.len();
    }
    length
}

/// One header field, without its line end.
pub(super) fn field(name: &[u8], value: &[u8]) -> Vec<u8> {
    let mut out = name.trim_ascii().to_ascii_lowercase();
    out.push(b':');
    let words = value.split(|byte| b" \t\r\n".contains(byte));
    for (place, word) in words.filter(|word| !word.is_empty()).enumerate() {
        if place > 0 {
            out.push(b' ');
        }
        out.extend_from_slice(word);
    }
    out
}

/// The body: white space at the ends of lines and empty lines at its end are nothing, a run of
/// white space is one space.
pub(super) fn body(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(body.len() + 2);
    let mut whole = 0;
    for line in body.split_inclusive(|byte| *byte == b'\n') {
        let (before, mut gap) = (out.len(), false);
        for byte in line {
            match byte {
                b' ' | b'\t' => gap = true,
                b'\r' | b'\n' => {}
                other => {
                    if std::mem::take(&mut gap) {
                        out.push(b' ');
                    }
                    out.push(*other);
                }
            }
        }
        let empty = out.len() == before;
        out.extend_from_slice(b"\r\n");
        if !empty {
            whole = out.len();
        }
    }
    out.truncate(whole);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6376 §3.4.5.
    #[test]
    fn a_message_gets_the_relaxed_form_of_the_standards_example() {
        let message = b"A: X\r\nB : Y\t\r\n\tZ  \r\n\r\n C \r\nD \t E\r\n\r\n\r\n";
        let (fields, rest) = parts(message);
        let fields: Vec<Vec<u8>> = fields
            .into_iter()
            .map(|(name, value)| field(name, value))
            .collect();
        assert_eq!(fields, [b"a:X".to_vec(), b"b:Y Z".to_vec()]);
        assert_eq!(body(rest), b" C\r\nD E\r\n");
    }

    #[test]
    fn lines_of_white_space_at_the_end_are_no_part_of_a_body() {
        assert_eq!(body(b"a\r\n \t\r\n\r\n"), b"a\r\n");
        assert_eq!(body(b"\r\n\r\n"), b"");
        assert_eq!(body(b""), b"");
        assert_eq!(body(b"a\r\n\r\nb"), b"a\r\n\r\nb\r\n");
    }

    #[test]
    fn a_message_without_a_body_has_all_its_fields() {
        assert_eq!(
            parts(b"A: X\r\n"),
            (vec![(&b"A"[..], &b" X\r\n"[..])], &b""[..])
        );
    }
}
