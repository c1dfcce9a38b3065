//! Forms: what token services are posted. A form holds secrets, so it goes to one URL and follows no
//! redirect.
//!
//! Source: URL standard, section "application/x-www-form-urlencoded".

use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE};
use url::Url;
use url::form_urlencoded::Serializer;

use super::{Client, Error, Response};

impl Client {
    /// Posts a form. Any status is an answer, that of a redirect too.
    pub async fn post_form(&self, url: &Url, fields: &[(&str, &str)]) -> Result<Response, Error> {
        let body = Serializer::new(String::new()).extend_pairs(fields).finish();
        self.inner
            .post(url.clone())
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(ACCEPT_ENCODING, "identity")
            .body(body)
            .send()
            .await
            .map(|response| Response::new(url.clone(), response))
            .map_err(|source| Error::send(url, source))
    }
}
