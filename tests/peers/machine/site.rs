//! A company's site, as the pages describe one: a host of its own with a private registry at registry.example.com,
//! by https with a certificate of the company's authority and for one user, and a working directory with the Nix
//! functions and the static executable.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::desk::Desk;
use super::host::Host;
use super::nix::built;
use super::program;
use super::server::Server;
use crate::support::files::listing;
use crate::support::image::{Family, Image, Layer, Packing, noise};
use crate::support::tls::Authority;

/// The registry's name.
pub(crate) const REGISTRY: &str = "registry.example.com";
/// The user's name.
pub(crate) const USER: &str = "ann";
/// The user's password.
pub(crate) const PASSWORD: &str = "s3cret=x";
/// `ann:s3cret=x` in base64.
pub(crate) const BASIC: &str = "YW5uOnMzY3JldD14";

/// The certificate of the company's authority.
const CA: &str = "/etc/ssl/company-ca.pem";

/// The site.
pub(crate) struct Site {
    _registries: Vec<Server>,
    desk: Desk,
    image: Image,
}

impl Site {
    /// A site whose machines know the registry's address.
    pub(crate) fn start() -> Self {
        Self::with_names(&[REGISTRY])
    }

    /// A site where machines know only these names.
    pub(crate) fn with_names(names: &[&str]) -> Self {
        let host = Host::start(names);
        let authority = Authority::new("the company");
        fs::copy(
            authority.write(host.directory()),
            host.etc("ssl/company-ca.pem"),
        )
        .unwrap();
        let storage = host.directory().join("storage");
        let passwords = program::run(Command::new("htpasswd").args(["-Bbn", USER, PASSWORD]));
        let layer = Layer::of_files(Packing::Gzip, &[("content", &noise(100_000))]);
        let image = Image::new(Family::Oci, &["/hello"], vec![layer]);
        let layout = image.layout("1");
        let registries = serve(&host, &storage, &passwords, &authority);
        let site = Self {
            _registries: registries,
            desk: Desk::on(host),
            image,
        };
        site.push(layout.path());
        site.furnish();
        site
    }

    /// By loopback's own name, which needs no hosts file.
    fn push(&self, layout: &Path) {
        program::run(
            self.host()
                .command("skopeo", layout)
                .args(["--insecure-policy", "copy", "--dest-tls-verify=false"])
                .args(["--preserve-digests", "--dest-creds"])
                .arg(format!("{USER}:{PASSWORD}"))
                .arg(format!("oci:{}:1", layout.display()))
                .arg("docker://localhost/team/app:1"),
        );
    }

    fn furnish(&self) {
        self.write("password.txt", PASSWORD);
        self.write("app.json", &self.image.manifest);
        self.write(
            "app.nix",
            format!(
                "(import ./nix {{ hocker = ./hocker; }}).fetchdocker {{\n\
                 image = \"{REGISTRY}/team/app:1\";\n\
                 imageManifest = ./app.json;\n}}\n"
            ),
        );
    }

    /// The working directory.
    pub(crate) fn directory(&self) -> &Path {
        self.desk.directory()
    }

    /// The host.
    pub(crate) fn host(&self) -> &Host {
        self.desk.host()
    }

    /// Where somebody works.
    pub(crate) fn desk(&self) -> &Desk {
        &self.desk
    }

    /// The image at team/app:1.
    pub(crate) fn image(&self) -> &Image {
        &self.image
    }

    /// Writes a file, below the site's `/etc` or in the working directory.
    pub(crate) fn write(&self, path: &str, text: impl AsRef<[u8]>) {
        self.desk.write(path, text);
    }

    /// Where a file is for the test.
    pub(crate) fn path(&self, path: &str) -> PathBuf {
        self.desk.path(path)
    }

    /// Runs a script as someone at the site would, with nothing of this machine's environment.
    pub(crate) fn shell(&self, script: &str, variables: &[(&str, &str)]) -> Output {
        self.desk.shell(script, variables)
    }

    /// Builds `app.nix`, its sandbox showing the authority's certificate and these files, with these variables.
    pub(crate) fn build(&self, shown: &[&str], variables: &[(&str, &str)]) -> Output {
        let shown = [&[CA], shown].concat();
        let variables = [&[("NIX_SSL_CERT_FILE", CA)], variables].concat();
        self.build_bare(&shown, &variables)
    }

