use unicode_normalization::UnicodeNormalization as _;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory as _};

/// A code as the person meant it: spaces and dashes dropped, decimal digits of any script folded to
/// ASCII, letters upper-cased.
pub(crate) fn fold_code(typed: &str) -> String {
    typed
        .nfkc()
        .filter(|c| !separates(*c))
        .map(fold_digit)
        .flat_map(char::to_uppercase)
        .collect()
}

fn separates(c: char) -> bool {
    c.is_whitespace()
        || matches!(
            c.general_category(),
            GeneralCategory::DashPunctuation
                | GeneralCategory::SpaceSeparator
                | GeneralCategory::Format
        )
}

/// Unicode encodes the decimal digits of a script as ten neighbours in order, so a digit's value is
/// its distance from the start of its run, modulo ten.
fn fold_digit(c: char) -> char {
    if c.is_ascii() || !is_decimal(c) {
        return c;
    }
    let before = (1..=60)
        .take_while(|back| char::from_u32(c as u32 - back).is_some_and(is_decimal))
        .count();
    char::from_digit(u32::try_from(before % 10).unwrap_or(0), 10).unwrap_or(c)
}

fn is_decimal(c: char) -> bool {
    c.general_category() == GeneralCategory::DecimalNumber
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spaces_and_dashes_are_dropped_and_letters_upper_cased() {
        assert_eq!(fold_code(" 123-456 "), "123456");
        assert_eq!(fold_code("ab\u{2013}cd\u{a0}e"), "ABCDE");
    }

    #[test]
    fn digits_of_any_script_are_folded_to_ascii() {
        for ten in [
            "٠١٢٣٤٥٦٧٨٩",
            "۰۱۲۳۴۵۶۷۸۹",
            "०१२३४५६७८९",
            "０１２３４５６７８９",
            "𝟘𝟙𝟚𝟛𝟜𝟝𝟞𝟟𝟠𝟡",
            "\u{116da}\u{116db}\u{116dc}\u{116dd}\u{116de}\u{116df}\u{116e0}\u{116e1}\u{116e2}\u{116e3}",
        ] {
            assert_eq!(fold_code(ten), "0123456789", "{ten}");
        }
    }
}
