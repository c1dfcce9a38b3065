//! Lock files, and the Compose files that they are made from.

use std::io;
use std::path::Path;

use hocker::compose;
use hocker::lock::{self, Changes, Graph, Lock};

/// A lock is written as it was read, and differs in nothing from itself. What can be told of it can be told of any.
pub fn lock(bytes: &[u8]) {
    let Ok(lock) = lock::parse(bytes) else {
        return;
    };
    let text = lock.text();
    let again = lock::parse(text.as_bytes()).unwrap();
    assert_eq!(again, lock);
    assert_eq!(again.text(), text);
    assert!(Changes::between(&lock, &again).images.is_empty());
    let changes = Changes::between(&Lock::default(), &lock);
    assert_eq!(changes.images.len(), lock.images.len());
    let platforms = lock
        .images
        .values()
        .flat_map(|image| image.platforms().keys());
    for platform in platforms {
        let graph = Graph::of(&lock, platform);
        assert!(graph.stored() <= graph.total());
        assert!(lock::svg(&graph).ends_with("</svg>\n"));
    }
}

/// A project whose files are all the same.
struct Mirrors<'a>(&'a str);

impl compose::Project for Mirrors<'_> {
    fn name(&self) -> String {
        "project".to_owned()
    }

    fn read(&self, _: &Path) -> io::Result<String> {
        Ok(self.0.to_owned())
    }
}

/// A Compose file's services are few, and each has an image.
pub fn compose(text: &str) {
    let variables = |name: &str| {
        let is_set = name.starts_with('A');
        is_set.then(|| compose::Value::of(name, name.to_lowercase()))
    };
    for profiles in [&[][..], &["*".to_owned()]] {
        if let Ok(images) = compose::images(text, profiles, &variables, &Mirrors(text)) {
            assert!(images.services.len() <= text.len());
            assert!(
                images
                    .services
                    .iter()
                    .all(|service| !service.image.is_empty())
            );
        }
    }
    let _ = compose::dotenv::parse(text, &variables);
}
