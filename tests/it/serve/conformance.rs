//! The requests of the OCI distribution specification for pulling and for content discovery, each as a row. They are
//! those that its conformance suite sends.
//!
//! Source: OCI distribution specification 1.1, section "Endpoints" (end-1, end-2, end-3, end-8a, end-8b, end-12a, end-12b;
//! the others push or delete), and sections "Pull", "Content Discovery" and "Error Codes".

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::image::{Image, digest, small};
use crate::support::serving::{Reply, Serving};

const NAME: &str = "library/app";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const SBOM: &str = "application/vnd.example.sbom+json";
const SIGNATURE: &str = "application/vnd.example.signature";
const ERROR_CODES: [&str; 14] = [
    "BLOB_UNKNOWN",
    "BLOB_UPLOAD_INVALID",
    "BLOB_UPLOAD_UNKNOWN",
    "DIGEST_INVALID",
    "MANIFEST_BLOB_UNKNOWN",
    "MANIFEST_INVALID",
    "MANIFEST_UNKNOWN",
    "NAME_INVALID",
    "NAME_UNKNOWN",
    "SIZE_INVALID",
    "UNAUTHORIZED",
    "DENIED",
    "UNSUPPORTED",
    "TOOMANYREQUESTS",
];

/// An image with four tags, and its referrers.
struct Layout {
    directory: TempDir,
    image: Image,
    /// The descriptors that the registry must list.
    referrers: Vec<Value>,
    /// The descriptor of a referrer whose subject does not exist.
    of_absent: Value,
    absent: String,
}

impl Layout {
    fn new() -> Self {
        let image = small();
        let directory = image.layout(&format!("docker.io/{NAME}:test0"));
        let absent = digest(b"absent");
        let mut layout = Self {
            directory,
            image,
            referrers: Vec::new(),
            of_absent: Value::Null,
            absent: absent.clone(),
        };
        let subject = layout.image.descriptor();
        let empty = layout.blob("application/vnd.oci.empty.v1+json", b"{}");
        let config = layout.blob(SIGNATURE, b"{ }");
        for (media_type, artifact_type, fields) in [
            (
                MANIFEST,
                SBOM,
                json!({"artifactType": SBOM, "config": empty, "layers": [empty]}),
            ),
            (
                MANIFEST,
                SIGNATURE,
                json!({"config": config, "layers": [empty]}),
            ),
            (INDEX, SBOM, json!({"artifactType": SBOM, "manifests": []})),
        ] {
            let referrer = layout.referrer(media_type, artifact_type, fields, &subject);
            layout.referrers.push(referrer);
        }
        layout
            .referrers
            .sort_by_key(|entry| entry["digest"].to_string());
        let absent = json!({"mediaType": MANIFEST, "digest": absent, "size": 6});
        let fields = json!({"artifactType": SBOM, "config": empty, "layers": [empty]});
        layout.of_absent = layout.referrer(MANIFEST, SBOM, fields, &absent);
        layout.list();
        layout
    }

    /// Adds a blob, and returns its descriptor.
    fn blob(&self, media_type: &str, content: &[u8]) -> Value {
        let digest = digest(content);
        let hex = digest.trim_start_matches("sha256:");
        let path = self.directory.path().join("blobs/sha256").join(hex);
        std::fs::write(path, content).unwrap();
        json!({"mediaType": media_type, "digest": digest, "size": content.len()})
    }

    /// Adds a referrer, and returns the descriptor that lists of referrers have.
    fn referrer(
        &self,
        media_type: &str,
        artifact_type: &str,
        mut fields: Value,
        subject: &Value,
    ) -> Value {
        let annotations = json!({"org.example.type": artifact_type});
        fields["schemaVersion"] = json!(2);
        fields["mediaType"] = json!(media_type);
        fields["subject"] = subject.clone();
        fields["annotations"] = annotations.clone();
        let mut descriptor = self.blob(media_type, fields.to_string().as_bytes());
        descriptor["artifactType"] = json!(artifact_type);
        descriptor["annotations"] = annotations;
        descriptor
    }

    /// Writes `index.json`: the image by four tags, the referrers without names.
    fn list(&self) {
        let mut entries: Vec<Value> = (0..4)
            .map(|number| {
                let mut entry = self.image.descriptor();
                let name = format!("docker.io/{NAME}:test{number}");
                entry["annotations"] = json!({"io.containerd.image.name": name});
                entry
            })
            .collect();
        for referrer in self.referrers.iter().chain([&self.of_absent]) {
            let mut entry = referrer.clone();
            entry.as_object_mut().unwrap().remove("annotations");
            entries.push(entry);
        }
        let index = json!({"schemaVersion": 2, "manifests": entries});
        std::fs::write(self.directory.path().join("index.json"), index.to_string()).unwrap();
    }
}

fn body(reply: &Reply) -> Value {
    serde_json::from_slice(&reply.body).unwrap()
}

