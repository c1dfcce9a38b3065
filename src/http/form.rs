//! Forms for token services. A form contains secrets, so it follows redirects only to the same scheme, host and port.
//!
//! Source: URL standard, section "application/x-www-form-urlencoded".

use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use url::form_urlencoded::Serializer;

use super::buffered::Tries;
use super::{
    BufferedResponse, Client, ConnectionUse, Error, Hop, Request, Response, StatusCode, admission,
    redirect,
};

impl Client {
    /// Posts a form to the URL of a request, retries transient failures according to the policy, and reads the body.
    /// Returns a response with any status, also a redirect to another server. A successful response with more than
    /// `limit` bytes is an error.
    pub async fn post_form(
        &self,
        request: &Request,
        fields: &[(&str, &str)],
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        let mut tries = Tries::new(self, limit);
        loop {
            let outcome = self.post_once(request, &body).await;
            if let Some(result) = tries.settle(outcome).await {
                return result;
            }
        }
    }

    async fn post_once(&self, request: &Request, body: &str) -> Result<Response, Error> {
        let mut hop = self.first_hop(request);
        for _ in 0..redirect::LIMIT {
            let response = self.post_to(&hop, body).await?;
            match redirect::target(&hop.url, &response) {
                Ok(Some(target))
                    if response.status() != StatusCode::SEE_OTHER
                        && admission::same_origin(&hop.url, &target) =>
                {
                    hop = self.follow(request, hop, target)?;
                }
                _ => return response.unencoded(),
            }
        }
        Err(Error::too_many_redirects(&request.url, redirect::LIMIT))
    }

    async fn post_to(&self, hop: &Hop, body: &str) -> Result<Response, Error> {
        let url = &hop.url;
        self.pool
            .connections(hop, ConnectionUse::Shared)?
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT_ENCODING, "identity")
            .body(body.to_owned())
            .send()
            .await
            .map(|response| self.response(url, response))
            .map_err(|source| Error::send(url, source))
    }
}
