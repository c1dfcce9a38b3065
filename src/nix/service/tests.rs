use super::*;

const PASSWD: &str = "root:x:0:0:root:/root:/bin/sh\nbroken\napp:x:101:102:App:/srv/app:/bin/false\nodd:x:65535:1::/:\n";
const GROUP: &str = "root:x:0:root\napp:x:102:\nlog:x:4:app,other\nssl:x:7:app\n";

fn config(entrypoint: &[&str], command: &[&str]) -> RuntimeConfig {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    RuntimeConfig {
        entrypoint: words(entrypoint),
        command: words(command),
        ..RuntimeConfig::default()
    }
}

fn text(config: &RuntimeConfig) -> Result<String, Error> {
    unit(config, &Overrides::default(), &Users::parse(PASSWD, GROUP))
}

/// The values of a key.
fn values(unit: &str, key: &str) -> Vec<String> {
    let prefix = format!("{key}=");
    let lines = unit.lines().filter_map(|line| line.strip_prefix(&prefix));
    lines.map(str::to_owned).collect()
}

fn start(config: &RuntimeConfig, overrides: &Overrides) -> String {
    let unit = unit(config, overrides, &Users::default()).unwrap();
    values(&unit, "ExecStart").concat()
}

#[test]
fn a_unit_has_what_the_config_says() {
    let mut config = RuntimeConfig {
        user: "app".to_owned(),
        environment: vec![
            "A=1 \"2\" %n".to_owned(),
            "PATH=/opt/bin:rel:/bin".to_owned(),
        ],
        working_directory: "/srv/./app/".to_owned(),
        stop_signal: "quit".to_owned(),
        ..config(&["/bin/app"], &["--x"])
    };
    let expected = "# hocker wrote this unit from the config of an image.\n[Service]\nType=exec\n\
        ExecStart=\"/bin/app\" \"--x\"\nExecSearchPath=/opt/bin:/bin\nWorkingDirectory=/srv/app\n\
        User=101\nGroup=102\nEnvironment=\"HOME=/srv/app\"\n\
        Environment=\"A=1 \\\"2\\\" %%n\"\nEnvironment=\"PATH=/opt/bin:rel:/bin\"\n\
        KillSignal=SIGQUIT\nKillMode=mixed\n";
    let overrides = Overrides {
        user: Some("101:102".to_owned()),
        ..Overrides::default()
    };
    let users = Users::parse(PASSWD, GROUP);
    assert_eq!(unit(&config, &overrides, &users).unwrap(), expected);
    let error = text(&config).unwrap_err().to_string();
    assert!(error.contains("`app`, which is 101:102"), "{error}");
    config.user = "root".to_owned();
    assert_eq!(values(&text(&config).unwrap(), "User"), [] as [&str; 0]);
}

#[test]
fn what_the_config_leaves_out_is_as_docker_has_it() {
    let unit = text(&config(&[], &["sh"])).unwrap();
    assert_eq!(values(&unit, "User"), [] as [&str; 0]);
    assert_eq!(values(&unit, "WorkingDirectory"), ["/"]);
    assert_eq!(values(&unit, "KillSignal"), [] as [&str; 0]);
    let path = format!("\"PATH={DEFAULT_PATH}\"");
    assert_eq!(values(&unit, "Environment"), [&path, "\"HOME=/root\""]);
    assert_eq!(values(&unit, "ExecSearchPath"), [DEFAULT_PATH]);
    assert_eq!(text(&config(&[], &[])), Err(Error::NoCommand));
}

