//! The module over home-manager itself. `HOME_MANAGER` names a checkout of it.

use serde_json::json;

use super::home::CONTAINERS;
use crate::machine::configuration::Configuration;
use crate::machine::nix::Nix;

#[test]
#[ignore = "needs HOME_MANAGER"]
fn home_manager_makes_containers_of_the_images() {
    let nix = Nix::new();
    let values = Configuration::home(CONTAINERS).over_home_manager().values(
        &nix,
        "quadlets = quadlets; order = order; content = config.services.hocker.images.web.content; \
         files = lib.filter (lib.hasInfix \"hocker\") (lib.attrNames config.xdg.configFile);",
    );
    let quadlet = |name: &str| values["quadlets"][name].as_str().unwrap();
    let marked = format!("X-HockerImage={}", values["content"].as_str().unwrap());
    for (name, image) in [
        ("podman-web", "Image=docker.io/library/nginx:1.27"),
        ("podman-named", "Image=other:1"),
    ] {
        for line in [image, "Pull=never", "DefaultDependencies=false", &marked] {
            assert!(
                quadlet(name).lines().any(|found| found == line),
                "{line} in {}",
                quadlet(name)
            );
        }
    }
    assert!(
        !quadlet("podman-foreign").contains("Pull="),
        "{}",
        quadlet("podman-foreign")
    );
    // home-manager writes the units, links what starts them, and adds to the units that podman makes.
    assert_eq!(
        values["files"],
        json!([
            "systemd/user/default.target.wants/hocker-load-other.service",
            "systemd/user/default.target.wants/hocker-load-web.service",
            "systemd/user/default.target.wants/hocker-prune-podman.service",
            "systemd/user/hocker-load-other.service",
            "systemd/user/hocker-load-web.service",
            "systemd/user/hocker-podman.service",
            "systemd/user/hocker-podman.socket",
            "systemd/user/hocker-prune-podman.service",
            "systemd/user/podman-named.service.d/hocker.conf",
            "systemd/user/podman-web.service.d/hocker.conf",
            "systemd/user/sockets.target.wants/hocker-podman.socket",
        ])
    );
    // New images are loaded before containers are restarted.
    let order: Vec<&str> = values["order"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let place = |name: &str| order.iter().position(|found| *found == name).unwrap();
    assert!(place("linkGeneration") < place("hockerImages"), "{order:?}");
    assert!(place("hockerImages") < place("reloadSystemd"), "{order:?}");
}

#[test]
#[ignore = "needs HOME_MANAGER"]
fn a_home_without_containers_of_podman_loads_images_too() {
    let nix = Nix::new();
    let values = Configuration::home(
        "services.hocker = { enable = true; images.web.image = fetch \"nginx:1.27\"; };",
    )
    .over_home_manager()
    .values(
        &nix,
        "order = order; package = \"${config.services.hocker.podman.package}\"; \
         unit = config.services.hocker.images.web.unit;",
    );
    assert_eq!(values["unit"], "hocker-load-web.service");
    assert_eq!(values["package"], "/packages/podman");
    let order = values["order"].as_array().unwrap();
    assert!(!order.contains(&json!("hockerImages")), "{order:?}");
}
