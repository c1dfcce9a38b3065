//! Proxies: which requests go through one. The classic variables, which every tool reads a little
//! differently; here as Go does, so that whoever set them for docker is understood: loopback is never proxied.
//!
//! Source: golang.org/x/net/http/httpproxy.

use std::collections::HashSet;

use reqwest::{NoProxy, Proxy};
use url::Url;

/// Loopback by its names and addresses.
const NEVER: &str = "localhost,127.0.0.0/8,::1";

/// What the variables say.
#[derive(Clone, Default)]
pub struct Proxies {
    /// For http: a URL, or `host:port`.
    pub http: Option<String>,
    /// For https.
    pub https: Option<String>,
    /// Hosts, domains and networks that are reached directly.
    pub except: Option<String>,
}

/// A proxy's URL may hold a password.
impl std::fmt::Debug for Proxies {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Proxies").finish_non_exhaustive()
    }
}

/// A proxy that cannot be used. What was given is not shown: it may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("the proxy for {scheme} is not the URL of an http or https proxy")]
pub struct ProxyError {
    scheme: &'static str,
}

impl Proxies {
    /// The names of the proxies' own hosts.
    pub(super) fn hosts(&self) -> HashSet<String> {
        let given = [&self.http, &self.https].into_iter().flatten();
        given
            .filter_map(|text| parse(text)?.host_str().map(str::to_owned))
            .collect()
    }

    pub(super) fn into_list(self) -> Result<Vec<Proxy>, ProxyError> {
        let except = match &self.except {
            Some(hosts) => format!("{NEVER},{hosts}"),
            None => NEVER.to_owned(),
        };
        let mut proxies = Vec::new();
        for (scheme, given) in [("http", self.http), ("https", self.https)] {
            let Some(text) = given else { continue };
            let error = || ProxyError { scheme };
            let url = parse(&text).ok_or_else(error)?;
            let proxy = match scheme {
                "http" => Proxy::http(url),
                _ => Proxy::https(url),
            };
            let except = NoProxy::from_string(&except);
            proxies.push(proxy.map_err(|_| error())?.no_proxy(except));
        }
        Ok(proxies)
    }
}

/// `host:port` means http, as everywhere.
fn parse(text: &str) -> Option<Url> {
    let url: Url = if text.contains("://") {
        text.parse().ok()?
    } else {
        format!("http://{text}").parse().ok()?
    };
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proxy_is_a_url_or_host_and_port() {
        for (text, url) in [
            ("proxy:3128", Some("http://proxy:3128/")),
            ("http://u:p@proxy", Some("http://u:p@proxy/")),
            ("https://proxy:1/", Some("https://proxy:1/")),
            ("socks5://proxy", None),
            ("://", None),
            ("", None),
        ] {
            assert_eq!(parse(text).map(String::from).as_deref(), url, "{text:?}");
        }
    }

    #[test]
    fn what_is_no_proxy_is_refused_without_showing_it() {
        let proxies = Proxies {
            https: Some("ftp://me:hunter2@proxy".to_owned()),
            ..Proxies::default()
        };
        assert!(!format!("{proxies:?}").contains("hunter2"));
        let error = proxies.into_list().unwrap_err().to_string();
        assert_eq!(
            error,
            "the proxy for https is not the URL of an http or https proxy"
        );
    }
}