    /// The same without anything about the authority.
    pub(crate) fn build_bare(&self, shown: &[&str], variables: &[(&str, &str)]) -> Output {
        self.write(
            "/etc/nix/nix.conf",
            format!("extra-sandbox-paths = {}\n", shown.join(" ")),
        );
        self.shell("nix-build app.nix", variables)
    }

    /// What makes hocker, skopeo and builds trust the registry: for those who do not try just that.
    pub(crate) fn trust(&self) -> [(&'static str, String); 3] {
        [
            ("NIX_SSL_CERT_FILE", CA.to_owned()),
            ("SSL_CERT_FILE", CA.to_owned()),
            (
                "NIX_CONFIG",
                self.desk
                    .nix_config(&format!("extra-sandbox-paths = {CA}\n")),
            ),
        ]
    }

    /// Whether this Nix shows builds that fetch something the authorities that `NIX_SSL_CERT_FILE` names, without
    /// being told: since <https://github.com/NixOS/nix/pull/7312>, which also made them a setting.
    pub(crate) fn nix_shows_authorities(&self) -> bool {
        let mut nix = self.desk.nix().command("nix");
        nix.args([
            "show-config",
            "--extra-experimental-features",
            "nix-command",
        ]);
        program::text(&mut nix).contains("ssl-cert-file")
    }

    /// Forgets what was built.
    pub(crate) fn forget(&self) {
        self.desk.forget();
    }

    /// Demands that a build was done, is the image, and gave away no secret.
    #[track_caller]
    pub(crate) fn is_built(&self, output: &Output) {
        let result = built(output);
        let blobs = result.join("oci/blobs/sha256");
        let layer = &self.image.layers[0];
        assert!(
            fs::read(blobs.join(layer.hex())).unwrap() == layer.blob,
            "another layer"
        );
        self.is_discreet(output);
    }

    /// Demands that no secret is in what was said, in the store with its derivations, or in Nix's own files.
    #[track_caller]
    pub(crate) fn is_discreet(&self, output: &Output) {
        is_discreet(self.directory(), output, &[PASSWORD, BASIC]);
    }
}

/// Demands that none of the secrets is in what was said, nor in what Nix keeps below a directory.
#[track_caller]
pub(crate) fn is_discreet(directory: &Path, output: &Output, secrets: &[&str]) {
    let told = program::told(output);
    let kept = ["store", "var", "log"].map(|place| listing(&directory.join(place)));
    assert!(!kept[0].is_empty(), "there is no derivation to look at");
    for secret in secrets {
        assert!(!told.contains(secret), "{secret} is in {told}");
        for (path, content) in kept.iter().flatten() {
            let content = content.as_deref().unwrap_or_default();
            let found = content
                .windows(secret.len())
                .any(|window| window == secret.as_bytes());
            assert!(!found, "{secret} is in {}", path.display());
        }
    }
}

/// Two servers over one storage: by https, and by plain http.
fn serve(host: &Host, storage: &Path, passwords: &[u8], authority: &Authority) -> Vec<Server> {
    let file = |name: &str, content: &[u8]| {
        let path = host.directory().join(name);
        fs::write(&path, content).unwrap();
        path
    };
    let identity = authority.identity(&[REGISTRY, "localhost"]);
    let certificate = file("certificate.pem", identity.certificate.as_bytes());
    let key = file("key.pem", identity.key.as_bytes());
    let passwords = file("htpasswd", passwords);
    let tls = format!(
        "  tls:\n    certificate: {}\n    key: {}\n",
        certificate.display(),
        key.display()
    );
    [(443, tls.as_str()), (80, "")]
        .map(|(port, tls)| {
            let text = format!(
                "version: 0.1\nlog:\n  level: warn\n\
                 storage:\n  filesystem:\n    rootdirectory: {}\n\
                 auth:\n  htpasswd:\n    realm: company\n    path: {}\n\
                 http:\n  addr: 127.0.0.1:{port}\n{tls}",
                storage.display(),
                passwords.display()
            );
            let config = file(&format!("registry-{port}.yml"), text.as_bytes());
            Server::start(
                host.command("docker-registry", Path::new("/"))
                    .arg("serve")
                    .arg(config),
                &host.directory().join(format!("registry-{port}.log")),
                || host.listens(port),
            )
        })
        .into()
}
