//! Files of credentials.

use hocker::auth::docker_config::DockerConfig;
use hocker::auth::{Proof, credentials_file as classic, netrc as net_rc};
use hocker::secret::Secret;

use super::{escaped, registry_of, repository_of};

/// Files of docker's form give names that are not empty, for registries of every spelling.
pub fn docker_config(text: &str) {
    let Ok(config) = DockerConfig::parse(text) else {
        return;
    };
    for name in ["r.example", "docker.io", "localhost:5000", "[::1]:5000"] {
        let name = registry_of(name);
        assert_ne!(config.helper(&name), Some(""));
        if let Ok(Some(proof)) = config.proof(&name, Some(&repository_of("team/app"))) {
            match &proof {
                Proof::Basic { username, .. } => assert!(!username.is_empty()),
                Proof::Bearer(token) | Proof::Identity(token) => assert!(!token.is_empty()),
            }
        }
    }
}

/// A quoted word of a netrc file is what was quoted.
pub fn netrc(text: &str) {
    let registry = registry_of("r.example");
    let _ = net_rc::find(text, &registry);
    let quoted = escaped(text).replace('\n', "\\n");
    let file = format!("machine r.example login ann password \"{quoted}\"\n");
    assert_eq!(net_rc::find(&file, &registry), Ok(Some(basic(text))));
}

/// A secret in a credentials file is the rest of its line.
pub fn credentials_file(text: &str) {
    let _ = classic::parse(text);
    let line = text.lines().next().unwrap_or_default();
    let secret = line.trim_end_matches('\r');
    let file = format!("USERNAME=ann\nPASSWORD={line}\n");
    let expected = if secret.is_empty() {
        Err(classic::Error::Incomplete)
    } else {
        Ok(basic(secret))
    };
    assert_eq!(classic::parse(&file), expected);
}

fn basic(password: &str) -> Proof {
    Proof::Basic {
        username: "ann".to_owned(),
        password: Secret::new(password),
    }
}
