//! Answers that are wanted whole, as small documents are: the body belongs to the try. If it breaks off, the
//! request is sent again, under the same policy and the same count of failures as one that had no answer.

use super::header::HeaderMap;
use super::retry::{Backoff, Failure};
use super::{Client, Error, Request, Response, StatusCode};

/// Bodies of failures are read up to this many bytes (64 KiB): they are for messages.
const FAILURE_LIMIT: usize = 64 << 10;

/// An answer and its body.
#[derive(Debug)]
pub struct BufferedResponse {
    /// The status.
    pub status: StatusCode,
    /// The body: all of it where the status is one of success, else its beginning.
    pub body: Vec<u8>,
    pub(super) headers: HeaderMap,
}

impl BufferedResponse {
    /// Returns the first value of a header, if it is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

impl Client {
    /// Sends a request until it has all of an answer that is worth having, or for as long as the policy says.
    /// A body of success with more than `limit` bytes is refused.
    pub async fn send_buffered(
        &self,
        request: &Request,
        limit: usize,
    ) -> Result<BufferedResponse, Error> {
        let mut tries = Tries::new(self, limit);
        loop {
            let outcome = self.send_once(request).await;
            if let Some(result) = tries.settle(outcome).await {
                return result;
            }
        }
    }
}

/// The tries of one request.
pub(super) struct Tries {
    backoff: Backoff,
    limit: usize,
}

impl Tries {
    /// For a body of at most `limit` bytes.
    pub(super) fn new(client: &Client, limit: usize) -> Self {
        Self {
            backoff: Backoff::new(client.settings.policy.clone()),
            limit,
        }
    }

    /// What came of the request; none if it is to be sent again.
    pub(super) async fn settle(
        &mut self,
        outcome: Result<Response, Error>,
    ) -> Option<Result<BufferedResponse, Error>> {
        let failure = Failure::of(&outcome);
        let result = match outcome {
            Ok(response) => self.read(response).await,
            Err(error) => Err(error),
        };
        let failure = failure.or_else(|| result.as_ref().err().and_then(Failure::of_error));
        let again = self.backoff.pause(failure, None).await;
        (!again).then_some(result)
    }

    async fn read(&self, response: Response) -> Result<BufferedResponse, Error> {
        let status = response.status();
        let headers = response.headers().clone();
        let body = if status.is_success() {
            response.bytes(self.limit).await?
        } else {
            response.start_of_body(FAILURE_LIMIT).await
        };
        Ok(BufferedResponse {
            status,
            body,
            headers,
        })
    }
}
