//! The messages of containerd's services that hocker uses. Fields that hocker does not use are left out: protobuf ignores
//! them. Written by hand, so that no build needs `protoc`.
//!
//! Source: containerd 1.6, `api/services/*/v1/*.proto` and `api/types/*.proto`. Later versions keep these fields.

use std::collections::HashMap;

use prost::Message;

/// Labels of an object.
pub(super) type Labels = HashMap<String, String>;

/// `google.protobuf.Empty`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Empty {}

/// `google.protobuf.FieldMask`
#[derive(Clone, PartialEq, Message)]
pub(super) struct FieldMask {
    #[prost(string, repeated, tag = "1")]
    pub(super) paths: Vec<String>,
}

/// `containerd.types.Descriptor`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Descriptor {
    #[prost(string, tag = "1")]
    pub(super) media_type: String,
    #[prost(string, tag = "2")]
    pub(super) digest: String,
    #[prost(int64, tag = "3")]
    pub(super) size: i64,
}

impl Descriptor {
    pub(super) fn of(descriptor: &crate::oci::descriptor::Descriptor) -> Self {
        Self {
            media_type: descriptor.media_type.to_string(),
            digest: descriptor.digest.to_string(),
            size: signed(descriptor.size),
        }
    }
}

/// Returns a size as containerd writes it.
pub(super) fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

/// A request with one name or ID, of many methods.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Named {
    #[prost(string, tag = "1")]
    pub(super) name: String,
}

/// A request with filters, of many methods.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Filters {
    #[prost(string, repeated, tag = "1")]
    pub(super) filters: Vec<String>,
}

/// A request to remove an object, of several services.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Remove {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    /// Whether the answer waits for the garbage collection.
    #[prost(bool, tag = "2")]
    pub(super) sync: bool,
}

/// `introspection.v1.PluginsResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Plugins {
    #[prost(message, repeated, tag = "1")]
    pub(super) plugins: Vec<Plugin>,
}

/// `introspection.v1.Plugin`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Plugin {
    #[prost(string, tag = "1")]
    pub(super) kind: String,
    #[prost(string, tag = "2")]
    pub(super) id: String,
    #[prost(message, repeated, tag = "4")]
    pub(super) platforms: Vec<Platform>,
    #[prost(map = "string, string", tag = "5")]
    pub(super) exports: HashMap<String, String>,
    #[prost(message, optional, tag = "7")]
    pub(super) error: Option<PluginError>,
}

/// `containerd.types.Platform`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Platform {
    #[prost(string, tag = "1")]
    pub(super) os: String,
    #[prost(string, tag = "2")]
    pub(super) architecture: String,
    #[prost(string, tag = "3")]
    pub(super) variant: String,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
pub(super) struct PluginError {
    #[prost(string, tag = "2")]
    pub(super) message: String,
}

/// `runtime.v1.ImageFsInfoResponse`, of Kubernetes' runtime interface
#[derive(Clone, PartialEq, Message)]
pub(super) struct ImageFileSystems {
    #[prost(message, repeated, tag = "1")]
    pub(super) file_systems: Vec<ImageFileSystem>,
}

/// `runtime.v1.FilesystemUsage`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ImageFileSystem {
    /// `runtime.v1.FilesystemIdentifier`, which has the directory.
    #[prost(message, optional, tag = "2")]
    pub(super) directory: Option<Named>,
}

/// `namespaces.v1.GetNamespaceResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamespaceAnswer {
    #[prost(message, optional, tag = "1")]
    pub(super) namespace: Option<NamespaceLabels>,
}

/// `namespaces.v1.Namespace`
#[derive(Clone, PartialEq, Message)]
pub(super) struct NamespaceLabels {
    #[prost(map = "string, string", tag = "2")]
    pub(super) labels: Labels,
}

/// `leases.v1.CreateRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct CreateLease {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(map = "string, string", tag = "3")]
    pub(super) labels: Labels,
}

/// `leases.v1.ListResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Leases {
    #[prost(message, repeated, tag = "1")]
    pub(super) leases: Vec<Named>,
}

/// `leases.v1.AddResourceRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct AddResource {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(message, optional, tag = "2")]
    pub(super) resource: Option<Resource>,
}

/// `leases.v1.Resource`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Resource {
    #[prost(string, tag = "1")]
    pub(super) id: String,
    #[prost(string, tag = "2")]
    pub(super) kind: String,
}

/// `content.v1.InfoResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentAnswer {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<ContentInfo>,
}

/// `content.v1.Info`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentInfo {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
    #[prost(int64, tag = "2")]
    pub(super) size: i64,
    #[prost(map = "string, string", tag = "5")]
    pub(super) labels: Labels,
}

/// `content.v1.ListStatusesResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Writes {
    #[prost(message, repeated, tag = "1")]
    pub(super) writes: Vec<IncompleteWrite>,
}

/// `content.v1.Status`
#[derive(Clone, PartialEq, Message)]
pub(super) struct IncompleteWrite {
    #[prost(string, tag = "3")]
    pub(super) reference: String,
}

/// `content.v1.UpdateRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct UpdateContent {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<ContentInfo>,
    #[prost(message, optional, tag = "2")]
    pub(super) mask: Option<FieldMask>,
}

/// `content.v1.ReadContentRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ReadContent {
    #[prost(string, tag = "1")]
    pub(super) digest: String,
}

/// `content.v1.ReadContentResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ContentPiece {
    #[prost(bytes = "bytes", tag = "2")]
    pub(super) data: bytes::Bytes,
}

