//! The images that one meets: of both families, compressed in each way, alone, in an index, and in an index in an
//! index. Each comes from docker-registry, which skopeo filled; is built with Nix; and is loaded into dockerd. Who
//! names it must agree on its name everywhere. The table says what was seen.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::dockerd::Dockerd;
use crate::machine::nix::Nix;
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing, digest, hex, index, noise};

/// The first version of Docker that reads zstd layers.
const ZSTD_SINCE: u32 = 23;

const INDEXES: [(Family, &str); 2] = [
    (
        Family::Docker,
        "application/vnd.docker.distribution.manifest.list.v2+json",
    ),
    (Family::Oci, crate::support::image::OCI_INDEX),
];

/// What is known of an image before hocker sees it.
struct Expected {
    manifest: Vec<u8>,
    config: Vec<u8>,
    media_type: String,
}

#[test]
fn every_kind_of_image_has_one_name_in_the_registry_in_the_store_and_in_dockerd() {
    let plain = [
        Layer::of_files(Packing::Plain, &[("noise", &noise(300_000))]).tar,
        program_layer(GREETING).tar,
    ];
    let dockerd = Dockerd::start();
    let nix = Nix::new();
    let server = "{{.Server.Version}}";
    let version = program::text(dockerd.docker().args(["version", "--format", server]));
    let major: u32 = version.split('.').next().unwrap().parse().unwrap();
    let mut table = format!(
        "| image | manifest | image id | compositeImage.sh, dockerd {version} | hocker load | docker-archive |\n|---|---|---|---|---|---|\n"
    );
    for (family, index_type) in INDEXES {
        for packing in [Packing::Gzip, Packing::Zstd, Packing::Plain] {
            // One of its own: skopeo takes what another repository has, however that is compressed.
            let registry = DockerRegistry::start();
            let repository = format!("{family:?}/{packing:?}").to_lowercase();
            let expected = push(&registry, &repository, family, packing, &plain);
            push_indexes(&registry, &repository, index_type, &expected);
            let reads_it = packing != Packing::Zstd || major >= ZSTD_SINCE;
            for tag in ["single", "index", "nested"] {
                let reference = format!("{}/{repository}:{tag}", registry.name());
                let outcome = check(&reference, &expected, reads_it, &nix, &dockerd);
                writeln!(
                    table,
                    "| {family:?} {packing:?} {tag} | {} | {} | {outcome} | loaded, runs | loaded, runs |",
                    &digest(&expected.manifest)[..19],
                    &digest(&expected.config)[..19],
                )
                .unwrap();
            }
        }
    }
    println!("{table}");
}

/// Lets skopeo fill `repository:single`, and says what is there by skopeo's own account.
fn push(
    registry: &DockerRegistry,
    repository: &str,
    family: Family,
    packing: Packing,
    layers: &[Vec<u8>],
) -> Expected {
    let directory = tempfile::tempdir().unwrap();
    let target = format!("docker://{}/{repository}:single", registry.name());
    let skopeo = |arguments: &[&str]| {
        program::run(
            Command::new("skopeo")
                .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
                .args(arguments)
                .arg(&target),
        )
    };
    let image = |family, packing| {
        let layers = layers.iter().map(|tar| Layer::of_tar(packing, tar.clone()));
        Image::new(family, &["/hello"], layers.collect())
    };
    if packing == Packing::Plain {
        // skopeo compresses what it is not told to keep.
        let image = image(family, packing);
        let write = |name: &str, content: &[u8]| {
            fs::write(directory.path().join(name), content).unwrap();
        };
        write("version", b"Directory Transport Version: 1.1\n");
        write("manifest.json", &image.manifest);
        write(&hex(&image.config), &image.config);
        for layer in &image.layers {
            write(&layer.hex(), &layer.blob);
        }
        let source = format!("dir:{}", directory.path().display());
        skopeo(&["--preserve-digests", &source]);
    } else {
        // It compresses what is plain, and writes in Docker's family what comes in the other.
        image(Family::Oci, Packing::Plain).write_layout(directory.path(), "1");
        let source = format!("oci:{}:1", directory.path().display());
        let (format, compression) = match (family, packing) {
            (_, Packing::Zstd) => ("oci", "zstd"),
            (Family::Docker, _) => ("v2s2", "gzip"),
            (Family::Oci, _) => ("oci", "gzip"),
        };
        let compress = ["--dest-compress-format", compression];
        skopeo(&[&["--format", format][..], &compress, &[&source]].concat());
    }
    let inspect = |what: &[&str]| {
        program::run(
            Command::new("skopeo")
                .args(["inspect", "--tls-verify=false", "--raw"])
                .args(what)
                .arg(&target),
        )
    };
    let mut manifest = inspect(&[]);
    let config = inspect(&["--config"]);
    if (family, packing) == (Family::Docker, Packing::Zstd) {
        // BuildKit writes such, and skopeo does not: the same blobs, by a manifest of the other family.
        let text = String::from_utf8(manifest).unwrap();
        manifest = text
            .replace(
                "vnd.oci.image.manifest.v1",
                "vnd.docker.distribution.manifest.v2",
            )
            .replace("vnd.oci.image.config.v1", "vnd.docker.container.image.v1")
            .replace(
                "vnd.oci.image.layer.v1.tar+zstd",
                "vnd.docker.image.rootfs.diff.tar.zstd",
            )
            .into_bytes();
        let media_type = "application/vnd.docker.distribution.manifest.v2+json";
        registry.put_manifest(repository, "single", media_type, &manifest);
        assert!(inspect(&[]) == manifest, "the registry keeps another");
    }
    let parsed: Value = serde_json::from_slice(&manifest).unwrap();
    let layer = parsed["layers"][0]["mediaType"].as_str().unwrap();
    let suffix = match (family, packing) {
        (Family::Docker, Packing::Gzip) => "tar.gzip",
        (Family::Docker, Packing::Zstd) => "tar.zstd",
        (Family::Oci, Packing::Gzip) => "tar+gzip",
        (Family::Oci, Packing::Zstd) => "tar+zstd",
        _ => "tar",
    };
    assert!(layer.ends_with(suffix), "{family:?} {packing:?}: {layer}");
    Expected {
        config,
        media_type: parsed["mediaType"].as_str().unwrap_or_default().to_owned(),
        manifest,
    }
}

