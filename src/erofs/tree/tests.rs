use super::*;

fn metadata(mode: u16) -> Metadata {
    Metadata {
        mode,
        user: 1,
        group: 2,
        time: Time::default(),
    }
}

/// A path as names.
fn names(path: &str) -> Vec<&[u8]> {
    path.split('/').map(str::as_bytes).collect()
}

/// Puts something at a path, and makes its parents.
fn put(tree: &mut Tree, path: &str, kind: Kind) -> Result<Id, EntryError> {
    let names = names(path);
    let (name, parents) = names.split_last().unwrap();
    let parent = tree.make_parents(parents)?;
    let node = Node::new(kind, metadata(0o700), Attributes::default());
    tree.insert(parent, name, node)
}

fn file() -> Kind {
    Kind::Regular(0)
}

fn directory() -> Kind {
    Kind::Directory(Directory::listed())
}

fn symbolic_link(target: &str) -> Kind {
    Kind::SymbolicLink {
        target: target.as_bytes().into(),
        content: 0,
    }
}

fn white_out(tree: &mut Tree, path: &str) {
    let names = names(path);
    let (name, parents) = names.split_last().unwrap();
    let parent = tree.make_parents(parents).unwrap();
    tree.white_out(parent, name, metadata(0)).unwrap();
}

fn find(tree: &Tree, path: &str) -> Option<Id> {
    let names = names(path);
    let (name, parents) = names.split_last().unwrap();
    tree.find(parents, name).unwrap()
}

fn is_opaque(tree: &Tree, id: Id) -> bool {
    let mut opaque = Attributes::default();
    opaque.set_opaque().unwrap();
    tree.node(id).unwrap().attributes == opaque
}

fn count(tree: &Tree) -> usize {
    tree.nodes().count()
}

#[test]
fn parents_that_are_not_listed_are_open_to_all_and_of_root() {
    let mut tree = Tree::new();
    put(&mut tree, "a/b/file", file()).unwrap();
    let parent = tree.node(find(&tree, "a/b").unwrap()).unwrap();
    let Metadata {
        mode, user, group, ..
    } = parent.metadata;
    assert_eq!((mode, user, group), (0o755, 0, 0));
    // A later entry describes them.
    put(&mut tree, "a/b", directory()).unwrap();
    let parent = tree.node(find(&tree, "a/b").unwrap()).unwrap();
    assert_eq!(parent.metadata, metadata(0o700));
    assert!(find(&tree, "a/b/file").is_some());
    assert_eq!(count(&tree), 4);
}

#[test]
fn the_last_entry_counts_and_takes_what_was_below_the_first() {
    let mut tree = Tree::new();
    put(&mut tree, "a/b/c/d", file()).unwrap();
    put(&mut tree, "a/b", file()).unwrap();
    assert_eq!(count(&tree), 3);
    assert!(find(&tree, "a/b/c/d").is_none());
    put(&mut tree, "a/b", directory()).unwrap();
    assert!(find(&tree, "a/b/c").is_none());
    assert!(!is_opaque(&tree, find(&tree, "a/b").unwrap()));
}

#[test]
fn other_names_of_a_replaced_file_keep_it() {
    let mut tree = Tree::new();
    let first = put(&mut tree, "a", file()).unwrap();
    tree.link(ROOT, b"b", first).unwrap();
    tree.link(ROOT, b"b", first).unwrap();
    assert_eq!(tree.node(first).unwrap().links, 2);
    let second = put(&mut tree, "a", file()).unwrap();
    assert_eq!(tree.node(first).unwrap().links, 1);
    assert_eq!(find(&tree, "b"), Some(first));
    assert_eq!(find(&tree, "a"), Some(second));
    // A link may replace the directory that its target is in.
    let inner = put(&mut tree, "c/inner", file()).unwrap();
    tree.link(ROOT, b"c", inner).unwrap();
    assert_eq!(find(&tree, "c"), Some(inner));
    assert_eq!(tree.node(inner).unwrap().links, 1);
}

#[test]
fn parents_may_be_symbolic_links_which_stay_below_the_root() {
    let mut tree = Tree::new();
    put(&mut tree, "lib", symbolic_link("usr/lib")).unwrap();
    put(&mut tree, "lib/x", file()).unwrap();
    assert!(find(&tree, "usr/lib/x").is_some());
    put(&mut tree, "a/b/up", symbolic_link("../../../../etc/./")).unwrap();
    put(&mut tree, "a/b/up/passwd", file()).unwrap();
    assert!(find(&tree, "etc/passwd").is_some());
    put(&mut tree, "a/root", symbolic_link("/")).unwrap();
    put(&mut tree, "a/root/y", file()).unwrap();
    assert!(find(&tree, "y").is_some());
    // The link itself is replaced, not followed.
    put(&mut tree, "lib", directory()).unwrap();
    assert!(find(&tree, "lib/x").is_none());
    assert!(find(&tree, "usr/lib/x").is_some());
}

#[test]
fn circles_of_symbolic_links_and_files_as_parents_are_refused() {
    let mut tree = Tree::new();
    put(&mut tree, "a", symbolic_link("b")).unwrap();
    put(&mut tree, "b", symbolic_link("a")).unwrap();
    put(&mut tree, "c", symbolic_link("c/c")).unwrap();
    for path in ["a/x", "c/x"] {
        let error = put(&mut tree, path, file()).unwrap_err();
        assert_eq!(error, EntryError::SymbolicLinks);
    }
    put(&mut tree, "file", file()).unwrap();
    let error = put(&mut tree, "file/x", file()).unwrap_err();
    assert_eq!(error, EntryError::NotADirectory);
    assert!(find(&tree, "file/x").is_none());
}

#[test]
fn a_whiteout_hides_lower_layers_and_not_its_own() {
    // In both orders.
    let mut tree = Tree::new();
    white_out(&mut tree, "gone");
    let kind = &tree.node(find(&tree, "gone").unwrap()).unwrap().kind;
    assert!(matches!(kind, Kind::Whiteout));
    put(&mut tree, "file", file()).unwrap();
    white_out(&mut tree, "file");
    white_out(&mut tree, "file2");
    put(&mut tree, "file2", file()).unwrap();
    for path in ["file", "file2"] {
        let kind = &tree.node(find(&tree, path).unwrap()).unwrap().kind;
        assert!(matches!(kind, Kind::Regular(_)), "{path}");
    }
    put(&mut tree, "before/x", file()).unwrap();
    white_out(&mut tree, "before");
    white_out(&mut tree, "after");
    put(&mut tree, "after/x", file()).unwrap();
    white_out(&mut tree, "listed");
    put(&mut tree, "listed", directory()).unwrap();
    for path in ["before", "after", "listed"] {
        assert!(is_opaque(&tree, find(&tree, path).unwrap()), "{path}");
    }
    assert!(find(&tree, "before/x").is_some());
}

#[test]
fn a_tree_deeper_than_any_path_is_removed_without_recursion() {
    let mut tree = Tree::new();
    let mut parent = ROOT;
    for _ in 0..200_000 {
        let node = Node::new(directory(), metadata(0), Attributes::default());
        parent = tree.insert(parent, b"d", node).unwrap();
    }
    put(&mut tree, "d", file()).unwrap();
    assert_eq!(count(&tree), 2);
}
