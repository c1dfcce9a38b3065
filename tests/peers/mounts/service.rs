//! A service of an image, started by a systemd of its own: the unit that the builder makes of the image's config, with
//! what the NixOS module adds, in the file system that the builder makes of the layers.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use super::{EntryType, add};
use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;
use crate::machine::program;
use crate::machine::server::{Server, wait_until};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, Layer, Packing};

/// Reports what it is, in the directory that it may write.
const PROGRAM: &str = r#"
    fn main() {
        let status = std::fs::read_to_string("/proc/self/status").unwrap();
        let wanted = ["Uid:", "Gid:", "Groups:", "CapEff:", "NoNewPrivs:"];
        let mut report: Vec<String> = status
            .lines()
            .filter(|line| wanted.iter().any(|key| line.starts_with(key)))
            .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
            .collect();
        report.push(format!("args {:?}", std::env::args().collect::<Vec<_>>()));
        report.push(format!("directory {}", std::env::current_dir().unwrap().display()));
        for name in ["OWN", "GIVEN", "HOME", "SECRET"] {
            report.push(format!("{name}={:?}", std::env::var(name)));
        }
        report.push(format!("root {}", std::fs::write("/new", "x").is_err()));
        report.push(format!("cache {}", std::fs::write("/cache/new", "x").is_ok()));
        report.push(format!("tmp {}", std::fs::write("/tmp/new", "x").is_ok()));
        report.push(format!("file {:?}", std::fs::read_to_string("/etc/app.conf")));
        std::fs::write("/data/report.new", report.join("\n")).unwrap();
        std::fs::rename("/data/report.new", "/data/report").unwrap();
        loop {
            std::thread::park();
        }
    }
"#;

const REPORT: &str = r#"Uid: 1234 1234 1234 1234
Gid: 5678 5678 5678 5678
NoNewPrivs: 1
CapEff: 0000000000000000
args ["app", "two words", "$HOME", "%n"]
directory /srv
OWN=Ok("100%n")
GIVEN=Ok("5% of $X")
HOME=Ok("/home/app")
SECRET=Ok("s3cret")
root true
cache true
tmp true
file Ok("configured")"#;

/// The image, as a layout.
fn image(directory: &Path) -> PathBuf {
    let source = directory.join("app.rs");
    fs::write(&source, PROGRAM).unwrap();
    program::run(
        Command::new("rustc")
            .args(["-C", "target-feature=+crt-static", "-C", "strip=symbols"])
            .arg("-o")
            .args([&directory.join("app"), &source]),
    );
    let executable = fs::read(directory.join("app")).unwrap();
    let mut base = tar::Builder::new(Vec::new());
    add(&mut base, "etc", EntryType::Directory, "");
    let mut header = tar::Header::new_gnu();
    header.set_mode(0o755);
    header.set_size(0);
    header.set_entry_type(EntryType::Directory);
    for name in ["etc", "srv", "bin", "cache"] {
        base.append_data(&mut header, name, &b""[..]).unwrap();
    }
    add(
        &mut base,
        "etc/passwd",
        EntryType::Regular,
        "old:x:1:1::/:\n",
    );
    let mut users = tar::Builder::new(Vec::new());
    add(
        &mut users,
        "etc/passwd",
        EntryType::Regular,
        "root:x:0:0::/root:\napp:x:1234:5678::/home/app:\n",
    );
    let layers = vec![
        Layer::of_tar(Packing::Gzip, base.into_inner().unwrap()),
        Layer::of_files(Packing::Gzip, &[("bin/app", &executable)]),
        Layer::of_tar(Packing::Gzip, users.into_inner().unwrap()),
    ];
    let diff_ids: Vec<_> = layers
        .iter()
        .map(|layer| crate::support::image::digest(&layer.tar))
        .collect();
    let config = json!({
        "os": "linux",
        "architecture": "amd64",
        "config": {
            "User": "app",
            "Env": ["OWN=100%n"],
            "Entrypoint": ["app"],
            "Cmd": ["two words", "$HOME", "%n"],
            "WorkingDir": "/srv",
            "StopSignal": "SIGUSR1",
        },
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    });
    let platform = json!({"os": "linux", "architecture": "amd64"});
    let config = serde_json::to_vec(&config).unwrap();
    let image = Image::with_config(Family::Oci, &platform, config, layers);
    image.write_layout(&directory.join("layout"), "app:1");
    directory.join("layout")
}

