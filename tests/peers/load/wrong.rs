//! Images that are not what they say: a bomb, a layer that ends early, a wrong diff id, a layer that the configuration
//! does not know. No daemon keeps anything of them.

use serde_json::{Value, json};

use super::{image, load, records, small_layer};
use crate::machine::daemon::{Daemon, Store};
use crate::support::image::{Family, Image, Layer, Packing, digest};

#[test]
fn wrong_images_leave_each_daemon_as_it_was() {
    let good = image(Packing::Gzip, vec![]);
    let wrong = wrong_images(&good);
    for daemon in Daemon::all() {
        load(&daemon.host(), good.layout("app:good").path())
            .run()
            .done();
        let before = daemon.contents();
        if daemon.store() != Store::Containerd {
            assert_eq!(before.1, 2, "{}", daemon.name());
        }
        for (name, image, arguments) in &wrong {
            let layout = image.layout(&format!("app:{name}"));
            let state = tempfile::tempdir().unwrap();
            // Only the daemon reads the archive in a layer.
            let exit = if *name == "half" { 1 } else { 5 };
            let outcome = load(&daemon.host(), layout.path())
                .arguments(*arguments)
                .arguments(["--state", state.path().to_str().unwrap()])
                .run()
                .failed(exit);
            assert_eq!(
                daemon.contents(),
                before,
                "{} {name}: {outcome}",
                daemon.name()
            );
            assert_eq!(records(state.path()), Vec::<Value>::new(), "{name}");
        }
    }
}

#[test]
fn names_of_files_that_daemons_repeat_are_shown_printable() {
    let name = "\u{1b}[31mred\nhocker: forged\u{202e}";
    let mut link = tar::Header::new_ustar();
    link.set_entry_type(tar::EntryType::Link);
    link.set_size(0);
    link.set_mode(0o644);
    let mut layer = tar::Builder::new(Vec::new());
    layer.append_link(&mut link, name, "nowhere").unwrap();
    let layer = Layer::of_tar(Packing::Gzip, layer.into_inner().unwrap());
    let image = Image::new(Family::Oci, &["/x"], vec![layer]);
    for daemon in Daemon::all() {
        let layout = image.layout("app:1");
        let outcome = load(&daemon.host(), layout.path()).run().failed(1);
        let said = &outcome.stderr;
        // Podman repeats no names of this kind.
        if daemon.store() != Store::Podman {
            assert!(said.contains(r"\u{1b}[31mred\nhocker: "), "{said}");
        }
        let is_raw = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert!(!said.contains(is_raw), "{} {said:?}", daemon.name());
        let forged = |line: &str| line.starts_with("hocker: forged");
        assert!(!said.lines().any(forged), "{} {said:?}", daemon.name());
    }
}

/// Images whose lower layers are those of `good`, and what to load them with.
fn wrong_images(good: &Image) -> [(&'static str, Image, &'static [&'static str]); 4] {
    let bomb = Layer::of_files(Packing::Gzip, &[("zeros", &vec![0; 16 << 20])]);
    let bomb = image(Packing::Gzip, vec![bomb]);
    let half = small_layer("half").tar[..514].to_vec();
    let half = image(Packing::Gzip, vec![Layer::of_tar(Packing::Gzip, half)]);
    let with_diff_ids = |diff_ids: Vec<String>| {
        let config = json!({
            "os": "linux",
            "architecture": "amd64",
            "rootfs": {"type": "layers", "diff_ids": diff_ids},
        });
        let platform = json!({"os": "linux", "architecture": "amd64"});
        let layers = image(Packing::Gzip, vec![small_layer("x")]).layers;
        Image::with_config(Family::Oci, &platform, config.to_string().into(), layers)
    };
    let known: Vec<_> = good.layers.iter().map(|layer| digest(&layer.tar)).collect();
    let wrong = with_diff_ids([known.clone(), vec![digest(b"other")]].concat());
    let fewer = with_diff_ids(known);
    [
        ("bomb", bomb, &["--max-layer-size", "9M"]),
        ("half", half, &[]),
        ("wrong", wrong, &[]),
        ("fewer", fewer, &[]),
    ]
}
