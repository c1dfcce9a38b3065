//! `hocker builder` where a derivation names several places for one blob: who is asked, in which order and how often,
//! what each is told, and what is said in the end.

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

fn entries<'a>(users: impl IntoIterator<Item = (&'a Registry, &'a str)>) -> String {
    let auths: serde_json::Map<_, _> = users
        .into_iter()
        .map(|(registry, user)| {
            (
                registry.name(),
                json!({"auth": STANDARD.encode(format!("{user}:pw"))}),
            )
        })
        .collect();
    json!({ "auths": auths }).to_string()
}

fn basic(user: &str) -> String {
    format!("Basic {}", STANDARD.encode(format!("{user}:pw")))
}

fn challenge() -> Answer {
    Answer::challenge("Basic realm=\"Registry\"")
}

#[test]
fn the_first_place_is_asked_and_no_other_where_that_has_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0).times(2), build.answer());
    build.is_built(build.plain().run());
    build.is_built(build.structured().run());
}

#[test]
fn what_one_place_lacks_denies_breaks_or_falsifies_comes_from_the_next() {
    let registries = [Registry::start(), Registry::start()];
    let build = Build::from(&[&registries[0], &registries[1]]);
    let answers = [
        Answer::error(404, "BLOB_UNKNOWN"),
        Answer::error(404, "NAME_UNKNOWN"),
        challenge(),
        Answer::status(403),
        Answer::status(503),
        Answer::status(400),
        Answer::close_before_head(),
        build.answer().close_after(20),
        build.wrong(),
        blob_answer(b"<html>Welcome</html>"),
    ];
    for answer in answers {
        let (first, second) = (Registry::start(), Registry::start());
        let build = Build::from(&[&first, &second]);
        first.on(build.asked(0).repeatedly(), answer);
        second.on(build.asked(1).times(2), build.answer());
        for run in [build.plain(), build.structured()] {
            build
                .is_built(run.run())
                .says("asking elsewhere: cannot fetch the blob sha256:")
                .says(&format!("of team/app from {}: ", first.name()));
        }
    }
}

#[test]
fn an_endless_answer_is_cut_at_the_size_and_the_next_place_is_asked() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    let endless = Answer::repeated(vec![0; 64 << 10], 1 << 20).chunked();
    first.on(build.asked(0).times(2), endless);
    second.on(build.asked(1).times(2), build.answer());
    let size = build.layer.blob.len();
    for attribute in ["size", "maxSize"] {
        let outcome = build.plain().env(attribute, size.to_string()).run();
        let outcome = build.is_built(outcome);
        let says = match attribute {
            "size" => format!("is longer than its {size} bytes"),
            _ => format!("is longer than {size} bytes, the limit where its size is not known"),
        };
        outcome.says(&says);
    }
    let sent = first.body_bytes();
    assert!(sent < 64 << 20, "{sent} bytes were sent");
}

#[test]
fn a_size_that_the_content_does_not_have_is_no_way_to_be_content() {
    for difference in [-1, 1] {
        let registry = Registry::start();
        let build = Build::from(&[&registry]);
        for answer in [build.answer(), build.answer().chunked()] {
            registry.on(build.asked(0), answer);
            let size = build.layer.blob.len().strict_add_signed(difference);
            let run = build.plain().env("size", size.to_string());
            run.env("HOCKER_RETRIES", "0").run().failed(5);
            assert!(!build.out().exists());
        }
    }
}

#[test]
fn a_place_where_nobody_is_comes_after_the_others() {
    let (closed, there) = (Registry::closed(), Registry::start());
    let build = Build::from(&[&closed, &closed, &there]);
    there.on(build.asked(2), build.answer());
    let outcome = build.is_built(build.plain().run());
    // Once more in haste, and the other repository of the same registry not at all.
    let told = outcome.stderr;
    assert_eq!(told.matches("retrying in").count(), 1, "{told}");
    assert_eq!(told.matches("asking elsewhere").count(), 1, "{told}");
}

#[test]
fn a_place_without_an_answer_is_asked_with_all_patience_where_no_other_has_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    // Twice in haste, and then as often as the policy says.
    first.on(build.asked(0).times(5), Answer::status(503));
    first.on(build.asked(0), build.answer());
    second.on(build.asked(1), Answer::status(404));
    build.is_built(build.plain().run());
}

#[test]
fn another_repository_of_a_registry_in_trouble_is_asked_too() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry]);
    registry.on(build.asked(0).times(2), Answer::status(500));
    registry.on(build.asked(1), build.answer());
    build.is_built(build.plain().run());
}

