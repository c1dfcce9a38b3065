use super::*;

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn a_file_has_no_name_until_it_is_complete() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let mut file = OutputFile::create(&path, Existing::Refuse).unwrap();
    file.write_all(b"half").unwrap();
    assert!(!path.exists());
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"half");
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn a_dropped_file_leaves_nothing() {
    let directory = tempfile::tempdir().unwrap();
    for existing in [Existing::Refuse, Existing::Replace] {
        let mut file = OutputFile::create(&directory.path().join("out"), existing).unwrap();
        file.write_all(b"half").unwrap();
        drop(file);
        assert!(names(directory.path()).is_empty());
    }
}

#[test]
fn an_existing_file_is_kept_or_replaced_as_asked() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    fs::write(&path, "old").unwrap();
    assert!(
        OutputFile::create(&path, Existing::Refuse)
            .unwrap_err()
            .is_existing()
    );
    let mut file = OutputFile::create(&path, Existing::Replace).unwrap();
    file.write_all(b"new").unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"old");
    file.commit().unwrap();
    assert_eq!(fs::read(&path).unwrap(), b"new");
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn a_file_that_replaces_another_has_its_permissions_and_no_special_bits() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let mode = || fs::metadata(&path).unwrap().mode() & 0o7777;
    for (before, after) in [
        (0o600, 0o600),
        (0o640, 0o640),
        (0o666, 0o666),
        (0o755, 0o755),
        (0o400, 0o400),
        (0o4755, 0o755),
    ] {
        fs::write(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(before)).unwrap();
        let mut file = OutputFile::create(&path, Existing::Replace).unwrap();
        file.write_all(b"new").unwrap();
        file.commit().unwrap();
        assert_eq!(mode(), after, "{before:o}");
        assert_eq!(fs::read(&path).unwrap(), b"new");
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_file_that_appeared_in_between_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    let file = OutputFile::create(&path, Existing::Refuse).unwrap();
    fs::write(&path, "other").unwrap();
    assert!(file.commit().unwrap_err().is_existing());
    assert_eq!(fs::read(&path).unwrap(), b"other");
}

#[test]
fn a_directory_appears_whole_and_only_where_nothing_is() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    fs::create_dir(&path).unwrap();
    let output = OutputDirectory::create(&path).unwrap();
    fs::write(output.path().join("x"), "x").unwrap();
    output.commit().unwrap();
    assert_eq!(names(&path), ["x"]);
    assert!(OutputDirectory::create(&path).unwrap_err().is_existing());
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn a_link_that_leads_nowhere_is_kept() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out");
    std::os::unix::fs::symlink("nowhere", &path).unwrap();
    assert!(
        OutputFile::create(&path, Existing::Refuse)
            .unwrap_err()
            .is_existing()
    );
    assert_eq!(names(directory.path()), ["out"]);
}

#[test]
fn the_working_directory_and_mount_points_are_refused_at_once() {
    for path in [".", "/", "/proc"] {
        assert!(OutputDirectory::create(Path::new(path)).is_err(), "{path}");
    }
}

#[test]
fn devices_are_written_as_they_are() {
    let mut file = OutputFile::create(Path::new("/dev/null"), Existing::Refuse).unwrap();
    file.write_all(b"x").unwrap();
    file.commit().unwrap();
    assert!(
        Path::new("/dev/null")
            .metadata()
            .unwrap()
            .file_type()
            .is_char_device()
    );
}
