//! Loads that were killed while the daemon fetched.

use super::*;

#[test]
fn a_name_that_a_killed_load_left_is_removed_by_the_next_and_no_other() {
    let image = small();
    let layout = layout(&image);
    let other = digest(b"another image");
    let secret = |digit: &str| format!("hocker-load/{}", digit.repeat(32));
    // Another load, which runs.
    let running = Registry::start();
    let port = running.name().rsplit_once(':').unwrap().1.to_owned();
    let served = format!("/v2/{}/manifests/{other}", secret("a"));
    running.on(head(served), Answer::ok(""));
    // The port of a load that ended, which another program has now.
    let taken = format!("/v2/{}/manifests/{other}", secret("b"));
    running.on(head(taken), Answer::status(404));
    let closed = Registry::closed().name();
    let left = [
        format!("127.0.0.1:{port}/{}@{other}", secret("b")),
        format!("{closed}/{}@{other}", secret("c")),
    ];
    let kept = [
        format!("127.0.0.1:{port}/{}@{other}", secret("a")),
        format!("{closed}/hocker-load/app@{other}"),
        format!("{closed}/{}:1", secret("d")),
        "team/app:1".to_owned(),
    ];
    for Fetching {
        daemon,
        id,
        mut there,
        ..
    } in [podman(&image), containerd(&image)]
    {
        // The image itself is there, and was left with two names.
        there["RepoTags"] = json!(["team/app:1", left[0]]);
        daemon.on(inspect(&id), json(&there));
        let names = json!([
            {"Id": id, "RepoTags": [kept[3], left[0]], "RepoDigests": [left[0]]},
            {"Id": digest(b"x"), "RepoTags": null, "RepoDigests": [left[1], kept[1]]},
            {"Id": digest(b"y"), "RepoTags": [kept[0], kept[2]], "RepoDigests": null},
        ]);
        daemon.on(api("/images/json"), json(&names));
        for name in &left {
            daemon.on(delete(format!("{API}/images/{name}")), json(&json!([])));
        }
        running.on(
            head(format!("/v2/{}/manifests/{other}", secret("a"))).perhaps(),
            Answer::ok(""),
        );
        running.on(
            head(format!("/v2/{}/manifests/{other}", secret("b"))).perhaps(),
            Answer::status(404),
        );
        load(&daemon, &layout)
            .run()
            .done()
            .says("the daemon has the image; nothing was sent");
    }
}

#[test]
fn a_load_that_is_killed_while_the_daemon_fetches_serves_nothing_afterwards() {
    let image = small();
    let layout = layout(&image);
    let state = tempfile::tempdir().unwrap();
    let arguments = ["--state", state.path().to_str().unwrap()];
    let Fetching {
        daemon, pull, id, ..
    } = podman(&image);
    daemon.on(inspect(&id), absent());
    daemon.on(api("/images/json"), json(&json!([])));
    daemon.on(pull, Answer::stall_before_head());
    let running = load(&daemon, &layout).arguments(arguments).start();
    daemon.wait_for_stall();
    running.kill();
    let (port, repository, digest) = was_asked(&daemon.requests());
    is_closed(port);

    // The daemon had fetched all of it.
    let name = format!("127.0.0.1:{port}/{repository}@{digest}");
    let Fetching { daemon, .. } = podman(&image);
    daemon.on(inspect(&id), inspected(&image, &[&name]));
    let tag = format!(
        "{API}/images/{}/tag?repo=docker.io%2Fteam%2Fapp&tag=1",
        &id[7..]
    );
    daemon.on(post(tag), json(&json!({})));
    daemon.on(
        api("/images/json"),
        json(&json!([{"Id": id, "RepoTags": [name, "team/app:1"]}])),
    );
    daemon.on(delete(format!("{API}/images/{name}")), json(&json!([])));
    load(&daemon, &layout)
        .arguments(arguments)
        .run()
        .done()
        .says("it got the names team/app:1");
}
