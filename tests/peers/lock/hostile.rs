//! Locks that an enemy wrote: evaluation reads the file and nothing that it names, and refuses it; and what Nix refuses,
//! `hocker lock` does too.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, chown};
use std::path::{Path, PathBuf};

use rustix::fs::{CWD, FileType, Mode, mknodat};
use serde_json::{Value, json};
use tempfile::TempDir;

use super::fleet::lock;
use crate::machine::nix::{Nix, root};
use crate::machine::program;
use crate::support::hocker::Outcome;

/// Stands in every file that a lock may name and nobody may read.
const SECRET: &str = "hunter2";
/// Clears a terminal.
const ESCAPE: &str = "\u{1b}[2J";

/// Nix, a lock, and files that it has no business with.
struct Bench {
    nix: Nix,
    elsewhere: TempDir,
    lock: String,
}

impl Bench {
    fn new() -> Self {
        let elsewhere = tempfile::tempdir().unwrap();
        let lock = fs::read_to_string(root().join("tests/nix/docker-images.lock.json")).unwrap();
        let value: Value = serde_json::from_str(&lock).unwrap();
        let manifest = value["images"]["app"]["platforms"]["linux/amd64"]["manifest"].clone();
        // A manifest that is as good as the one in the lock.
        let text = manifest.as_str().unwrap();
        let text = text.replacen(
            '{',
            &format!("{{\"annotations\": {{\"x\": {SECRET:?}}},"),
            1,
        );
        fs::write(elsewhere.path().join("manifest.json"), text).unwrap();
        let fifo = elsewhere.path().join("fifo");
        mknodat(CWD, fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        let bench = Self {
            nix: Nix::new(),
            elsewhere,
            lock,
        };
        let output = bench.evaluate(&bench.lock, &[]);
        assert!(output.status.success(), "{}", program::told(&output));
        lock_list(&bench).done();
        bench
    }

    fn at(&self, name: &str) -> String {
        self.elsewhere.path().join(name).display().to_string()
    }

    fn file(&self) -> PathBuf {
        self.nix.directory().join("docker-images.lock.json")
    }

    /// Evaluates and instantiates all of a lock's images for a platform that they have.
    fn evaluate(&self, text: &str, options: &[&str]) -> std::process::Output {
        fs::write(self.file(), text).unwrap();
        let expression = self.nix.with_functions(&format!(
            "builtins.mapAttrs (_: image: image.drvPath) (hocker.importLock {{ lockFile = {}; \
             platform = \"linux/amd64\"; }})",
            self.file().display()
        ));
        program::output(
            self.nix
                .command("nix-instantiate")
                .args(["--eval", "--strict", "--json", "--read-write-mode"])
                .args(options)
                .args(["--expr", &expression]),
        )
    }

    /// Demands that neither Nix nor the program takes it, and that nothing of a file has got anywhere.
    #[track_caller]
    fn refuses(&self, what: &str, text: &str) {
        let output = self.evaluate(text, &[]);
        let told = program::told(&output);
        assert!(!output.status.success(), "{what}: {told}");
        assert!(output.status.code().is_some(), "{what}: {told}");
        assert!(!told.contains(ESCAPE), "{what}: {told}");
        let outcome = lock_list(self);
        // A lock that contradicts itself breaks integrity; the others are unsupported.
        let contradicts_itself = ["not match the manifest", " bytes in "]
            .iter()
            .any(|text| outcome.stderr.contains(text));
        let outcome = outcome.failed(if contradicts_itself { 5 } else { 7 });
        let told = told + &outcome.stderr;
        assert!(!told.contains(SECRET), "{what}: {told}");
        let derivations = self.derivations();
        assert!(!derivations.is_empty());
        for derivation in derivations {
            assert!(!derivation.contains(SECRET), "{what}: {derivation}");
        }
    }

    /// The texts of all derivations in the store.
    fn derivations(&self) -> Vec<String> {
        let entries = fs::read_dir(self.nix.directory().join("store")).unwrap();
        let paths = entries.map(|entry| entry.unwrap().path());
        paths
            .filter(|path| path.extension().is_some_and(|name| name == "drv"))
            .map(|path| fs::read_to_string(path).unwrap())
            .collect()
    }

    /// The same, with a change of one image.
    #[track_caller]
    fn refuses_image(&self, what: &str, change: impl FnOnce(&mut Value)) {
        let mut lock: Value = serde_json::from_str(&self.lock).unwrap();
        change(&mut lock["images"]["app"]);
        self.refuses(what, &format!("{lock:#}"));
    }
}

fn lock_list(bench: &Bench) -> Outcome {
    lock(bench.nix.directory(), &["list"]).run()
}

#[test]
fn evaluation_reads_the_lock_and_nothing_else() {
    let bench = Bench::new();
    let (functions, program) = (root().join("nix"), bench.nix.directory().join("hocker"));
    let mut options = vec!["--option", "restrict-eval", "true"];
    let file = bench.file();
    for path in [&functions, &program, &file] {
        options.extend(["-I", path.to_str().unwrap()]);
    }
    let output = bench.evaluate(&bench.lock, &options);
    let told = program::told(&output);
    assert!(output.status.success(), "{told}");

    let mut value: Value = serde_json::from_str(&bench.lock).unwrap();
    value["images"]["app"]["platforms"]["linux/amd64"]["manifest"] =
        json!(bench.at("manifest.json"));
    let told = program::told(&bench.evaluate(&value.to_string(), &options));
    assert!(told.contains("the text does not begin with `{`"), "{told}");
    assert!(!told.contains("restricted"), "{told}");
}

#[test]
fn a_manifest_that_names_a_file_is_no_manifest() {
    let bench = Bench::new();
    for manifest in [
        json!(bench.at("manifest.json")),
        json!(format!("file://{}", bench.at("manifest.json"))),
        json!({"outPath": bench.at("manifest.json")}),
        json!([bench.at("manifest.json")]),
        json!(format!(
            "${{builtins.readFile {}}}",
            bench.at("manifest.json")
        )),
        json!("./docker-images.lock.json"),
        json!(bench.at("fifo")),
        json!("/dev/zero"),
        json!("/proc/self/environ"),
        json!(null),
        json!(1),
        json!(""),
    ] {
        bench.refuses_image(&manifest.to_string(), |image| {
            image["platforms"]["linux/amd64"]["manifest"] = manifest.clone();
        });
    }
}

#[test]
fn names_places_and_digests_that_are_none_are_refused() {
    let bench = Bench::new();
    for registry in [
        json!(bench.at("manifest.json")),
        json!({"outPath": "https://ghcr.io/v2/"}),
        json!("https://me:pw@ghcr.io/v2/"),
        json!("https://r.example/v2/"),
        json!("file:///etc/passwd"),
        json!("http:\\\\ghcr.io/v2/"),
        json!("x".repeat(3_000_000)),
        json!(format!("https://ghcr.io{ESCAPE}/v2/")),
        json!(["ghcr.io"]),
        json!(0),
    ] {
        let what = registry.to_string().chars().take(60).collect::<String>();
        bench.refuses_image(&what, |image| image["registry"] = registry.clone());
    }
    for reference in [
        json!(bench.at("manifest.json")),
        json!({"outPath": "ghcr.io/team/app:1"}),
        json!("ghcr.io/../../etc:1"),
        json!("ghcr.io/team/app:${x}"),
        json!(format!("ghcr.io/team/a{ESCAPE}pp:1")),
        json!(format!("ghcr.io/team/app:{}", "x".repeat(3_000_000))),
        json!(null),
    ] {
        let what = reference.to_string().chars().take(60).collect::<String>();
        bench.refuses_image(&what, |image| image["reference"] = reference.clone());
    }
    for digest in [
        json!("sha256:../../x"),
        json!({"outPath": "x"}),
        json!("sha256:00"),
        json!(1e300),
        json!(null),
    ] {
        bench.refuses_image(&digest.to_string(), |image| {
            image["platforms"]["linux/amd64"]["layers"][0]["digest"] = digest.clone();
        });
    }
    for (platforms, what) in [
        (json!([]), "a list"),
        (json!(null), "nothing"),
        (json!("linux/amd64"), "a text"),
        (json!({"linux/amd64": 1}), "a number"),
    ] {
        bench.refuses_image(what, |image| image["platforms"] = platforms);
    }
}

#[test]
fn sizes_that_are_none_or_contradict_each_other_are_refused() {
    let bench = Bench::new();
    // In the manifests and in the descriptors beside them.
    for size in [
        "-1",
        "1e3",
        "1000.5",
        "\\\"1000\\\"",
        "1099511627777",
        "99999999999999999999",
    ] {
        let plain = size.replace('\\', "");
        let text = bench
            .lock
            .replace("\\\"size\\\": 1000", &format!("\\\"size\\\": {size}"))
            .replace("\"size\": 1000", &format!("\"size\": {plain}"));
        assert_ne!(text, bench.lock);
        bench.refuses(size, &text);
    }
    bench.refuses_image("another size beside the manifest", |image| {
        image["platforms"]["linux/amd64"]["layers"][0]["size"] = json!(1001);
    });
    bench.refuses_image("a layer less beside the manifest", |image| {
        image["platforms"]["linux/amd64"]["layers"] = json!([]);
    });
    // The same layer in another image, with a manifest that says another size.
    let mut lock: Value = serde_json::from_str(&bench.lock).unwrap();
    let mut other = lock["images"]["app"].clone();
    other["index"].take();
    other["platforms"]
        .as_object_mut()
        .unwrap()
        .retain(|platform, _| platform == "linux/amd64");
    let locked = &mut other["platforms"]["linux/amd64"];
    let manifest = locked["manifest"]
        .as_str()
        .unwrap()
        .replace("\"size\": 1000", "\"size\": 1001");
    locked["manifest"] = json!(manifest);
    locked["layers"][0]["size"] = json!(1001);
    other["reference"] = json!("ghcr.io/team/other:1");
    lock["images"]["other"] = other;
    bench.refuses("two sizes of one layer", &lock.to_string());
}

#[test]
fn credentials_in_the_url_of_a_foreign_layer_are_refused() {
    let bench = Bench::new();
    bench.refuses_image("a URL", |image| {
        let locked = &mut image["platforms"]["linux/amd64"];
        let manifest = locked["manifest"].as_str().unwrap();
        let with_urls = "\"urls\": [\"https://me:pw@r.example/layer\"], \"size\": 1000";
        locked["manifest"] = json!(manifest.replace("\"size\": 1000", with_urls));
    });
}

#[test]
fn a_lock_that_is_replaced_keeps_its_owner_and_its_permissions() {
    let bench = Bench::new();
    fs::write(bench.file(), &bench.lock).unwrap();
    chown(bench.file(), Some(1234), Some(2345)).unwrap();
    let mode = |path: &Path| {
        let metadata = fs::metadata(path).unwrap();
        (metadata.uid(), metadata.gid(), metadata.mode() & 0o7777)
    };
    let before = mode(&bench.file());
    lock(bench.nix.directory(), &["remove", "app"]).run().done();
    assert_ne!(fs::read_to_string(bench.file()).unwrap(), bench.lock);
    assert_eq!(mode(&bench.file()), before);
}
