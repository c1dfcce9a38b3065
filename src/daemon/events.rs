//! The messages of a daemon during a load: a stream of JSON objects after status 200. An error is one of them.

use serde::Deserialize;

use super::DaemonMessage;

/// An object of the stream.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    error_detail: Option<Detail>,
    error: Option<String>,
}

#[derive(Deserialize)]
struct Detail {
    message: Option<String>,
}

/// Returns the first error that the stream contains. Fails if the stream is invalid before that.
pub(super) fn error(body: &[u8]) -> Result<Option<DaemonMessage>, serde_json::Error> {
    let events = serde_json::Deserializer::from_slice(body).into_iter::<Event>();
    for event in events {
        let event = event?;
        let detail = event.error_detail.and_then(|detail| detail.message);
        if let Some(message) = detail.or(event.error) {
            return Ok(Some(DaemonMessage::new(&message)));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_found_among_the_events() {
        for (body, expected) in [
            ("", None),
            ("{\"stream\":\"Loaded image: a:1\\n\"}\r\n", None),
            ("{\"stream\":\"Loaded image: a:1\"}{\"progress\":{}}", None),
            (
                "{\"stream\":\"x\"}\r\n{\"errorDetail\":{\"message\":\"full\"},\"error\":\"y\"}\r\n",
                Some("full"),
            ),
            ("{\"error\":\"y\"} garbage", Some("y")),
        ] {
            assert_eq!(
                error(body.as_bytes()).unwrap(),
                expected.map(DaemonMessage::new),
                "{body}"
            );
        }
        for body in ["<html>", "{\"stream\":", "1"] {
            assert!(error(body.as_bytes()).is_err(), "{body}");
        }
    }
}
