//! `hocker mount` and `hocker umount`.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::process::Command;

use super::{EntryType, Fixture, layer, lower, upper};
use crate::machine::program;
use crate::support::hocker::hocker;

fn small() -> Fixture {
    Fixture::of(vec![lower(), upper()])
}

#[test]
fn a_mounted_image_is_read_only_and_gives_no_rights() {
    let fixture = small();
    fixture.mount(&[]);
    let written = fs::write(fixture.at("mounted/d/new"), "x");
    assert!(written.unwrap_err().to_string().contains("Read-only"));
    let options = program::text(
        Command::new("findmnt")
            .args(["--noheadings", "--output", "OPTIONS", "--target"])
            .arg(fixture.at("mounted")),
    );
    for option in ["ro", "nosuid", "nodev"] {
        assert!(options.split(',').any(|found| found == option), "{options}");
    }
    fixture.unmount();
}

#[test]
fn changes_in_memory_are_gone_and_those_in_a_directory_stay() {
    let fixture = small();
    for is_kept in [false, true] {
        let upper = fixture.at("upper");
        let arguments = if is_kept {
            vec!["--upper", upper.to_str().unwrap()]
        } else {
            vec!["--writable"]
        };
        fixture.mount(&arguments);
        let mode = fs::metadata(fixture.at("mounted")).unwrap().permissions();
        assert_eq!(mode.mode() & 0o7777, 0o750, "the root is the image's");
        fs::write(fixture.at("mounted/d/new"), "x").unwrap();
        fs::remove_file(fixture.at("mounted/d/kept")).unwrap();
        fixture.unmount();
        fixture.mount(&arguments);
        assert_eq!(fixture.at("mounted/d/new").exists(), is_kept);
        assert_eq!(fixture.at("mounted/d/kept").exists(), !is_kept);
        fixture.unmount();
    }
}

#[test]
fn only_empty_directories_are_mounted_on_and_only_once() {
    let fixture = small();
    fs::write(fixture.at("cache/file"), "").unwrap();
    symlink("mounted", fixture.at("link")).unwrap();
    for (directory, reason) in [
        ("missing", "create this directory first"),
        ("layout/index.json", "cannot use the directory"),
        ("cache", "is not empty"),
    ] {
        hocker(["mount"])
            .arguments([fixture.at("layout"), fixture.at(directory)])
            .run()
            .failed(1)
            .says(reason);
    }
    fixture.mount(&[]);
    fixture
        .command(&[])
        .run()
        .failed(1)
        .says("mount point already")
        .says("hocker umount");
    hocker(["umount"])
        .arguments([fixture.at("link")])
        .run()
        .done();
    assert!(!fixture.is_mounted());
}

#[test]
fn what_hocker_did_not_mount_stays_mounted() {
    let fixture = small();
    let umount = || hocker(["umount"]).arguments([fixture.at("mounted")]).run();
    umount().failed(1).says("nothing is mounted on it");
    program::run(
        Command::new("mount")
            .args(["-t", "tmpfs", "hocker:fake"])
            .arg(fixture.at("mounted")),
    );
    umount()
        .failed(1)
        .says("another program than hocker mounted");
    assert!(fixture.is_mounted());
    program::run(Command::new("umount").arg(fixture.at("mounted")));
}

#[test]
fn a_directory_in_use_stays_mounted() {
    let fixture = small();
    fixture.mount(&[]);
    let open = fs::File::open(fixture.at("mounted/d/kept")).unwrap();
    hocker(["umount"])
        .arguments([fixture.at("mounted")])
        .run()
        .failed(1)
        .says("fuser --mount");
    drop(open);
    fixture.unmount();
}