/// Starts the builder, as Nix does.
fn build(directory: &Path, attributes: &Value) {
    let file = directory.join("attributes.json");
    fs::write(&file, attributes.to_string()).unwrap();
    hocker(["builder"])
        .env("NIX_ATTRS_JSON_FILE", file)
        .run()
        .done();
}

/// A systemd in namespaces and a control group of its own, whose units are in a directory.
struct Systemd {
    server: Server,
    leader: String,
    group: String,
}

impl Systemd {
    fn start(directory: &Path, units: &Path) -> Self {
        let group = format!("hocker-test-{}", std::process::id());
        let script = format!(
            "for at in /sys/fs/cgroup /sys/fs/cgroup/systemd /sys/fs/cgroup/unified; do \
               [ -e $at/cgroup.procs ] && mkdir $at/{group} && echo $$ > $at/{group}/cgroup.procs; \
             done; \
             exec unshare --cgroup --mount --uts --ipc --pid --fork --mount-proc --kill-child sh -c '\
               mount --make-rprivate / && mount -t tmpfs tmpfs /run && mount -t tmpfs tmpfs /var/lib && \
               mount --bind {0}/passwd /etc/passwd && mount --bind {0}/group /etc/group && \
               exec env --ignore-environment container=hocker PATH=$PATH SYSTEMD_UNIT_PATH={1} \
                 /lib/systemd/systemd --system --log-target=console --log-level=info'",
            directory.display(),
            units.display()
        );
        let server = Server::start(
            Command::new("sh").args(["-c", &script]),
            &directory.join("log"),
            || true,
        );
        let mut systemd = Self {
            leader: String::new(),
            group,
            server,
        };
        let pid = systemd.server.pid();
        let children = format!("/proc/{pid}/task/{pid}/children");
        wait_until(|| {
            let children = fs::read_to_string(&children).unwrap_or_default();
            children.trim().clone_into(&mut systemd.leader);
            // Before, the shell has children of its own.
            let name = format!("/proc/{}/comm", systemd.leader);
            fs::read_to_string(name).is_ok_and(|name| name == "systemd\n")
        })
        .unwrap();
        systemd
    }

    fn systemctl(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command
            .args(["--target", &self.leader, "--mount", "--pid", "systemctl"])
            .args(arguments);
        command
    }
}

impl Drop for Systemd {
    fn drop(&mut self) {
        let _ = Command::new("kill").args(["-9", &self.leader]).output();
        for at in ["", "systemd", "unified"] {
            let group = Path::new("/sys/fs/cgroup").join(at).join(&self.group);
            // Groups are empty a moment after their processes have ended.
            let _ = wait_until(|| {
                let _ = Command::new("find")
                    .arg(&group)
                    .args(["-depth", "-type", "d", "-exec", "rmdir", "{}", ";"])
                    .output();
                !group.exists()
            });
        }
    }
}

/// Adds what NixOS adds to the unit, with this file system, and the targets that units need.
fn extend(units: &Path, name: &str, extension: &str, image: &Path) {
    let own_image = format!("RootImage={}", image.display());
    let lines = extension.lines().map(|line| {
        if line.starts_with("RootImage=") {
            &own_image
        } else {
            line
        }
    });
    let lines: Vec<_> = lines.collect();
    let extensions = units.join(format!("{name}.d"));
    fs::create_dir(&extensions).unwrap();
    fs::write(extensions.join("overrides.conf"), lines.join("\n")).unwrap();
    for target in ["default", "sysinit", "basic", "shutdown"] {
        let wants = if target == "default" { name } else { "" };
        let text = format!("[Unit]\nDefaultDependencies=no\nWants={wants}\n");
        fs::write(units.join(format!("{target}.target")), text).unwrap();
    }
}