#[test]
fn pull_requests_have_the_specified_responses() {
    let layout = Layout::new();
    let serving = Serving::start([layout.directory.path()]);
    let (image, unknown) = (&layout.image, digest(b"unknown"));
    let manifest = |reference: &str| format!("/v2/{NAME}/manifests/{reference}");
    let blob = |digest: &str| format!("/v2/{NAME}/blobs/{digest}");
    for (target, status, content) in [
        ("/v2/".to_owned(), 200, None),
        (blob(&unknown), 404, None),
        (blob(&image.config_digest()), 200, Some(&image.config)),
        (
            blob(&image.layers[0].digest()),
            200,
            Some(&image.layers[0].blob),
        ),
        (manifest("unknown"), 404, None),
        (manifest(".INVALID_MANIFEST_NAME"), 404, None),
        (manifest(&"t".repeat(129)), 404, None),
        (manifest("sha256:totallywrong"), 400, None),
        (manifest(&unknown), 404, None),
        (manifest(&image.digest()), 200, Some(&image.manifest)),
        (manifest("test0"), 200, Some(&image.manifest)),
        (
            "/v2/library/%61pp/manifests/%74est0".to_owned(),
            200,
            Some(&image.manifest),
        ),
        ("/v2/library/unknown/manifests/test0".to_owned(), 404, None),
        (blob("sha256:totallywrong"), 400, None),
    ] {
        for method in ["HEAD", "GET"] {
            let reply = serving.ask(method, &target, &format!("Accept: {MANIFEST}\r\n"));
            assert_eq!(reply.status, status, "{method} {target}");
            if let Some(content) = content {
                let length = content.len().to_string();
                assert_eq!(reply.field("content-length"), Some(length.as_str()));
                let digest = digest(content);
                assert_eq!(reply.field("docker-content-digest"), Some(digest.as_str()));
                let is_sent = method == "GET" && reply.body == *content;
                assert!(is_sent || method == "HEAD" && reply.body.is_empty());
            }
        }
    }
    let reply = serving.ask("GET", &manifest("test0"), "");
    assert_eq!(reply.field("content-type"), Some(image.media_type));
    serving.stop().done();
}

#[test]
fn errors_have_the_specified_form() {
    let layout = Layout::new();
    let serving = Serving::start([layout.directory.path()]);
    for (method, target, status) in [
        ("GET", format!("/v2/{NAME}/manifests/unknown"), 404),
        ("GET", format!("/v2/{NAME}/blobs/sha256:totallywrong"), 400),
        (
            "GET",
            format!("/v2/{NAME}/referrers/sha256:totallywrong"),
            400,
        ),
        ("GET", "/v2/library/unknown/tags/list".to_owned(), 404),
        ("POST", format!("/v2/{NAME}/blobs/uploads/"), 405),
        ("PUT", format!("/v2/{NAME}/manifests/test0"), 405),
        ("DELETE", format!("/v2/{NAME}/manifests/test0"), 405),
    ] {
        let reply = serving.ask(method, &target, "");
        assert_eq!(reply.status, status, "{method} {target}");
        let code = body(&reply)["errors"][0]["code"].clone();
        assert!(ERROR_CODES.contains(&code.as_str().unwrap()), "{code}");
    }
    serving.stop().done();
}

#[test]
fn tags_are_listed_as_specified() {
    let layout = Layout::new();
    let serving = Serving::start([layout.directory.path()]);
    for (query, tags, link) in [
        ("", &["test0", "test1", "test2", "test3"][..], None),
        ("?n=2", &["test0", "test1"], Some("?n=2&last=test1")),
        ("?n=2&last=test1", &["test2", "test3"], None),
        ("?last=test2", &["test3"], None),
        ("?n=0", &[], None),
    ] {
        let target = format!("/v2/{NAME}/tags/list");
        let reply = serving.ask("GET", &format!("{target}{query}"), "");
        assert_eq!(reply.status, 200, "{query}");
        assert_eq!(body(&reply), json!({"name": NAME, "tags": tags}), "{query}");
        let link = link.map(|next| format!("<{target}{next}>; rel=\"next\""));
        assert_eq!(reply.field("link"), link.as_deref(), "{query}");
    }
    serving.stop().done();
}

#[test]
fn referrers_are_listed_as_specified_and_can_be_fetched() {
    let layout = Layout::new();
    let serving = Serving::start([layout.directory.path()]);
    let (all, subject) = (&layout.referrers, layout.image.digest());
    let of_type = |wanted: &str| {
        let referrers = all.iter().filter(|entry| entry["artifactType"] == wanted);
        referrers.cloned().collect::<Vec<_>>()
    };
    let filter = Some("artifacttype");
    for (target, expected, filters) in [
        (subject.clone(), all.clone(), None),
        (
            format!("{subject}?artifactType={}", SBOM.replace('+', "%2B")),
            of_type(SBOM),
            filter,
        ),
        (
            format!("{subject}?artifactType={SIGNATURE}"),
            of_type(SIGNATURE),
            filter,
        ),
        (
            format!("{subject}?artifactType=text/plain"),
            Vec::new(),
            filter,
        ),
        (layout.absent.clone(), vec![layout.of_absent.clone()], None),
        (digest(b"unknown"), Vec::new(), None),
    ] {
        let reply = serving.ask("GET", &format!("/v2/{NAME}/referrers/{target}"), "");
        assert_eq!(reply.status, 200, "{target}");
        assert_eq!(reply.field("content-type"), Some(INDEX), "{target}");
        assert_eq!(reply.field("oci-filters-applied"), filters, "{target}");
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": expected});
        assert_eq!(body(&reply), index, "{target}");
    }
    for referrer in all.iter().chain([&layout.of_absent]) {
        let digest = referrer["digest"].as_str().unwrap();
        let reply = serving.ask("GET", &format!("/v2/{NAME}/manifests/{digest}"), "");
        assert_eq!(reply.status, 200, "{digest}");
        assert_eq!(reply.body.len() as u64, referrer["size"].as_u64().unwrap());
        let manifest = body(&reply);
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let digest = layer["digest"].as_str().unwrap();
            let reply = serving.ask("GET", &format!("/v2/{NAME}/blobs/{digest}"), "");
            assert_eq!(reply.status, 200, "{digest}");
        }
    }
    serving.stop().done();
}
