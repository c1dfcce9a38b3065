//! The registries that the pages name, by their own names: Docker Hub, ghcr.io and quay.io are one registry on a host
//! of the test's own, by https, open to everybody, and its authority is among those that the host trusts.

use std::fs;
use std::path::Path;

use serde_json::json;

use super::desk::Desk;
use super::host::Host;
use super::program;
use super::server::Server;
use crate::support::image::{Family, Image, Layer, index, list_index_as};
use crate::support::tls::Authority;

/// The hosts of the registries.
const NAMES: [&str; 3] = ["registry-1.docker.io", "ghcr.io", "quay.io"];

/// What the host trusts.
const BUNDLE: &str = "/etc/ssl/certs/ca-certificates.crt";

/// The registries, and somebody who uses them.
pub(crate) struct Internet {
    _registry: Server,
    desk: Desk,
}

impl Internet {
    /// Registries with images, each under `repository:tag`, as an index of one platform.
    pub(crate) fn with(images: &[(&str, &Image)]) -> Self {
        let host = Host::start(&NAMES);
        let authority = Authority::new("the internet");
        let registry = serve(&host, &authority);
        let bundle = host.etc(BUNDLE.strip_prefix("/etc/").unwrap());
        let own = authority.write(host.directory());
        let trusted = [bundle.as_path(), &own].map(|path| fs::read_to_string(path).unwrap());
        fs::write(&bundle, trusted.concat()).unwrap();
        for (name, image) in images {
            push(&host, image, name);
        }
        Self {
            _registry: registry,
            desk: Desk::on(host),
        }
    }

    /// Where somebody works.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// Settings for Nix with which builds trust what the host trusts.
    pub(crate) fn nix_config(&self) -> String {
        self.desk.nix_config(&format!(
            "experimental-features = nix-command\nextra-sandbox-paths = {BUNDLE}\n"
        ))
    }
}

/// An image of these layers for this machine.
pub(crate) fn image(layers: Vec<Layer>) -> Image {
    let architecture = match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    };
    let platform = json!({"os": "linux", "architecture": architecture});
    Image::for_platform(Family::Oci, &platform, &["/hello"], layers)
}

fn serve(host: &Host, authority: &Authority) -> Server {
    let file = |name: &str, content: &str| {
        let path = host.directory().join(name);
        fs::write(&path, content).unwrap();
        path.display().to_string()
    };
    let names = [&NAMES[..], &["localhost"]].concat();
    let identity = authority.identity(&names);
    let (certificate, key) = (
        file("certificate.pem", &identity.certificate),
        file("key.pem", &identity.key),
    );
    let config = file(
        "registry.yml",
        &format!(
            "version: 0.1\nlog:\n  level: warn\n\
             storage:\n  filesystem:\n    rootdirectory: {}\n\
             http:\n  addr: 127.0.0.1:443\n  tls:\n    certificate: {certificate}\n    key: {key}\n",
            host.directory().join("storage").display()
        ),
    );
    Server::start(
        host.command("docker-registry", Path::new("/"))
            .args(["serve", &config]),
        &host.directory().join("registry.log"),
        || host.listens(443),
    )
}

/// By loopback's own name, which needs no hosts file.
fn push(host: &Host, image: &Image, name: &str) {
    let layout = image.layout("1");
    let index = index(&[image.descriptor()]);
    list_index_as(layout.path(), &index, "1");
    program::run(
        host.command("skopeo", layout.path())
            .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
            .args(["--all", "--preserve-digests"])
            .arg(format!("oci:{}:1", layout.path().display()))
            .arg(format!("docker://localhost/{name}")),
    );
}