#[test]
fn options_replace_the_command_as_those_of_docker_do() {
    let image = config(&["/e", "1"], &["2"]);
    let words = |text: &str| Some(text.split(' ').map(str::to_owned).collect());
    let with = |entrypoint, command| Overrides {
        entrypoint,
        command,
        ..Overrides::default()
    };
    for (overrides, expected) in [
        (with(None, None), r#""/e" "1" "2""#),
        (with(None, words("3 4")), r#""/e" "1" "3" "4""#),
        (with(words("/x"), None), r#""/x""#),
        (with(words("/x"), words("5")), r#""/x" "5""#),
        (with(None, Some(Vec::new())), r#""/e" "1""#),
    ] {
        assert_eq!(start(&image, &overrides), expected);
    }
}

#[test]
fn relative_programs_are_below_the_working_directory() {
    let mut image = config(&["./bin/../run"], &[]);
    image.working_directory = "/app".to_owned();
    assert_eq!(start(&image, &Overrides::default()), "\"/app/run\"");
    let overrides = Overrides {
        working_directory: Some("/other".to_owned()),
        ..Overrides::default()
    };
    assert_eq!(start(&image, &overrides), "\"/other/run\"");
}

#[test]
fn texts_of_an_image_stay_texts() {
    let mut image = config(
        &[
            "/a b",
            "$HOME",
            "${X}",
            "%h",
            "a\nExecStartPre=/evil",
            ";",
            "",
            "\\n",
            "\u{1b}",
        ],
        &[],
    );
    image.environment = vec![
        "GOOD=a\nUser=0".to_owned(),
        "bad.name=1".to_owned(),
        "1=2".to_owned(),
        "ESCAPE=\u{1b}".to_owned(),
        "NOTHING".to_owned(),
    ];
    let unit = text(&image).unwrap();
    let expected = r#""/a b" "$$HOME" "$${X}" "%%h" "a\nExecStartPre=/evil" ";" "" "\\n" "\x1b""#;
    assert_eq!(values(&unit, "ExecStart"), [expected]);
    assert_eq!(values(&unit, "User"), [] as [&str; 0]);
    assert_eq!(
        values(&unit, "Environment")[2..],
        ["\"GOOD=a\\nUser=0\"", "\"NOTHING=\""]
    );
}

#[test]
fn refuses_what_systemd_would_read_in_another_way() {
    for program in [
        "-sh", "+sh", "!sh", "@sh", ":sh", "|sh", "", "..", "/a\nb", "a\0b",
    ] {
        assert!(text(&config(&[program], &[])).is_err(), "{program:?}");
    }
    assert!(text(&config(&["/a", "b\0c"], &[])).is_err());
    for directory in ["/a\nUser=0", "/a\\", "/a ", "/a\0"] {
        let image = RuntimeConfig {
            working_directory: directory.to_owned(),
            ..config(&["/a"], &[])
        };
        assert!(text(&image).is_err(), "{directory:?}");
    }
    for signal in ["0", "65", "SIG", "TERM\nUser=0", "+1", "-9"] {
        let image = RuntimeConfig {
            stop_signal: signal.to_owned(),
            ..config(&["/a"], &[])
        };
        assert!(text(&image).is_err(), "{signal:?}");
    }
}

#[test]
fn signals_are_names_and_numbers() {
    for (text, expected) in [
        ("SIGTERM", "SIGTERM"),
        ("term", "SIGTERM"),
        ("9", "9"),
        ("SIGRTMIN+3", "SIGRTMIN+3"),
    ] {
        assert_eq!(signal(text).unwrap(), expected);
    }
}

#[test]
fn users_are_those_of_the_image() {
    let users = Users::parse(PASSWD, GROUP);
    let resolve = |text| {
        let identity = users.resolve(text)?;
        Ok((identity.user, identity.group, identity.home))
    };
    let root = || "/root".to_owned();
    for (text, expected) in [
        ("", (0, 0, root())),
        ("root", (0, 0, root())),
        ("app", (101, 102, "/srv/app".to_owned())),
        ("101", (101, 102, "/srv/app".to_owned())),
        ("app:log", (101, 4, "/srv/app".to_owned())),
        ("app:9", (101, 9, "/srv/app".to_owned())),
        ("app:", (101, 102, "/srv/app".to_owned())),
        ("77", (77, 0, "/".to_owned())),
        (":7", (0, 7, root())),
    ] {
        assert_eq!(resolve(text), Ok(expected), "{text}");
    }
    for text in ["nobody", "odd", "65535", "4294967295", "-1"] {
        assert_eq!(resolve(text), Err(Error::User(text.to_owned())));
    }
    assert_eq!(resolve("app:none"), Err(Error::Group("none".to_owned())));
}
