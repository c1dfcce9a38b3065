//! What the pages say about private registries and networks, at a company's site.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};

use super::{NETWORKS, PRIVATE, follow, section};
use crate::machine::program;
use crate::machine::server::wait_until;
use crate::machine::site::{PASSWORD, REGISTRY, Site, USER};
use crate::machine::tinyproxy::Tinyproxy;

const CREDENTIALS: [(&str, &str); 2] = [("DOCKER_USER", USER), ("DOCKER_PASS", PASSWORD)];

#[test]
pub(super) fn builds_from_private_registries() {
    let site = Site::start();
    let trust = site.trust();
    let trust = trust
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    for name in ["app.json", "app.nix"] {
        fs::remove_file(site.path(name)).unwrap();
    }
    follow(
        site.desk(),
        &section(PRIVATE, "Builds from private registries"),
        &trust,
    );
    assert_eq!(
        fs::read(site.path("app.json")).unwrap(),
        site.image().manifest
    );
    // Who has logged in may fetch the manifest, and the build has nothing of that.
    let refused = site.shell("nix-build app.nix", &trust);
    assert!(!refused.status.success());
    assert!(program::told(&refused).contains(&format!("from {REGISTRY}")));
    site.is_discreet(&refused);
    for title in [
        "Builds with a password from the environment",
        "Builds with credentials from a file",
        "Builds with the classic credentials file",
    ] {
        site.forget();
        site.write("/etc/nix/nix.conf", "");
        let output = follow(site.desk(), &section(PRIVATE, title), &trust);
        site.is_built(&output);
    }
}

#[test]
pub(super) fn a_certificate_authority_of_your_own() {
    let site = Site::start();
    let output = follow(
        site.desk(),
        &section(NETWORKS, "A certificate authority of your own"),
        &CREDENTIALS,
    );
    site.is_built(&output);
}

#[test]
pub(super) fn through_a_proxy() {
    let site = Site::with_names(&["proxy.example.com"]);
    let proxy = Tinyproxy::start(site.host(), &[REGISTRY], None);
    let trust = site.trust();
    let trust = trust
        .each_ref()
        .map(|(name, value)| (*name, value.as_str()));
    let variables = [&trust[..], &CREDENTIALS].concat();
    let output = follow(
        site.desk(),
        &section(NETWORKS, "Through a proxy"),
        &variables,
    );
    site.is_built(&output);
    // The manifest, the configuration and the layer.
    assert_eq!(
        proxy.requests(),
        vec![format!("CONNECT {REGISTRY}:443 HTTP/1.1"); 3]
    );
}

/// What systemd does, as far as the page needs it.
const SYSTEMCTL: &str = r#"#!/bin/bash
set -eu
case "$*" in
daemon-reload) ;;
"restart nix-daemon")
  drop_ins=(/etc/systemd/system/nix-daemon.service.d/*.conf)
  mapfile -t environment < <(sed -n 's/^Environment=//p' "${drop_ins[@]}")
  # Nothing of the caller's, and it must not ask itself.
  env -u SSL_CERT_FILE -u NIX_REMOTE "${environment[@]}" nix-daemon </dev/null >daemon.log 2>&1 &
  echo $! >daemon.pid
  until [[ -S $NIX_STATE_DIR/daemon-socket/socket ]]; do sleep 0.1; done
  ;;
*) exit 1 ;;
esac
"#;

/// The daemon that a script left running. It is ended when this is dropped.
struct Daemon<'a>(&'a Site);

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        let pid = fs::read_to_string(self.0.path("daemon.pid")).unwrap_or_default();
        if let Some(pid) = pid.trim().parse().ok().and_then(Pid::from_raw) {
            let _ = kill_process(pid, Signal::TERM);
            let _ = wait_until(|| rustix::process::test_kill_process(pid).is_err());
        }
    }
}

/// Users for builds, as Nix's installation makes them.
fn add_builders(site: &Site) {
    let users = ["nixbld1", "nixbld2", "nixbld3"];
    let append = |path: &str, lines: &str| {
        let path = site.path(path);
        let text = fs::read_to_string(&path).unwrap();
        fs::write(&path, format!("{text}{lines}")).unwrap();
    };
    append(
        "/etc/group",
        &format!("nixbld:x:30000:{}\n", users.join(",")),
    );
    for (id, name) in (30001..).zip(users) {
        append(
            "/etc/passwd",
            &format!("{name}:x:{id}:30000::/var/empty:/usr/sbin/nologin\n"),
        );
    }
}

#[test]
pub(super) fn builds_by_a_nix_daemon() {
    let site = Site::start();
    add_builders(&site);
    site.write("bin/systemctl", SYSTEMCTL);
    let executable = fs::Permissions::from_mode(0o755);
    fs::set_permissions(site.path("bin/systemctl"), executable).unwrap();
    let daemon = Daemon(&site);
    let section = section(PRIVATE, "Builds by a Nix daemon");
    let output = follow(
        site.desk(),
        &section,
        &[
            ("NIX_REMOTE", "daemon"),
            (
                "NIX_CONFIG",
                "sandbox = true\nsandbox-fallback = false\nbuild-users-group = nixbld\nsubstituters =\n",
            ),
            // For skopeo's login alone: the daemon is told of the authority by its own file.
            ("SSL_CERT_FILE", "/etc/ssl/company-ca.pem"),
        ],
    );
    drop(daemon);
    site.is_built(&output);
    let mode = fs::metadata(site.path("/etc/nix/registries.json"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o777, 0o640);

    // NixOS writes the same.
    let evaluated = site.shell(
        "nix-instantiate --eval --strict --json --expr 'import ./configuration.nix'",
        &[],
    );
    let evaluated: Value = serde_json::from_slice(&evaluated.stdout).unwrap();
    let (_, paths) = section.file("/etc/nix/nix.conf")[0]
        .split_once(" = ")
        .unwrap();
    let paths: Vec<&str> = paths.split(' ').collect();
    let environment: serde_json::Map<String, Value> = section
        .file("/etc/systemd/system/nix-daemon.service.d/registries.conf")
        .iter()
        .filter_map(|line| line.strip_prefix("Environment=")?.split_once('='))
        .map(|(name, value)| (name.to_owned(), value.into()))
        .collect();
    assert_eq!(
        evaluated,
        json!({
            "nix": {"settings": {"extra-sandbox-paths": paths}},
            "systemd": {"services": {"nix-daemon": {"environment": environment}}},
        })
    );
}
