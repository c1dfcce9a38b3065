//! The proofs beside the lock file.

use super::*;

#[test]
fn files_beside_the_lock_file_that_are_changed_missing_or_swapped_are_refused() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    let workflow = desk.sigstore.workflow();
    store.sign(&digest, &[desk.sigstore.simple(&workflow, &digest)]);
    desk.add_by_workflow(&store, WORKFLOW).done();
    let directory = desk.place.path().with_extension("d");
    let files: Vec<_> = desk
        .files()
        .iter()
        .map(|name| directory.join(name))
        .collect();
    let contents: Vec<_> = files.iter().map(|path| fs::read(path).unwrap()).collect();
    for (path, content) in files.iter().zip(&contents) {
        for index in (0..content.len()).step_by(content.len() / 10) {
            let mut changed = content.clone();
            changed[index] ^= 1;
            fs::write(path, changed).unwrap();
            desk.run(&["verify"])
                .failed(5)
                .says("is not what the lock file names: its digest is sha256:");
        }
        for other in [
            b"".to_vec(),
            [&content[..], b" "].concat(),
            vec![b' '; 3 << 20],
        ] {
            fs::write(path, other).unwrap();
            desk.run(&["verify"]).failed(5);
        }
        fs::remove_file(path).unwrap();
        desk.run(&["verify"])
            .failed(5)
            .says("which the lock file names");
        fs::create_dir(path).unwrap();
        desk.run(&["verify"]).failed(5).says("not a regular file");
        fs::remove_dir(path).unwrap();
        fs::write(path, content).unwrap();
        desk.run(&["verify"]).done();
    }
    fs::write(&files[0], &contents[1]).unwrap();
    fs::write(&files[1], &contents[0]).unwrap();
    desk.run(&["verify"]).failed(5);
    // The same lock without the files, as after an incomplete checkout; the image is added once more.
    fs::remove_dir_all(&directory).unwrap();
    desk.run(&["verify"]).failed(5);
    desk.add_by_workflow(&store, WORKFLOW).done();
    desk.run(&["verify"]).done();
}

#[test]
fn an_update_finds_the_signatures_again_that_a_moved_lock_file_left_behind() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    desk.add_by_key(&store).done();
    let moved = ["--lock-file", "moved.json"];
    let run = |command: &str| desk.run(&[&[command][..], &moved].concat());
    fs::rename(
        desk.place.path(),
        desk.place.path().with_file_name("moved.json"),
    )
    .unwrap();
    run("verify")
        .failed(5)
        .says("move the directory beside it, too");
    // The registry has lost the signature: nothing changes.
    let tag = format!("manifests/{}.sig", digest.replace(':', "-"));
    store.remove(&tag);
    run("update")
        .done()
        .says("still has no signature that counts");
    run("verify").failed(5);
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    run("update").done().says("0 changed");
    run("verify").done();
    let beside = desk.place.path().with_file_name("moved.d");
    assert_eq!(fs::read_dir(beside).unwrap().count(), 1);
    // The directory that belongs to no lock file any more is not touched.
    assert_eq!(desk.files().len(), 1);
}

#[test]
fn two_lock_files_with_one_directory_do_not_remove_each_others_signatures() {
    let (store, desk) = (Store::new(), Desk::new());
    let digest = store.push(&usual("app"));
    store.sign(&digest, &[unlogged(&desk.key, &digest)]);
    let key = ["add", "--key", "cosign.pub"];
    let other = ["--lock-file", "docker-images.lock"];
    let reference = store.reference();
    desk.add_by_key(&store).done();
    desk.run(&[&key[..], &other, &[&reference]].concat()).done();
    assert_eq!(desk.files().len(), 1);
    desk.run(&[&["remove", "app"][..], &other].concat()).done();
    desk.run(&["verify"]).done();
    desk.run(&[&key[..], &other, &[&reference]].concat()).done();
    desk.run(&["remove", "app"]).done();
    desk.run(&[&["verify"][..], &other].concat()).done();
}
