//! Calls to a server in the same process, which answers what no containerd would.

use std::convert::Infallible;
use std::time::Duration;

use bytes::Bytes;
use futures_util::stream;
use http_body_util::combinators::BoxBody;
use http_body_util::{BodyExt, Empty, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::server::conn::http2;
use hyper::service::service_fn;
use tokio::net::UnixListener;

use super::*;

type Answer = hyper::Response<BoxBody<Bytes, Infallible>>;
type MakeAnswer = fn() -> Answer;

#[derive(Clone, PartialEq, Message)]
struct Text {
    #[prost(string, tag = "1")]
    text: String,
}

fn text(text: &str) -> Text {
    Text {
        text: text.to_owned(),
    }
}

/// An answer of these frames of data and these trailers.
fn answer(data: &[Bytes], trailers: &[(&'static str, &'static str)]) -> Answer {
    let mut frames: Vec<_> = data.iter().cloned().map(Frame::data).collect();
    if !trailers.is_empty() {
        let trailers = trailers.iter().map(|(name, value)| {
            let value = HeaderValue::from_static(value);
            (HeaderName::from_static(name), value)
        });
        frames.push(Frame::trailers(trailers.collect()));
    }
    let frames = stream::iter(frames.into_iter().map(Ok));
    hyper::Response::builder()
        .header(CONTENT_TYPE, GRPC)
        .body(BodyExt::boxed(StreamBody::new(frames)))
        .unwrap()
}

/// Serves this answer to each request, after the request has ended.
async fn channel(answer: MakeAnswer) -> Channel {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("socket");
    let listener = UnixListener::bind(&path).unwrap();
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request: hyper::Request<Incoming>| async move {
            assert_eq!(request.headers()["x-header"], "value");
            let body = request.into_body().collect().await.unwrap().to_bytes();
            assert_eq!(body, frame::encode(&text("question")));
            Ok::<_, Infallible>(answer())
        });
        let _ = http2::Builder::new(TokioExecutor::new())
            .serve_connection(TokioIo::new(stream), service)
            .await;
    });
    let channel = Channel::connect(&path).await.unwrap();
    channel.with("x-header", "value").unwrap()
}

async fn called(answer: MakeAnswer) -> Result<String, Error> {
    let channel = channel(answer).await;
    let question = text("question");
    let call = channel.call::<Text>("/x.Service/Call", &question, 100);
    let answer = tokio::time::timeout(Duration::from_secs(60), call);
    answer.await.unwrap().map(|answer| answer.text)
}

#[tokio::test]
async fn a_call_has_one_answer_and_a_status() {
    let good = || answer(&[frame::encode(&text("yes"))], &[("grpc-status", "0")]);
    assert_eq!(called(good).await.unwrap(), "yes");
    let refused = || {
        let message = ("grpc-message", "no%20such%1B thing");
        answer(&[], &[("grpc-status", "5"), message])
    };
    let error = called(refused).await.unwrap_err();
    assert_eq!(error.code(), Some(Code::NotFound));
    assert_eq!(error.to_string(), r"no such\u{1b} thing");
    let at_once = || {
        let mut response = answer(&[], &[]);
        let headers = response.headers_mut();
        headers.insert("grpc-status", HeaderValue::from_static("12"));
        response
    };
    let error = called(at_once).await.unwrap_err();
    assert!(error.is_other_protocol(), "{error}");
}

#[tokio::test]
async fn refuses_answers_that_are_not_grpc_or_not_complete() {
    let cases: [(MakeAnswer, &str); 6] = [
        (
            || {
                let body = BodyExt::boxed(Empty::new());
                hyper::Response::builder().status(404).body(body).unwrap()
            },
            "404 without gRPC",
        ),
        (|| answer(&[], &[]), "ended early"),
        (|| answer(&[], &[("grpc-status", "0")]), "ended early"),
        (
            || {
                let half = frame::encode(&text("half")).slice(..7);
                answer(&[half], &[("grpc-status", "0")])
            },
            "ended early",
        ),
        (
            || {
                let twice = frame::encode(&text("a"));
                answer(&[twice.clone(), twice], &[("grpc-status", "0")])
            },
            "several messages",
        ),
        (
            || {
                let long = frame::encode(&text(&"x".repeat(200)));
                answer(&[long], &[("grpc-status", "0")])
            },
            "more than 100 bytes",
        ),
    ];
    for (answer, words) in cases {
        let error = called(answer).await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }
}

#[tokio::test]
async fn a_stream_may_have_no_messages() {
    let none = || {
        let mut response = answer(&[], &[]);
        let headers = response.headers_mut();
        headers.insert("grpc-status", HeaderValue::from_static("0"));
        response
    };
    let channel = channel(none).await;
    let question = text("question");
    let asked = channel.ask::<Text>("/x.Service/List", &question, 100);
    assert_eq!(asked.await.unwrap().next().await.unwrap(), None);
}
