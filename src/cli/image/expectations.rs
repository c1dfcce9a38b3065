//! What there is to learn of the layers' plain sizes before they come.

use super::blobs::Blobs;
use hocker::archive::docker_archive::Layer;
use hocker::archive::slots::Slots;
use hocker::compression::expected_size;
use hocker::oci::media_type::Compression;

/// Tells `slots` what to expect of `layers`, one after the other. The size of a layer matters to those behind it.
pub(super) async fn learn(blobs: &Blobs, layers: &[Layer], slots: &Slots) {
    let behind = layers.iter().skip(1);
    for (number, (layer, next)) in layers.iter().zip(behind).enumerate() {
        if slots.expects(number) || !blobs.is_worth_asking(next.blob.size) {
            continue;
        }
        if let Some(compression) = layer.blob.media_type.layer_compression()
            && compression != Compression::Zstd
            && let Some(end) = blobs.last_bytes(&layer.blob).await
            && let Some(size) = expected_size(compression, layer.blob.size, end)
        {
            slots.expect(number, size);
        }
    }
}