/// `content.v1.WriteAction`
#[derive(Clone, Copy, Debug, PartialEq, Eq, prost::Enumeration)]
#[repr(i32)]
pub(super) enum WriteAction {
    /// Asks for the state of the write.
    Stat = 0,
    /// Appends data.
    Write = 1,
    /// Ends the write: the content becomes visible if its digest is the expected one.
    Commit = 2,
}

/// `content.v1.WriteContentRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct WriteContent {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub(super) action: i32,
    #[prost(string, tag = "2")]
    pub(super) reference: String,
    #[prost(int64, tag = "3")]
    pub(super) total: i64,
    #[prost(string, tag = "4")]
    pub(super) expected: String,
    #[prost(int64, tag = "5")]
    pub(super) offset: i64,
    #[prost(bytes = "bytes", tag = "6")]
    pub(super) data: bytes::Bytes,
}

/// `content.v1.WriteContentResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Written {
    #[prost(enumeration = "WriteAction", tag = "1")]
    pub(super) action: i32,
    #[prost(int64, tag = "4")]
    pub(super) offset: i64,
}

/// `snapshots.v1.StatSnapshotRequest`, and other requests for one snapshot
#[derive(Clone, PartialEq, Message)]
pub(super) struct OneSnapshot {
    #[prost(string, tag = "1")]
    pub(super) snapshotter: String,
    #[prost(string, tag = "2")]
    pub(super) key: String,
}

/// `snapshots.v1.StatSnapshotResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotAnswer {
    #[prost(message, optional, tag = "1")]
    pub(super) info: Option<SnapshotInfo>,
}

/// `snapshots.v1.Info`
#[derive(Clone, PartialEq, Message)]
pub(super) struct SnapshotInfo {
    #[prost(string, tag = "2")]
    pub(super) parent: String,
    /// 3 stands for a committed snapshot.
    #[prost(int32, tag = "3")]
    pub(super) kind: i32,
}

/// `snapshots.v1.PrepareSnapshotRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct PrepareSnapshot {
    #[prost(string, tag = "1")]
    pub(super) snapshotter: String,
    #[prost(string, tag = "2")]
    pub(super) key: String,
    #[prost(string, tag = "3")]
    pub(super) parent: String,
}

/// `snapshots.v1.PrepareSnapshotResponse`. The mounts are not parsed: they are passed on to the diff service, with all
/// fields that a version may add.
#[derive(Clone, PartialEq, Message)]
pub(super) struct Prepared {
    #[prost(bytes = "bytes", repeated, tag = "1")]
    pub(super) mounts: Vec<bytes::Bytes>,
}

/// `snapshots.v1.CommitSnapshotRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct CommitSnapshot {
    #[prost(string, tag = "1")]
    pub(super) snapshotter: String,
    #[prost(string, tag = "2")]
    pub(super) name: String,
    #[prost(string, tag = "3")]
    pub(super) key: String,
}

/// `diff.v1.ApplyRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Apply {
    #[prost(message, optional, tag = "1")]
    pub(super) diff: Option<Descriptor>,
    #[prost(bytes = "bytes", repeated, tag = "2")]
    pub(super) mounts: Vec<bytes::Bytes>,
}

/// `diff.v1.ApplyResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Applied {
    #[prost(message, optional, tag = "1")]
    pub(super) applied: Option<Descriptor>,
}

/// `images.v1.Image`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Image {
    #[prost(string, tag = "1")]
    pub(super) name: String,
    #[prost(map = "string, string", tag = "2")]
    pub(super) labels: Labels,
    #[prost(message, optional, tag = "3")]
    pub(super) target: Option<Descriptor>,
}

/// `images.v1.GetImageResponse`, and the request and response of `Create`
#[derive(Clone, PartialEq, Message)]
pub(super) struct OneImage {
    #[prost(message, optional, tag = "1")]
    pub(super) image: Option<Image>,
}

/// `images.v1.UpdateImageRequest`
#[derive(Clone, PartialEq, Message)]
pub(super) struct UpdateImage {
    #[prost(message, optional, tag = "1")]
    pub(super) image: Option<Image>,
    #[prost(message, optional, tag = "2")]
    pub(super) mask: Option<FieldMask>,
}

/// `images.v1.ListImagesResponse`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Images {
    #[prost(message, repeated, tag = "1")]
    pub(super) images: Vec<Image>,
}

/// `containers.v1.ListContainerMessage`
#[derive(Clone, PartialEq, Message)]
pub(super) struct ContainerMessage {
    #[prost(message, optional, tag = "1")]
    pub(super) container: Option<Container>,
}

/// `containers.v1.Container`
#[derive(Clone, PartialEq, Message)]
pub(super) struct Container {
    #[prost(string, tag = "3")]
    pub(super) image: String,
    #[prost(string, tag = "6")]
    pub(super) snapshotter: String,
    #[prost(string, tag = "7")]
    pub(super) snapshot_key: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mounts_are_passed_on_unchanged() {
        // A mount of type "bind", with a field that hocker does not know.
        let mount = b"\x0a\x04bind\xa2\x06\x01x";
        let answer = [&[0x0a, 10][..], mount].concat();
        let prepared = Prepared::decode(&answer[..]).unwrap();
        let apply = Apply {
            diff: None,
            mounts: prepared.mounts,
        };
        assert_eq!(apply.encode_to_vec(), [&[0x12, 10][..], mount].concat());
    }
}