/// Writes the accounts that NixOS would create.
fn write_accounts(directory: &Path, accounts: &Value) {
    assert_eq!(accounts["users"]["hocker-1234"]["uid"], 1234);
    assert_eq!(accounts["groups"]["hocker-5678"]["gid"], 5678);
    for (name, line) in [
        ("passwd", "hocker-1234:x:1234:5678::/:/bin/false\n"),
        ("group", "hocker-5678:x:5678:\n"),
    ] {
        let mut text = fs::read_to_string(Path::new("/etc").join(name)).unwrap();
        text.push_str(line);
        fs::write(directory.join(name), text).unwrap();
    }
}

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn systemd_runs_an_image_as_its_config_says() {
    let nix = Nix::new();
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let layout = image(directory.path());
    fs::write(at("app.conf"), "configured").unwrap();
    fs::write(at("secret"), "SECRET=s3cret\n").unwrap();
    let values = Configuration::new(&format!(
        r#"
        services.hocker = {{
          enable = true;
          services.web = {{
            image = fetch "nginx:1.27";
            user = "1234:5678";
            environment.GIVEN = "5% of $X";
            environmentFiles = [ "{0}/secret" ];
            stateDirectories."/data" = "app";
            temporaryDirectories = [ "/cache" ];
            binds."/etc/app.conf" = {{ source = "{0}/app.conf"; isFile = true; }};
          }};
        }};
        "#,
        directory.path().display()
    ))
    .values(
        &nix,
        "inherit (units) hocker-service-web; rootfs = config.services.hocker.services.web.rootfs.imageRootfs; \
         unit = (lib.head config.systemd.packages).imageService; accounts = config.users;",
    );

    // What Nix would build. The manifest of the configuration is another image's.
    let mut rootfs = values["rootfs"].clone();
    rootfs["image"] = json!(layout);
    build(
        directory.path(),
        &json!({"outputs": {"out": at("app.erofs"), "users": at("users")}, "imageRootfs": rootfs}),
    );
    let mut unit = values["unit"].clone();
    unit["image"] = json!(layout);
    unit["users"] = json!(at("users"));
    build(
        directory.path(),
        &json!({"outputs": {"out": at("package")}, "imageService": unit}),
    );

    let units = at("package/lib/systemd/system");
    let name = "hocker-service-web.service";
    let extension = values["hocker-service-web"].as_str().unwrap();
    extend(&units, name, extension, &at("app.erofs"));

    write_accounts(directory.path(), &values["accounts"]);

    let systemd = Systemd::start(directory.path(), &units);
    let report = Path::new("/proc")
        .join(&systemd.leader)
        .join("root/var/lib/app/report");
    let ready = wait_until(|| report.exists());
    let log = || {
        let status = program::output(&mut systemd.systemctl(&["status", "--no-pager", name]));
        program::told(&status)
    };
    assert!(ready.is_ok(), "{}", log());
    let report = fs::read_to_string(report).unwrap();
    let report: Vec<_> = report
        .lines()
        .filter(|line| !line.starts_with("Groups:"))
        .collect();
    let mut expected: Vec<_> = REPORT.lines().collect();
    let mut found = report.clone();
    expected.sort_unstable();
    found.sort_unstable();
    assert_eq!(found, expected, "{}", log());

    program::run(&mut systemd.systemctl(&["stop", name]));
    let shown = program::text(&mut systemd.systemctl(&[
        "show",
        "--property=ExecMainStatus",
        "--property=ExecMainCode",
        name,
    ]));
    let signal = rustix::process::Signal::USR1.as_raw();
    assert!(
        shown.contains(&format!("ExecMainStatus={signal}")),
        "{shown}"
    );
}
