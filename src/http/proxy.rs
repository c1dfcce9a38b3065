//! Proxies: which requests use a proxy, according to the usual environment variables.
//!
//! Source: golang.org/x/net/http/httpproxy.

use std::collections::HashSet;

use reqwest::Proxy;
use url::Url;

use super::no_proxy::is_direct;

/// The default port of a SOCKS proxy (RFC 1928).
const SOCKS_PORT: u16 = 1080;

/// The values of the variables.
#[derive(Clone, Default)]
pub struct Proxies {
    /// `http_proxy`: the proxy for http, a URL or `host:port`.
    pub http: Option<String>,
    /// `https_proxy`: the proxy for https, a URL or `host:port`.
    pub https: Option<String>,
    /// `no_proxy`: hosts, domains and networks that are reached without a proxy.
    pub except: Option<String>,
}

/// Shows no values, because a proxy's URL may contain a password.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

/// A value that is not the URL of a proxy. The message does not show it, because it may contain a password.
#[derive(Debug, thiserror::Error)]
#[error("the proxy for {scheme} is not the URL of an http, https, socks5 or socks5h proxy")]
pub struct ProxyError {
    scheme: &'static str,
}

impl Proxies {
    /// Returns the host names of the proxies.
    pub(super) fn hosts(&self) -> HashSet<String> {
        let given = [&self.http, &self.https].into_iter().flatten();
        given
            .filter_map(|text| parse(text)?.host_str().map(str::to_owned))
            .collect()
    }

    /// Returns the proxy for a URL, if it needs one. An invalid proxy is an error only for requests that need it.
    pub(super) fn for_url(&self, url: &Url) -> Result<Option<Url>, ProxyError> {
        let (given, scheme) = match url.scheme() {
            "http" => (&self.http, "http"),
            _ => (&self.https, "https"),
        };
        match given {
            Some(text) if !is_direct(self.except.as_deref().unwrap_or_default(), url) => {
                parse(text).map(Some).ok_or(ProxyError { scheme })
            }
            _ => Ok(None),
        }
    }

    /// Converts the proxies for the HTTP crate. It accepts no errors, so requests are checked before they are sent.
    pub(super) fn into_proxy(self) -> Proxy {
        Proxy::custom(move |url| self.for_url(url).ok().flatten())
    }
}

/// Parses the URL of a proxy. `host:port` means http.
fn parse(text: &str) -> Option<Url> {
    let mut url: Url = if text.contains("://") {
        text.parse().ok()?
    } else {
        format!("http://{text}").parse().ok()?
    };
    if matches!(url.scheme(), "socks5" | "socks5h") {
        let port = url.port().unwrap_or(SOCKS_PORT);
        url.set_port(Some(port)).ok()?;
        // Both mean the same in Go: the proxy resolves names, because often only the proxy can.
        url.set_scheme("socks5h").ok()?;
    }
    (matches!(url.scheme(), "http" | "https" | "socks5h") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_or_host_and_port() {
        for (text, url) in [
            ("proxy:3128", Some("http://proxy:3128/")),
            ("127.0.0.1:8080", Some("http://127.0.0.1:8080/")),
            (
                "cache.corp.example.com",
                Some("http://cache.corp.example.com/"),
            ),
            ("localhost", Some("http://localhost/")),
            ("http://u:p@proxy", Some("http://u:p@proxy/")),
            ("https://proxy:1/", Some("https://proxy:1/")),
            ("socks5://127.0.0.1", Some("socks5h://127.0.0.1:1080")),
            ("socks5://u:p@proxy:9050", Some("socks5h://u:p@proxy:9050")),
            ("socks5h://proxy", Some("socks5h://proxy:1080")),
            ("socks5://", None),
            ("socks4://proxy", None),
            ("foo://host", None),
            ("://", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(String::from).as_deref(), url, "{text:?}");
        }
    }

    #[test]
    fn each_scheme_has_a_proxy_of_its_own() {
        // The values of Go's own tests.
        let proxies = |http: &str, https: &str| Proxies {
            http: Some(http.to_owned()).filter(|text| !text.is_empty()),
            https: Some(https.to_owned()).filter(|text| !text.is_empty()),
            except: None,
        };
        let (http, https) = ("http.proxy.tld", "https://secure.proxy.tld");
        for (proxies, url, proxy) in [
            (
                proxies(http, https),
                "http://insecure.tld/",
                Some("http://http.proxy.tld/"),
            ),
            (
                proxies(http, https),
                "https://secure.tld/",
                Some("https://secure.proxy.tld/"),
            ),
            (proxies(http, ""), "https://secure.tld/", None),
            (proxies("", https), "http://insecure.tld/", None),
            (proxies("", ""), "http://example.com", None),
        ] {
            let found = proxies.for_url(&url.parse().unwrap()).unwrap();
            assert_eq!(found.map(String::from).as_deref(), proxy, "{url}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_showing_it_where_it_would_be_used() {
        let proxies = Proxies {
            https: Some("ftp://me:hunter2@proxy".to_owned()),
            except: Some("direct.example".to_owned()),
            ..Proxies::default()
        };
        assert!(!format!("{proxies:?}").contains("hunter2"));
        for url in [
            "http://r.example/",
            "https://localhost/",
            "https://direct.example/",
        ] {
            assert!(proxies.for_url(&url.parse().unwrap()).is_ok(), "{url}");
        }
        let error = proxies
            .for_url(&"https://r.example/".parse().unwrap())
            .unwrap_err();
        assert_eq!(
            error.to_string(),
            "the proxy for https is not the URL of an http, https, socks5 or socks5h proxy"
        );
    }
}
