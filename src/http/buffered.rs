//! Buffered responses, for small documents. If the transfer of the body fails, the request is retried, and the failure
//! counts like any other failure of the request.

use super::header::HeaderMap;
use super::retry::{Backoff, Failure};
use super::{Client, Error, Request, Response, StatusCode};

/// The maximum size of an error body (64 KiB). Error bodies are only for messages.
const FAILURE_LIMIT: usize = 64 << 10;

/// A response whose body is in memory.
#[derive(Debug)]
pub struct BufferedResponse {
    /// The status.
    pub status: StatusCode,
    /// The body. It may be cut if the status is not a success.
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
    /// Sends a request, retries transient failures according to the policy, and reads the body. A successful response
    /// with more than `limit` bytes is an error.
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

/// The attempts of one request.
pub(super) struct Tries {
    backoff: Backoff,
    limit: usize,
}

impl Tries {
    /// Allows a body of at most `limit` bytes.
    pub(super) fn new(client: &Client, limit: usize) -> Self {
        Self {
            backoff: Backoff::new(client.settings.policy.clone()),
            limit,
        }
    }

    /// Reads the body. Returns the final result, or `None` after a pause if the request must be sent again.
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
