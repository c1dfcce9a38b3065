//! The ways in which older kernels mount, on this one.

use std::fs::{self, File};

use hocker::archive::stored_image::{self, Selection};
use hocker::compression::Limit;
use hocker::erofs::LayerFile;
use hocker::mount::{self, Error, ImageSources, Kernel, Overlay, Target, Top};
use hocker::oci::digest::DiffId;
use hocker::oci::platform::Platform;

use super::{EntryType, Fixture, layer, lower, upper};

/// Mounts with the library, as a kernel with these features would.
fn mounted(fixture: &Fixture, top: &Top, kernel: Kernel) -> Result<(), Error> {
    let platform: Platform = "linux/amd64".parse().unwrap();
    let selection = Selection {
        name: None,
        platform: &platform,
        is_platform_required: false,
    };
    let image = stored_image::open(&fixture.at("layout"), &selection).unwrap();
    let layers = LayerFile::all_of(&image).unwrap();
    let sources = ImageSources {
        existing: Vec::new(),
        cache: fixture.at("cache"),
        limit: Limit::default(),
    };
    let images: Vec<(DiffId, File)> = mount::images(&layers, &sources)?;
    let target = Target::new(&fixture.at("mounted"))?;
    let overlay = Overlay {
        digest: image.manifest().digest(),
        layers: &images,
        top,
        set_user_id: false,
        devices: false,
    };
    overlay.prepare(kernel)?.attach(&target)
}

#[test]
fn every_way_of_mounting_gives_the_same_tree() {
    let fixture = Fixture::of(vec![lower(), upper()]);
    let all = Kernel::default();
    let mut first = None;
    for kernel in [
        all,
        Kernel {
            mounts_files: false,
            ..all
        },
        Kernel {
            takes_detached_layers: false,
            ..all
        },
        Kernel {
            takes_detached_layers: false,
            appends_layers: false,
            ..all
        },
    ] {
        for top in [
            Top::ReadOnly,
            Top::Temporary,
            Top::Directory(fixture.at("upper")),
        ] {
            mounted(&fixture, &top, kernel).unwrap();
            let snapshot = fixture.snapshot(&fixture.at("mounted"));
            let paths = snapshot.paths();
            assert_eq!(
                first.get_or_insert(paths.clone()),
                &paths,
                "{kernel:?} {top:?}"
            );
            let written = fs::write(fixture.at("mounted/new"), "x").is_ok();
            assert_eq!(written, top != Top::ReadOnly, "{kernel:?} {top:?}");
            let _ = fs::remove_file(fixture.at("mounted/new"));
            fixture.unmount();
            assert!(!fixture.is_mounted(), "{kernel:?} {top:?}");
        }
    }
    let devices = fs::read_dir("/sys/block").unwrap().filter_map(|device| {
        fs::read_to_string(device.unwrap().path().join("loop/backing_file")).ok()
    });
    let own = fixture.at("");
    let used = devices.filter(|file| file.starts_with(own.to_str().unwrap()));
    assert_eq!(used.count(), 0, "loop devices are freed");
}

#[test]
fn old_kernels_mount_fewer_layers() {
    let file = |number: usize| layer(&[(&format!("file{number}"), EntryType::Regular, "x")]);
    let old = Kernel {
        takes_detached_layers: false,
        appends_layers: false,
        ..Kernel::default()
    };
    let fixture = Fixture::of((0..130).map(file).collect());
    mounted(&fixture, &Top::ReadOnly, old).unwrap();
    assert_eq!(fs::read_dir(fixture.at("mounted")).unwrap().count(), 130);
    fixture.unmount();
    let fixture = Fixture::of((0..300).map(file).collect());
    let error = mounted(&fixture, &Top::ReadOnly, old).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("300 layers: this kernel mounts at most 2"),
        "{error}"
    );
    assert!(!fixture.is_mounted());
}
