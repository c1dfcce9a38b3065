//! What systemd makes of the units: it understands them, and finds little that they may do.

use std::fs;
use std::process::Command;

use crate::machine::configuration::Configuration;
use crate::machine::nix::{Nix, static_hocker};
use crate::machine::program;

/// The exposure that `systemd-analyze security` may find, in tenths. A service that says nothing has 96.
const EXPOSURE: &str = "20";

/// Where NixOS has it.
const SYSTEMCTL: &str = "/run/current-system/systemd/bin/systemctl";

/// Keys that systemd 254 brought, and that older versions ignore with a warning.
pub(super) const NEWER_KEYS: &str = "RestartMode=";

#[test]
#[ignore = "needs NIXPKGS_LIB"]
fn systemd_understands_the_units_and_finds_them_hardened() {
    let nix = Nix::new();
    let values = Configuration::new(
        r#"
        virtualisation.oci-containers = {
          backend = "docker";
          containers.web.image = "nginx:1.27";
        };
        services.hocker = {
          enable = true;
          images.web = { image = fetch "nginx:1.27"; backend = "docker"; };
          images.far = { image = fetch "nginx:1.27"; backend = "podman"; };
          podman.host = "tcp://192.0.2.1:2375";
          prune.enable = true;
          serve.enable = true;
        };
        "#,
    )
    .values(
        &nix,
        "units = units // { inherit (texts) hocker; }; inherit (config.services.hocker) program;",
    );
    let program = values["program"].as_str().unwrap();
    let directory = nix.directory().join("units");
    fs::create_dir(&directory).unwrap();
    // What the daemon's package brings.
    fs::write(
        directory.join("docker.socket"),
        "[Socket]\nListenStream=/run/docker.sock\n",
    )
    .unwrap();
    let service = format!("[Service]\nExecStart={}\n", static_hocker().display());
    fs::write(directory.join("docker.service"), service).unwrap();

    let units = values["units"].as_object().unwrap();
    assert_eq!(units.len(), 6, "{:?}", units.keys());
    for (name, text) in units {
        // systemd asks whether the program is there.
        let text = text
            .as_str()
            .unwrap()
            .replace(program, static_hocker().to_str().unwrap())
            .replace(SYSTEMCTL, "/bin/systemctl");
        let lines: Vec<&str> = text
            .lines()
            .filter(|line| !line.starts_with(NEWER_KEYS))
            .collect();
        fs::write(directory.join(format!("{name}.service")), lines.join("\n")).unwrap();
    }
    for name in units.keys() {
        let file = directory.join(format!("{name}.service"));
        let analyze = |arguments: &[&str]| {
            let output = program::output(
                Command::new("systemd-analyze")
                    .env("SYSTEMD_UNIT_PATH", format!("{}:", directory.display()))
                    .args(arguments)
                    .arg(&file),
            );
            let told = format!(
                "{}{}",
                String::from_utf8_lossy(&output.stdout),
                program::told(&output)
            );
            assert!(output.status.success(), "{name}: {told}");
            told
        };
        let told = analyze(&["verify", "--man=no", "--recursive-errors=no"]);
        assert_eq!(told.trim(), "", "{name}");
        analyze(&[
            "security",
            "--offline=true",
            "--no-pager",
            &format!("--threshold={EXPOSURE}"),
        ]);
    }
}
