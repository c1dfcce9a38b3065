//! How a pull reports its progress.

use std::sync::Arc;

use crate::oci::digest::{DiffId, Digest};
use crate::registry::Progress;

/// The progress of an image.
pub trait ImageProgress: Send + Sync {
    /// Begins to report a layer. The report ends when the value is dropped.
    fn layer(&self, layer: &Digest) -> Box<dyn LayerProgress>;
}

/// The progress of one layer.
pub trait LayerProgress: Progress + Send {
    /// The layer was written unchanged.
    fn wrote(&self);

    /// The layer was decompressed and written.
    fn decompressed(&self, diff_id: &DiffId);
}

/// Reports nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Silent {
    /// Shared, as [`Image`](super::Image) takes it.
    #[must_use]
    pub fn shared() -> Arc<dyn ImageProgress> {
        Arc::new(Self)
    }
}

impl ImageProgress for Silent {
    fn layer(&self, _layer: &Digest) -> Box<dyn LayerProgress> {
        Box::new(Self)
    }
}

impl LayerProgress for Silent {
    fn wrote(&self) {}

    fn decompressed(&self, _diff_id: &DiffId) {}
}

impl Progress for Silent {
    fn restart(&self) {}

    fn expect(&self, _size: u64) {}

    fn advance(&self, _bytes: u64) {}
}
