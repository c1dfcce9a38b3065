use super::*;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::time::Duration;

fn find(files: &[SourceFile]) -> Result<Option<Credentials>, Error> {
    let sources = Sources {
        variable: None,
        files: files.to_vec(),
        helpers: Helpers {
            path: Some("/path-not-set".into()),
            timeout: Duration::from_secs(30),
        },
    };
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(sources.find(
            &"r.example".parse().unwrap(),
            Some(&"team/app".parse().unwrap()),
        ))
}

fn user(found: Result<Option<Credentials>, Error>) -> Option<String> {
    match found.unwrap()?.proof {
        Proof::Basic { username, .. } => Some(username),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_first_file_that_has_credentials_for_the_repository_wins() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, format, text: &str| {
        let path = directory.path().join(name);
        fs::write(&path, text).unwrap();
        SourceFile {
            path,
            format,
            presence: Presence::Required,
            may_be_pipe: false,
        }
    };
    let none = file("none.json", Format::DockerConfig, r#"{"auths":{}}"#);
    let docker = file(
        "config.json",
        Format::DockerConfig,
        r#"{"auths":{"r.example":{"username":"docker","password":"x"}}}"#,
    );
    let netrc = file(
        "netrc",
        Format::Netrc,
        "machine r.example login netrc password x",
    );
    let classic = file("classic", Format::Classic, "USERNAME=classic\nPASSWORD=x\n");
    let absent = file(
        "absent.json",
        Format::DockerConfig,
        r#"{"auths":{"r.example":{}},"credsStore":"nowhere"}"#,
    );
    let beside = file(
        "beside.json",
        Format::DockerConfig,
        r#"{"auths":{"r.example":{"username":"beside","password":"x"}},"credsStore":"nowhere"}"#,
    );
    let elsewhere = file(
        "elsewhere.json",
        Format::DockerConfig,
        r#"{"credsStore":"../../bin/x"}"#,
    );
    let latin1 = directory.path().join("latin1.json");
    fs::write(
        &latin1,
        b"{\"name\":\"J\xfcrgen\",\"auths\":{\"r.example\":{\"auth\":\"YTpi\"}}}",
    )
    .unwrap();
    let latin1 = SourceFile {
        path: latin1,
        ..none.clone()
    };
    for (files, expected) in [
        (&[&none, &docker, &netrc][..], Some("docker")),
        (&[&none, &netrc, &docker], Some("netrc")),
        (&[&classic, &netrc], Some("classic")),
        (&[&none], None),
        (&[&absent], None),
        (&[&absent, &netrc], Some("netrc")),
        (&[&beside, &netrc], Some("beside")),
        (&[&elsewhere, &netrc], Some("netrc")),
        (&[&latin1], Some("a")),
        (&[], None),
    ] {
        let files: Vec<_> = files.iter().map(|file| (*file).clone()).collect();
        assert_eq!(user(find(&files)).as_deref(), expected);
    }
}

#[test]
fn a_file_that_is_not_there_is_a_mistake_only_if_it_was_named() {
    let directory = tempfile::tempdir().unwrap();
    let nowhere = directory.path().join("nowhere/config.json");
    let in_directory = directory.path().join("config.json");
    for (path, presence, is_mistake) in [
        (&nowhere, Presence::Optional, false),
        (&nowhere, Presence::NeedsDirectory, true),
        (&nowhere, Presence::Required, true),
        (&in_directory, Presence::NeedsDirectory, false),
        (&in_directory, Presence::Required, true),
    ] {
        let file = SourceFile {
            path: path.clone(),
            format: Format::DockerConfig,
            presence,
            may_be_pipe: false,
        };
        assert_eq!(file.is_missing(), is_mistake, "{file:?}");
        assert_eq!(find(&[file]).is_err(), is_mistake, "{path:?} {presence:?}");
    }
}

#[test]
fn what_is_there_but_cannot_be_read_is_an_error_that_names_the_file() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("file");
    for (text, format) in [
        (&b"\xff\xfe"[..], Format::DockerConfig),
        (b"{\"auths\":", Format::DockerConfig),
        (b"\xff\xfe", Format::Netrc),
        (b"machine \"", Format::Netrc),
        (b"nonsense", Format::Classic),
        (&vec![b' '; 2 << 20], Format::Netrc),
    ] {
        fs::write(&path, text).unwrap();
        let file = SourceFile {
            path: path.clone(),
            format,
            presence: Presence::Optional,
            may_be_pipe: false,
        };
        let error = find(&[file]).unwrap_err();
        assert!(error.to_string().contains(path.to_str().unwrap()));
    }
    // A directory in place of the file, and a FIFO without a writer.
    let fifo = directory.path().join("fifo");
    mknodat(CWD, &fifo, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
    for path in [directory.path(), &fifo] {
        for format in [Format::DockerConfig, Format::Netrc, Format::Classic] {
            let file = SourceFile {
                path: path.to_owned(),
                format,
                presence: Presence::Optional,
                may_be_pipe: false,
            };
            assert!(find(&[file]).is_err(), "{path:?} {format:?}");
        }
    }
}
