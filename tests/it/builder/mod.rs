//! `hocker builder` where a derivation names several places for one blob: who is asked, in which order and how often,
//! what each is told, and what is said in the end.

mod credentials; // each place sees only its own credentials
mod elsewhere; // mirrors, and the URLs of foreign layers
mod errors; // errors where no place has the blob
mod order; // which place is asked when, and how often

use std::fs;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::support::hocker::{Outcome, Run, hocker};
use crate::support::image::{Layer, blob_answer, blob_path, small};
use crate::support::scripted_registry::{Answer, Expect, Registry, get};

const REPOSITORIES: [&str; 4] = ["team/app", "team/base", "other/app", "last"];

/// A derivation of the small image's layer.
struct Build {
    layer: Layer,
    directory: TempDir,
    places: Vec<Value>,
    urls: String,
}

impl Build {
    /// From these registries, and from a repository of its own in each.
    fn from(registries: &[&Registry]) -> Self {
        Self {
            layer: small().layers.remove(0),
            directory: tempfile::tempdir().unwrap(),
            places: registries
                .iter()
                .zip(REPOSITORIES)
                .map(|(registry, repository)| json!({"registry": registry.url(), "repository": repository}))
                .collect(),
            urls: String::new(),
        }
    }

    fn out(&self) -> std::path::PathBuf {
        self.directory.path().join("out")
    }

    /// With each attribute as a variable, as Nix has it without structured attributes.
    fn plain(&self) -> Run {
        let text = |place: &Value, name: &str| place[name].as_str().unwrap().to_owned();
        hocker(["builder"])
            .env("out", self.out())
            .env("registry", text(&self.places[0], "registry"))
            .env("repository", text(&self.places[0], "repository"))
            .env("alternatives", json!(self.places[1..]).to_string())
            .env("outputHash", self.layer.digest())
            .env("urls", self.urls.clone())
    }

    /// With all of them in one file.
    fn structured(&self) -> Run {
        let mut attributes = self.places[0].clone();
        attributes["alternatives"] = json!(self.places[1..]);
        attributes["outputs"] = json!({"out": self.out()});
        attributes["outputHash"] = json!(self.layer.digest());
        attributes["urls"] = json!(self.urls);
        let file = self.directory.path().join("attributes.json");
        fs::write(&file, attributes.to_string()).unwrap();
        hocker(["builder"]).env("NIX_ATTRS_JSON_FILE", file)
    }

    /// What is asked of the place of this number.
    fn asked(&self, place: usize) -> Expect {
        get(blob_path(REPOSITORIES[place], &self.layer.digest()))
    }

    /// Scripts a place that answers this user alone, and who did not say so is asked for it.
    fn lets_in(&self, user: &str, place: usize, registry: &Registry, answer: Answer) {
        let asked = || self.asked(place);
        registry.on(asked().without("Authorization").perhaps(), challenge());
        registry.on(asked().with("Authorization", basic(user)), answer);
    }

    fn answer(&self) -> Answer {
        blob_answer(&self.layer.blob)
    }

    /// An answer of the right length that is another layer.
    fn wrong(&self) -> Answer {
        let mut wrong = self.layer.blob.clone();
        wrong[10] ^= 1;
        blob_answer(&wrong)
    }

    /// Demands that it was built, and takes the result away.
    #[track_caller]
    fn is_built(&self, outcome: Outcome) -> Outcome {
        let outcome = outcome.done();
        assert!(
            fs::read(self.out()).unwrap() == self.layer.blob,
            "another layer"
        );
        fs::remove_file(self.out()).unwrap();
        outcome
    }
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:pw")))
}

fn challenge() -> Answer {
    Answer::challenge("Basic realm=\"Registry\"")
}

/// The targets of the downloads that Nix is told of, and of those that it is told are over.
fn activities(outcome: &Outcome) -> (Vec<String>, usize) {
    let told = &outcome.stderr;
    let messages: Vec<Value> = told
        .lines()
        .filter_map(|line| line.strip_prefix("@nix "))
        .map(|text| serde_json::from_str(text).unwrap())
        .collect();
    let started = messages
        .iter()
        .filter(|message| message["action"] == "start")
        .map(|message| message["fields"][0].as_str().unwrap().to_owned())
        .collect();
    let stopped = messages
        .iter()
        .filter(|message| message["action"] == "stop");
    (started, stopped.count())
}

#[test]
fn nix_is_told_whom_the_blob_comes_from() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0), Answer::status(404));
    second.on(build.asked(1), build.answer());
    let outcome = build.is_built(build.plain().run());
    let digest = build.layer.digest();
    let urls = [(&first, "team/app"), (&second, "team/base")]
        .map(|(registry, repository)| format!("{}{repository}/blobs/{digest}", registry.url()));
    assert_eq!(activities(&outcome), (urls.to_vec(), 2));
}

#[test]
fn an_interrupt_while_one_place_is_asked_leaves_nothing_and_asks_no_other() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0), build.answer().stall_after(20));
    let running = build.plain().start();
    first.wait_for_stall();
    running.wait_until_it_listens();
    running.interrupt();
    let outcome = running.finish();
    assert_eq!(outcome.code, Some(130), "{outcome}");
    let left = |directory: &Path| fs::read_dir(directory).unwrap().count();
    assert_eq!(left(build.directory.path()), 0);
}
