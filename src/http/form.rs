//! Forms: what token services are posted. A form holds secrets, so it goes to one URL and follows no
//! redirect.
//!
//! Source: URL standard, section "application/x-www-form-urlencoded".

use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use url::Url;
use url::form_urlencoded::Serializer;

use super::whole::Tries;
use super::{Client, Error, Purpose, Request, Response, Whole, admission};
use crate::endpoint::Endpoint;

impl Client {
    /// Posts a form to the token service of a registry until it has all of an answer that is worth having, or for
    /// as long as the policy says. Any other status is an answer, that of a redirect too. A body of success with
    /// more than `limit` bytes is refused.
    pub async fn post_form(
        &self,
        registry: &Endpoint,
        url: &Url,
        fields: &[(&str, &str)],
        limit: usize,
    ) -> Result<Whole, Error> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut tries = Tries::new(self, limit);
        loop {
            let outcome = self.post_once(registry, url, body.clone()).await;
            if let Some(result) = tries.settle(outcome).await {
                return result;
            }
        }
    }

    async fn post_once(
        &self,
        registry: &Endpoint,
        url: &Url,
        body: String,
    ) -> Result<Response, Error> {
        let request = Request {
            registry: Some(registry.clone()),
            purpose: Purpose::Token(Box::new(registry.clone())),
            ..Request::get(url.clone())
        };
        let reach = admission::reach(&request, url, &self.names, &self.settings);
        self.within(reach)
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT_ENCODING, "identity")
            .body(body)
            .send()
            .await
            .map_err(|source| Error::send(url, source))
            .and_then(|response| self.response(url, response).unencoded())
    }
}
