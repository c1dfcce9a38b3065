use super::*;
use crate::compression::fixture::gzip;

/// More than the threads hold at once.
fn layer() -> Vec<u8> {
    (0..251).cycle().take(4 * PIECES * PIECE).collect()
}

/// The error of a pass. The texts are those of a feeder and a worker.
#[derive(Debug)]
enum Failure {
    Layer(LayerError),
    Other(&'static str),
}

impl From<LayerError> for Failure {
    fn from(error: LayerError) -> Self {
        Self::Layer(error)
    }
}

fn read_all(mut plain: Plain) -> Result<(Plain, Vec<u8>), Failure> {
    let mut read = Vec::new();
    let count = plain.read_to_end(&mut read);
    count.map_err(|_| Failure::Other("worker"))?;
    Ok((plain, read))
}

fn run(expected: Expected, blob: &[u8]) -> Result<(DiffId, Vec<u8>), Failure> {
    let feed = |to: &mut Blob| blob.chunks(1000).try_for_each(|bytes| to.push(bytes));
    pass(expected, feed, read_all)
}

fn expected(diff_id: Option<DiffId>) -> Expected {
    Expected {
        size: None,
        diff_id,
        limit: Limit::default(),
    }
}

#[test]
fn the_whole_layer_is_read_and_has_its_diff_id() {
    let layer = layer();
    let sha256 = DiffId::new(Digest::of(&layer));
    let mut hasher = Hasher::sha512();
    hasher.update(&layer);
    let sha512 = DiffId::new(hasher.finish());
    for (known, diff_id) in [
        (None, sha256),
        (Some(sha256), sha256),
        (Some(sha512), sha512),
    ] {
        for blob in [&gzip(&layer), &layer] {
            let (found, read) = run(expected(known), blob).unwrap();
            assert_eq!(found, diff_id);
            assert!(read == layer);
        }
    }
    let (found, read) = run(expected(None), b"").unwrap();
    assert_eq!((*found.digest(), read), (Digest::of(b""), Vec::new()));
}

#[test]
fn a_layer_that_is_different_too_large_or_cut_off_is_refused() {
    let layer = layer();
    let blob = gzip(&layer);
    let other = expected(Some(DiffId::new(Digest::of(b""))));
    let mut small = expected(None);
    small.limit = Limit::of_bytes(1000);
    let any = expected(None);
    for (expected, blob, reason) in [
        (other, &blob[..], "digest mismatch"),
        (small, &blob, "1000"),
        (any, &blob[..blob.len() - 9], "cannot decompress the layer"),
    ] {
        let Failure::Layer(error) = run(expected, blob).unwrap_err() else {
            panic!("{reason}");
        };
        assert!(error.to_string().contains(reason), "{error}");
    }
}

#[test]
fn the_thread_that_ends_early_has_the_reason() {
    let layer = layer();
    let all = |to: &mut Blob| to.push(&layer);
    let stops = |_| Err(Failure::Other("worker"));
    let result: Result<(DiffId, ()), _> = pass(expected(None), all, stops);
    assert!(matches!(result, Err(Failure::Other("worker"))));
    let half = |to: &mut Blob| {
        to.push(&layer[..PIECE])?;
        Err(Failure::Other("feeder").into())
    };
    let result = pass(expected(None), half, read_all);
    assert!(matches!(result, Err(Failure::Other("feeder"))));
}
