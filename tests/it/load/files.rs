//! Images on disk that belong to others, who change them or put traps there.

use std::fs;
use std::path::Path;

use rustix::fs::{CWD, FileType, Mode, mknodat};

use super::{
    absent, api, docker, inspect, inspected, json, layout, load, loaded, small, upload,
    write_script,
};
use crate::support::hocker::hocker;
use crate::support::image::{Family, Image, hex};

/// Puts a FIFO in the place of a file. Whoever opens it waits for a writer.
fn make_fifo(path: &Path) {
    fs::remove_file(path).unwrap();
    mknodat(CWD, path, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
}

#[test]
fn a_wrong_path_fails_before_the_daemon_is_asked() {
    let directory = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| fs::write(directory.path().join(name), text).unwrap();
    write("empty", "");
    write("text", "no image\n");
    fs::create_dir(directory.path().join("directory")).unwrap();
    for (path, code, reason) in [
        ("nginx:1.27", 3, "nginx:1.27 does not exist"),
        (
            "nginx:1.27",
            3,
            "hocker image --format oci-dir --out DIR IMAGE",
        ),
        ("directory", 3, "directory is not an image"),
        ("empty", 7, "cannot use the archive empty"),
        (
            "text",
            7,
            "the file is not an image: it is neither an archive",
        ),
    ] {
        hocker(["load", "--host", "unix:///nowhere", path])
            .in_directory(directory.path())
            .run()
            .failed(code)
            .says(reason)
            .never_says("daemon");
    }
}

#[test]
fn a_fifo_in_an_image_holds_nothing_up() {
    let image = small();
    let blob = |hex: String| format!("blobs/sha256/{hex}");
    let (config, layer) = (blob(hex(&image.config)), blob(image.layers[0].hex()));
    let manifest = blob(hex(&image.manifest));
    for name in ["oci-layout", "index.json", &manifest, &config, &layer] {
        let directory = layout(&image);
        make_fifo(&directory.path().join(name));
        let out = directory.path().join("out");
        hocker(["image", "--format", "docker-save", "--out"])
            .arguments([&out, directory.path()])
            .run()
            .failed(1)
            .says("not a regular file");
        let daemon = docker();
        load(&daemon, &directory)
            .run()
            .failed(1)
            .says("not a regular file");
    }
    for name in [&config, &layer] {
        let directory = layout(&image);
        make_fifo(&directory.path().join(name));
        let script = directory.path().join("compositeImage.sh");
        write_script(&script, &image, directory.path(), &json!({}));
        for command in [&["image", "--out", "/dev/null"][..], &["composite"]] {
            hocker(command)
                .arguments([&script])
                .run()
                .failed(1)
                .says("not a regular file");
        }
        let daemon = docker();
        daemon.on(inspect(&image.config_digest()).perhaps(), absent());
        daemon.on(api("/images/json").perhaps(), json(&json!([])));
        load(&daemon, &directory)
            .run()
            .failed(1)
            .says("not a regular file");
    }
}

#[test]
fn a_fifo_in_a_state_holds_nothing_up() {
    let state = tempfile::tempdir().unwrap();
    let record = state.path().join("x.json");
    fs::write(&record, "").unwrap();
    make_fifo(&record);
    let daemon = docker();
    let host = format!("tcp://{}", daemon.name());
    hocker(["prune", "--host", &host, "--state"])
        .arguments([state.path()])
        .run()
        .failed(1)
        .says("not a regular file");
}

#[test]
fn a_daemon_gets_the_configuration_that_was_verified() {
    let good = small();
    let evil = Image::new(Family::Docker, &["/evil"], good.layers.clone());
    let here = super::docker_that_says("26.1.5", &super::here());
    for (daemon, lists) in [(docker(), 1), (here, 2)] {
        let layout = layout(&good);
        let path = layout.path().join("blobs/sha256").join(hex(&good.config));
        daemon.on(inspect(&good.config_digest()), absent());
        let content = evil.config.clone();
        // It has been verified by now, and nothing has been sent.
        daemon.on_each(api("/images/json").times(lists), move |_| {
            fs::write(&path, &content).unwrap();
            json(&json!([]))
        });
        daemon.on(upload(), loaded());
        daemon.on(
            inspect(&good.config_digest()),
            inspected(&good, &["team/app:1"]),
        );
        load(&daemon, &layout).run().done();
        let sent = super::uploads(&daemon).remove(0);
        assert!(sent.values().any(|content| *content == good.config));
        assert!(sent.values().all(|content| *content != evil.config));
    }
}

#[test]
fn a_composite_that_is_not_what_its_manifest_names_has_no_end() {
    let image = small();
    let good = layout(&image);
    let script = good.path().join("compositeImage.sh");
    write_script(
        &script,
        &image,
        good.path(),
        &json!({"repoTags": ["app:1"]}),
    );
    let composite = || hocker(["composite"]).arguments([&script]).run();
    let whole = composite().done().stdout;
    let last = image.layers.last().unwrap();
    let blob = |hex: String| good.path().join("blobs/sha256").join(hex);
    for (path, content) in [
        (blob(hex(&image.config)), &image.config),
        (blob(last.hex()), &last.blob),
    ] {
        let mut other = content.clone();
        *other.last_mut().unwrap() ^= 1;
        fs::write(&path, other).unwrap();
        let outcome = composite().failed(5).says("does not match the manifest");
        assert!(outcome.stdout.len() + 1024 < whole.len());
        fs::write(&path, content).unwrap();
    }
}