#[test]
fn a_registry_in_trouble_is_not_asked_with_patience_for_every_repository() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry, &registry]);
    registry.on(build.asked(0).times(2 + 5), Answer::status(503));
    registry.on(build.asked(1), Answer::status(503));
    registry.on(build.asked(2), Answer::status(503));
    build.plain().run().failed(6);
}

#[test]
fn without_retries_each_place_is_asked_once() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    first.on(build.asked(0), Answer::status(503));
    second.on(build.asked(1), Answer::status(503));
    build.plain().env("HOCKER_RETRIES", "0").run().failed(6);
}

#[test]
fn the_error_names_every_place_and_what_each_said() {
    let registries = [
        Registry::start(),
        Registry::start(),
        Registry::start(),
        Registry::closed(),
    ];
    let build = Build::from(&registries.each_ref());
    let names = registries.each_ref().map(Registry::name);
    registries[0].on(build.asked(0), Answer::error(404, "BLOB_UNKNOWN"));
    registries[1].on(build.asked(1), challenge());
    registries[2].on(build.asked(2).repeatedly(), Answer::status(503));
    let outcome = build.structured().run().failed(4);
    let told = outcome.stderr;
    let lines: Vec<&str> = told
        .lines()
        .skip_while(|line| !line.starts_with("hocker: "))
        .collect();
    let expected = [
        format!(
            "hocker: cannot fetch the blob {} from any of the 4 places that should have it",
            build.layer.digest()
        ),
        format!(
            "  caused by: team/app from {}: the registry answers 404 Not Found",
            names[0]
        ),
        format!(
            "  caused by: team/base from {}: the registry denies access without credentials",
            names[1]
        ),
        format!(
            "  caused by: other/app from {}: the registry answers 503 Service Unavailable",
            names[2]
        ),
        format!(
            "  caused by: last from {}: no answer from http://{0}/v2/last/blobs/",
            names[3]
        ),
        "  hint: check the name: many registries deny what they do not have; for a private image"
            .to_owned(),
    ];
    assert_eq!(lines.len(), expected.len(), "{told}");
    for (line, start) in lines.iter().zip(expected) {
        assert!(line.starts_with(&start), "no {start:?} in {told}");
    }
    assert!(!build.out().exists());
}

#[test]
fn the_exit_code_is_that_of_what_tells_most() {
    type Script = fn(&Build) -> Answer;
    // From what tells most to what tells least.
    let answers: [(Script, i32); 5] = [
        (Build::wrong, 5),
        (|_| Answer::status(403), 4),
        (|_| Answer::status(503), 6),
        (|_| Answer::status(400), 7),
        (|_| Answer::status(404), 3),
    ];
    for (number, (less, _)) in answers.iter().enumerate() {
        for (more, code) in &answers[..=number] {
            for order in [[less, more], [more, less]] {
                let (first, second) = (Registry::start(), Registry::start());
                let build = Build::from(&[&first, &second]);
                first.on(build.asked(0).repeatedly(), order[0](&build));
                second.on(build.asked(1).repeatedly(), order[1](&build));
                let outcome = build.plain().run().failed(*code);
                assert!(!build.out().exists());
                if *code == 5 {
                    outcome
                        .says("  specified: sha256-")
                        .says("        got: sha256-");
                }
            }
        }
    }
}

#[test]
fn what_this_side_cannot_do_is_no_reason_to_ask_elsewhere() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    fs::write(build.out(), "in the way").unwrap();
    build.plain().run().failed(1).says("out");
    assert_eq!(fs::read(build.out()).unwrap(), b"in the way");
}

#[test]
fn alternatives_that_make_no_sense_are_told() {
    for (text, says) in [
        ("[", "the derivation's `alternatives` cannot be used"),
        ("{}", "the derivation's `alternatives` cannot be used"),
        (
            r#"[{"registry":"a.example"}]"#,
            "missing field `repository`",
        ),
        (
            r#"[{"registry":"a.example","repository":"a","user":"me"}]"#,
            "unknown field `user`",
        ),
        (
            r#"[{"registry":"https://me:hunter2@a.example","repository":"a"}]"#,
            "the derivation's `registry` cannot be used",
        ),
        (
            r#"[{"registry":"a.example","repository":"../a"}]"#,
            "the derivation's `repository` cannot be used",
        ),
    ] {
        let registry = Registry::start();
        let build = Build::from(&[&registry]);
        build
            .plain()
            .env("alternatives", text)
            .run()
            .failed(1)
            .says(says)
            .never_says("hunter2");
    }
}

/// The environment that a test's credentials are in.
fn given(run: Run) -> Run {
    run.env("DOCKER_USER", "given").env("DOCKER_PASS", "pw")
}