#[test]
fn images_that_others_could_change_are_not_mounted() {
    let fixture = small();
    fixture.mount(&[]);
    fixture.unmount();
    let image = fs::read_dir(fixture.at("cache")).unwrap().next().unwrap();
    let image = image.unwrap().path();
    let cache = fixture.at("cache");
    let with = |change: &dyn Fn(), restore: &dyn Fn()| {
        change();
        fixture
            .command(&[])
            .run()
            .failed(1)
            .says("another user can change");
        restore();
    };
    let mode = |path: &std::path::Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    };
    with(&|| mode(&image, 0o666), &|| mode(&image, 0o644));
    with(&|| mode(&cache, 0o777), &|| mode(&cache, 0o700));
    with(&|| chown(&image, Some(1), None).unwrap(), &|| {
        chown(&image, Some(0), None).unwrap();
    });
    fixture.mount(&[]);
    fixture.unmount();
}

#[test]
fn damaged_images_are_made_again_and_existing_ones_are_used() {
    let fixture = small();
    fixture.mount(&[]);
    fixture.unmount();
    let image = fs::read_dir(fixture.at("cache")).unwrap().next().unwrap();
    let image = image.unwrap().path();
    let whole = fs::read(&image).unwrap();
    fs::write(&image, &whole[..4096]).unwrap();
    fixture.mount(&[]);
    fixture.unmount();
    assert!(fs::read(&image).unwrap() == whole);
    // Whatever the files are called.
    fs::rename(&image, fixture.at("upper/any.erofs")).unwrap();
    let existing = fixture.at("upper");
    fixture.mount(&["--layers", existing.to_str().unwrap()]);
    fixture.unmount();
    assert!(!image.exists());
}

#[test]
fn images_of_no_one_and_many_layers_are_mounted() {
    let file = |number: usize| layer(&[(&format!("file{number}"), EntryType::Regular, "x")]);
    for count in [0usize, 1, 130] {
        // The last layer is there twice.
        let layers = (0..count).chain(count.checked_sub(1)).map(file);
        let fixture = Fixture::of(layers.collect());
        fixture.mount(&[]);
        assert_eq!(fs::read_dir(fixture.at("mounted")).unwrap().count(), count);
        fixture.unmount();
    }
}

#[test]
fn an_opaque_root_hides_all_layers_below() {
    let opaque = layer(&[
        (".wh..wh..opq", EntryType::Regular, ""),
        ("new", EntryType::Regular, "x"),
    ]);
    let top = layer(&[("top", EntryType::Regular, "x")]);
    let fixture = Fixture::of(vec![lower(), upper(), opaque, top]);
    fixture.mount(&[]);
    let mut names: Vec<_> = fs::read_dir(fixture.at("mounted"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["new", "top"]);
    fixture.unmount();
}

#[test]
fn other_users_learn_that_root_is_needed() {
    let fixture = small();
    program::run(
        Command::new("chmod")
            .args(["-R", "a+rwX"])
            .arg(fixture.at("")),
    );
    fs::set_permissions(fixture.at("cache"), fs::Permissions::from_mode(0o755)).unwrap();
    chown(fixture.at("cache"), Some(65_534), Some(65_534)).unwrap();
    let executable = crate::support::hocker::executable();
    for namespace in [
        &[][..],
        &["unshare", "--user", "--map-root-user", "--mount"],
    ] {
        let output = program::output(
            Command::new("setpriv")
                .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
                .args(namespace)
                .arg(executable)
                .args(["mount", "--cache"])
                .args([
                    fixture.at("cache"),
                    fixture.at("layout"),
                    fixture.at("mounted"),
                ]),
        );
        let told = program::told(&output);
        assert_eq!(output.status.code(), Some(1), "{told}");
        assert!(told.contains("run hocker as root"), "{told}");
    }
}

#[test]
fn an_interrupted_mount_leaves_nothing() {
    let zeros = "\0".repeat(300 << 20);
    let fixture = Fixture::of(vec![layer(&[("zeros", EntryType::Regular, &zeros)])]);
    let running = fixture.command(&[]).start();
    running.wait_until_it_listens();
    running.interrupt();
    assert_eq!(running.finish().code, Some(130));
    assert!(!fixture.is_mounted());
    fixture.mount(&[]);
    fixture.unmount();
}
