//! Command lines of units, taken apart as systemd does.

/// The words of a command line of systemd in which nothing but these specifiers is to be replaced.
///
/// Source: systemd.service(5), "Command lines".
pub(super) fn words(command_line: &str, specifiers: &[(&str, &str)]) -> Vec<String> {
    command_line
        .split_whitespace()
        .map(|word| {
            let word = match word.strip_prefix('"') {
                Some(rest) => rest.strip_suffix('"').unwrap(),
                None => word,
            };
            let word = specifiers
                .iter()
                .fold(word.to_owned(), |word, (specifier, value)| {
                    word.replace(specifier, value)
                });
            assert!(
                !word.contains(['%', '$', '\\', '"', '\'']),
                "this needs more of systemd than the test has: {command_line}"
            );
            word
        })
        .collect()
}