#[test]
fn credentials_of_the_environment_are_for_all_repositories_of_one_registry() {
    let registry = Registry::start();
    let build = Build::from(&[&registry, &registry]);
    build.lets_in("given", 0, &registry, Answer::status(404));
    build.lets_in("given", 1, &registry, build.answer());
    build.is_built(given(build.plain()).run());
}

#[test]
fn several_registries_see_no_credentials_of_the_environment() {
    for variables in [
        &[("DOCKER_USER", "given"), ("DOCKER_PASS", "pw")][..],
        &[("DOCKER_TOKEN", "t0ken")],
    ] {
        let (first, second) = (Registry::start(), Registry::start());
        let build = Build::from(&[&first, &second]);
        // A request with credentials is one that nobody expects.
        first.on(build.asked(0).without("Authorization"), challenge());
        second.on(build.asked(1).without("Authorization"), challenge());
        let run = variables
            .iter()
            .fold(build.structured(), |run, (name, value)| {
                run.env(name, *value)
            });
        let outcome = run.run().failed(4).says(&format!(
            "the credentials from the environment ({}) are for one registry, and several may be asked here: none gets \
             to see them",
            variables.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
        ));
        outcome.never_says("t0ken");
    }
}

#[test]
fn each_registry_is_sent_what_is_kept_for_it() {
    let (first, second) = (Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    let file = build.directory.path().join("auth.json");
    fs::write(&file, entries([(&first, "ann"), (&second, "bob")])).unwrap();
    build.lets_in("ann", 0, &first, Answer::status(404));
    build.lets_in("bob", 1, &second, build.answer());
    let run = given(build.plain()).env("REGISTRY_AUTH_FILE", &file);
    build.is_built(run.run());
}

#[test]
fn each_registry_has_its_own_mirrors() {
    let (first, second) = (Registry::start(), Registry::start());
    let mirrors = [Registry::start(), Registry::start()];
    let build = Build::from(&[&first, &second]);
    mirrors[0].on(build.asked(0), Answer::status(404));
    first.on(build.asked(0), Answer::status(404));
    mirrors[1].on(build.asked(1), build.answer());
    let text = format!(
        "{}={} {}={}",
        first.name(),
        mirrors[0].at(""),
        second.name(),
        mirrors[1].at("")
    );
    build.is_built(build.plain().env("HOCKER_MIRRORS", text).run());
}

#[test]
fn the_mirrors_of_a_derivation_are_asked_for_every_repository() {
    let (first, second, mirror) = (Registry::start(), Registry::start(), Registry::start());
    let build = Build::from(&[&first, &second]);
    mirror.on(build.asked(0), Answer::status(404));
    first.on(build.asked(0), Answer::status(404));
    mirror.on(build.asked(1), build.answer());
    build.is_built(build.plain().env("mirrors", mirror.at("")).run());
}

#[test]
fn the_urls_of_a_foreign_layer_are_asked_when_all_registries_were() {
    let (first, second, elsewhere) = (Registry::start(), Registry::start(), Registry::start());
    let mut build = Build::from(&[&first, &second]);
    build.urls = elsewhere.at("/layer");
    // A registry that has it all the same.
    first.on(build.asked(0), Answer::status(404));
    second.on(build.asked(1), build.answer());
    build.is_built(build.plain().run());

    let (first, second) = (Registry::start(), Registry::start());
    build.places = Build::from(&[&first, &second]).places;
    first.on(build.asked(0), challenge());
    second.on(build.asked(1).times(2), Answer::status(404));
    elsewhere.on(get("/layer").without("Authorization"), build.answer());
    build.is_built(build.plain().run());

    // What is wrong there tells most.
    let (first, second, elsewhere) = (Registry::start(), Registry::start(), Registry::start());
    build.places = Build::from(&[&first, &second]).places;
    build.urls = elsewhere.at("/layer");
    first.on(build.asked(0).times(2), Answer::status(404));
    second.on(build.asked(1), Answer::status(404));
    elsewhere.on(get("/layer"), build.wrong());
    build
        .structured()
        .run()
        .failed(5)
        .says("  caused by: team/app from 127.0.0.1: ");
}

#[test]
fn a_url_that_one_of_the_registries_may_not_lead_to_is_not_asked() {
    // Plain http is for registries on loopback that speak it themselves.
    let (registry, elsewhere) = (Registry::start(), Registry::start());
    let mut build = Build::from(&[&registry]);
    build
        .places
        .push(json!({"registry": "https://127.0.0.1:1/v2/", "repository": "app"}));
    build.urls = elsewhere.at("/layer");
    registry.on(build.asked(0), Answer::status(404));
    build.plain().env("HOCKER_RETRIES", "0").run().failed(6);
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
