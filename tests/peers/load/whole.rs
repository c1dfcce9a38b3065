//! Podman's image store and containerd's in Docker, where the daemon does not fetch the image: they get all layers.

use super::{SMALL, image, is_about, load};
use crate::machine::counting_socket::CountingSocket;
use crate::machine::daemon::{Daemon, Store};
use crate::machine::program;
use crate::machine::real_image::{GREETING, program_layer};
use crate::support::image::{Family, Image, Layer, Packing};

/// Lists the names of all images.
const NAMES: [&str; 4] = ["image", "ls", "--format", "{{.Repository}}:{{.Tag}}"];

fn blobs(layers: &[Layer]) -> u64 {
    layers.iter().map(|layer| layer.blob.len() as u64).sum()
}

#[test]
fn an_image_is_sent_whole_and_once() {
    for daemon in Daemon::all() {
        if daemon.store() == Store::Docker {
            continue;
        }
        let socket = CountingSocket::without_pulls(daemon.socket());
        let one = image(Packing::Gzip, vec![program_layer(GREETING)]);
        let first = one.layout("team/app:1");
        let all = blobs(&one.layers);
        let id = load(&socket.host(), first.path())
            .run()
            .done()
            .says("sent 3 of 3 layers, ")
            .text();
        let sent = socket.sent();
        is_about(sent, all);
        assert_eq!(id.trim(), daemon.image_id("team/app:1"));
        let ran = daemon.run("team/app:1");
        assert!(
            program::told(&ran).contains(GREETING),
            "{}",
            program::told(&ran)
        );

        load(&socket.host(), first.path())
            .run()
            .done()
            .says("the daemon has the image; nothing was sent");
        load(&socket.host(), first.path())
            .arguments(["--tag", "other:2"])
            .run()
            .done()
            .says("it got the names other:2");
        let sent = socket.sent();
        assert!(sent < SMALL, "{sent}");
        assert_eq!(daemon.image_id("other:2"), id.trim());

        let two = image(Packing::Gzip, vec![program_layer("Another.")]);
        let second = two.layout("team/app:2");
        load(&socket.host(), second.path())
            .run()
            .done()
            .says("sent 3 of 3 layers, ");
        let ran = daemon.run("team/app:2");
        assert!(
            program::told(&ran).contains("Another."),
            "{}",
            program::told(&ran)
        );
    }
}

/// Podman refuses the manifest, but reads the other list of the archive.
#[test]
fn an_image_with_layers_of_another_family_gets_its_names_and_no_other() {
    for daemon in Daemon::all() {
        let mut image = Image::new(Family::Docker, &["/hello"], vec![program_layer(GREETING)]);
        let manifest = String::from_utf8(image.manifest).unwrap();
        let (docker, oci) = (
            "application/vnd.docker.image.rootfs.diff.tar.gzip",
            "application/vnd.oci.image.layer.v1.tar+gzip",
        );
        assert!(manifest.contains(docker));
        image.manifest = manifest.replace(docker, oci).into();
        load(&daemon.host(), image.layout("app:1").path())
            .run()
            .done();
        let names: Vec<_> = program::text(daemon.client().args(NAMES))
            .lines()
            .map(|name| name.trim_start_matches("docker.io/library/").to_owned())
            .collect();
        assert_eq!(names, ["app:1"], "{}", daemon.name());
        let told = program::told(&daemon.run("app:1"));
        assert!(told.contains(GREETING), "{told}");
    }
}
