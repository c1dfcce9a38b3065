//! Pages of lists: `?n=` and `?last=` of the tag list and the catalogue.
//!
//! Source: OCI distribution specification, section "Listing Tags".

use super::request::NAMESPACE;

/// Returns the page that a query asks for: its entries, and the query of the next page if one follows.
pub(super) fn of<'a>(
    entries: impl Iterator<Item = &'a str>,
    query: &str,
) -> (Vec<&'a str>, Option<String>) {
    let mut limit = usize::MAX;
    let mut last = None;
    let mut next_query = url::form_urlencoded::Serializer::new(String::new());
    for (key, value) in url::form_urlencoded::parse(query.as_bytes()) {
        match key.as_ref() {
            "n" => limit = value.parse().unwrap_or(limit),
            "last" => last = Some(value.into_owned()),
            // The query of the next page names the same registry.
            NAMESPACE => {
                next_query.append_pair(NAMESPACE, &value);
            }
            _ => {}
        }
    }
    let mut entries = entries.filter(|entry| last.as_deref().is_none_or(|last| *entry > last));
    let page: Vec<&str> = entries.by_ref().take(limit).collect();
    let next = match (page.last(), entries.next()) {
        (Some(last), Some(_)) => Some(
            next_query
                .append_pair("n", &limit.to_string())
                .append_pair("last", last)
                .finish(),
        ),
        _ => None,
    };
    (page, next)
}

#[cfg(test)]
mod tests {
    use super::of;

    #[test]
    fn following_the_pages_gives_every_entry_once() {
        let entries = ["a", "b/c", "d"];
        let mut query = "n=2".to_owned();
        let mut pages = Vec::new();
        loop {
            let (page, next) = of(entries.into_iter(), &query);
            pages.push(page);
            match next {
                Some(next) => query = next,
                None => break,
            }
        }
        assert_eq!(pages, [vec!["a", "b/c"], vec!["d"]]);
    }

    #[test]
    fn the_next_page_is_of_the_same_registry() {
        let (_, next) = of(["a", "b"].into_iter(), "n=1&ns=localhost%3A5000&x=y");
        assert_eq!(next.unwrap(), "ns=localhost%3A5000&n=1&last=a");
    }

    #[test]
    fn a_query_that_means_nothing_gives_everything() {
        let entries = ["a", "b"];
        for query in ["", "n=", "n=-1", "n=many", "x=%ff", "last="] {
            assert_eq!(
                of(entries.into_iter(), query),
                (vec!["a", "b"], None),
                "{query}"
            );
        }
        assert_eq!(of(entries.into_iter(), "n=0"), (vec![], None));
        assert_eq!(of(entries.into_iter(), "last=a"), (vec!["b"], None));
        assert_eq!(of(entries.into_iter(), "last=z"), (vec![], None));
    }
}