/// Makes `index`, with an attestation and the image, and `nested`, with that index.
fn push_indexes(registry: &DockerRegistry, repository: &str, index_type: &str, image: &Expected) {
    let entry = |platform: Value, annotations: Value| {
        let media_type = match image.media_type.as_str() {
            "" => "application/vnd.oci.image.manifest.v1+json",
            own => own,
        };
        json!({
            "mediaType": media_type,
            "digest": digest(&image.manifest),
            "size": image.manifest.len(),
            "platform": platform,
            "annotations": annotations,
        })
    };
    let of_family = |entries: &[Value]| {
        String::from_utf8(index(entries))
            .unwrap()
            .replace(crate::support::image::OCI_INDEX, index_type)
            .into_bytes()
    };
    let inner = of_family(&[
        entry(
            json!({"os": "unknown", "architecture": "unknown"}),
            json!({"vnd.docker.reference.type": "attestation-manifest"}),
        ),
        entry(json!({"os": "linux", "architecture": "amd64"}), json!({})),
    ]);
    let outer = of_family(&[json!({
        "mediaType": index_type,
        "digest": digest(&inner),
        "size": inner.len(),
    })]);
    registry.put_manifest(repository, "index", index_type, &inner);
    registry.put_manifest(repository, "nested", index_type, &outer);
}

/// Takes one image all the way, and says what dockerd makes of it as it is.
fn check(
    reference: &str,
    expected: &Expected,
    reads_it: bool,
    nix: &Nix,
    dockerd: &Dockerd,
) -> &'static str {
    let platform = ["--platform", "linux/amd64"];
    let ask = |command: &str| {
        hocker([command, reference])
            .arguments(platform)
            .run()
            .done()
    };
    assert!(ask("manifest").stdout == expected.manifest, "{reference}");
    assert!(ask("config").stdout == expected.config, "{reference}");

    let result = nix.built_image(&ask("docker2nix").text());
    let layout: Value =
        serde_json::from_slice(&fs::read(result.join("oci/index.json")).unwrap()).unwrap();
    assert_eq!(
        layout["manifests"][0]["digest"],
        digest(&expected.manifest),
        "{reference}"
    );
    let streamed = load_stream(dockerd, &result.join("compositeImage.sh"));
    let outcome = if reads_it {
        assert!(streamed.status.success(), "{}", program::told(&streamed));
        check_loaded(dockerd, reference, expected);
        "loaded, runs"
    } else {
        // It says so, and nothing is left.
        assert!(!streamed.status.success(), "{reference}");
        let images = program::text(dockerd.docker().args(["image", "ls", "--quiet"]));
        assert_eq!(images, "", "{reference}");
        "refused: cannot read zstd"
    };

    // What the daemon cannot read is decompressed on the way.
    hocker(["load", result.to_str().unwrap()])
        .env("DOCKER_HOST", dockerd.host())
        .run()
        .done();
    check_loaded(dockerd, reference, expected);

    // Decompressed, every daemon reads it; and what comes from disk is what comes from the registry.
    let archives = ["archive", "archive-from-disk"].map(|name| nix.directory().join(name));
    for (archive, image) in archives.iter().zip([reference, result.to_str().unwrap()]) {
        hocker(["image", "--force", image, "--out"])
            .arguments([archive])
            .arguments(platform)
            .run()
            .done();
    }
    assert!(
        fs::read(&archives[0]).unwrap() == fs::read(&archives[1]).unwrap(),
        "{reference}: another archive from disk"
    );
    let loaded = dockerd.load(&archives[0]);
    assert!(loaded.status.success(), "{}", program::told(&loaded));
    check_loaded(dockerd, reference, expected);
    outcome
}

/// `compositeImage.sh | docker load`
fn load_stream(dockerd: &Dockerd, script: &Path) -> Output {
    let mut stream = Command::new(script)
        .env_clear()
        .stdout(Stdio::piped())
        .stderr(File::open("/dev/null").unwrap())
        .spawn()
        .unwrap();
    let archive = stream.stdout.take().unwrap();
    let loaded = program::output(dockerd.docker().arg("load").stdin(archive));
    // A daemon that refuses the archive closes the pipe.
    stream.wait().unwrap();
    loaded
}

/// Demands that the daemon has the image under its name, with its id and its diff ids, and runs it; then it is
/// removed.
fn check_loaded(dockerd: &Dockerd, reference: &str, expected: &Expected) {
    assert_eq!(dockerd.image_id(reference), digest(&expected.config));
    let layers = ["image", "inspect", "--format", "{{json .RootFS.Layers}}"];
    let layers = program::text(dockerd.docker().args(layers).arg(reference));
    let config: Value = serde_json::from_slice(&expected.config).unwrap();
    assert_eq!(
        serde_json::from_str::<Value>(&layers).unwrap(),
        config["rootfs"]["diff_ids"]
    );
    assert_eq!(dockerd.run_image(reference), GREETING);
    program::run(dockerd.docker().args(["image", "rm", "--force", reference]));
}
