//! Proxies: used where the environment says so, never for loopback, and told nothing that is not for them.

use std::fs;
use std::io::{self, Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use tempfile::TempDir;

use crate::support::hocker::{Run, hocker};
use crate::support::image::{blob_path, digest, noise};
use crate::support::scripted_registry::{Answer, Registry, get};
use crate::support::tls::Authority;

const TOKEN: &str = "t0ken-of-the-tests";

fn layer(digest: &str, url: &str, directory: &TempDir) -> Run {
    hocker(["layer", "--layer", digest, "--out", "layer"])
        .arguments(["--registry", url, "app", "1"])
        .env("DOCKER_TOKEN", TOKEN)
        .in_directory(directory.path())
}

/// A proxy that opens tunnels to one server, whatever it is asked for.
struct Tunnels {
    address: SocketAddr,
    /// The requests for tunnels, as they came.
    heads: Arc<Mutex<Vec<String>>>,
}

impl Tunnels {
    fn start(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let tunnels = Self {
            address: listener.local_addr().unwrap(),
            heads: Arc::default(),
        };
        let heads = Arc::clone(&tunnels.heads);
        // It ends with the test's process: nobody waits for it.
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (heads, target) = (Arc::clone(&heads), target.clone());
                thread::spawn(move || tunnel(&client, &target, &heads));
            }
        });
        tunnels
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn tunnel(mut client: &TcpStream, target: &str, heads: &Mutex<Vec<String>>) -> io::Result<()> {
    let mut head = Vec::new();
    let mut byte = [0];
    while !head.ends_with(b"\r\n\r\n") && client.read(&mut byte)? > 0 {
        head.push(byte[0]);
    }
    heads
        .lock()
        .unwrap()
        .push(String::from_utf8_lossy(&head).into_owned());
    let server = TcpStream::connect(target)?;
    client.write_all(b"HTTP/1.1 200 Connected\r\n\r\n")?;
    relay(client, &server);
    Ok(())
}

/// A SOCKS proxy (RFC 1928) that leads to one server, whatever it is asked for. It demands a password if the client has
/// one (RFC 1929).
fn socks(target: String) -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::<Mutex<Vec<String>>>::default();
    let names = Arc::clone(&asked);
    // It ends with the test's process: nobody waits for it.
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let _ = socks_client(&client, &target, &names);
        }
    });
    (address, asked)
}

fn socks_client(
    mut client: &TcpStream,
    target: &str,
    names: &Mutex<Vec<String>>,
) -> io::Result<()> {
    let from = client;
    let counted = move |before: usize| {
        let mut from = from;
        let mut start = vec![0; before + 1];
        from.read_exact(&mut start)?;
        let mut text = vec![0; usize::from(start[before])];
        from.read_exact(&mut text)?;
        io::Result::Ok(text)
    };
    let methods = counted(1)?;
    let mut who = String::new();
    if methods.contains(&2) {
        client.write_all(&[5, 2])?;
        let (name, password) = (counted(1)?, counted(0)?);
        let text = [name, b":".to_vec(), password, b"@".to_vec()].concat();
        who = String::from_utf8(text).unwrap();
        client.write_all(&[1, 0])?;
    } else {
        client.write_all(&[5, 0])?;
    }
    // Version, command, nothing, and the kind of address: a name.
    let name = String::from_utf8(counted(4)?).unwrap();
    let mut port = [0; 2];
    client.read_exact(&mut port)?;
    let port = u16::from_be_bytes(port);
    names.lock().unwrap().push(format!("{who}{name}:{port}"));
    client.write_all(&[5, 0, 0, 1, 0, 0, 0, 0, 0, 0])?;
    relay(client, &TcpStream::connect(target)?);
    Ok(())
}

fn relay(client: &TcpStream, server: &TcpStream) {
    thread::scope(|scope| {
        scope.spawn(|| {
            let (mut from, mut to) = (client, server);
            let _ = io::copy(&mut from, &mut to);
            let _ = server.shutdown(Shutdown::Write);
        });
        let (mut from, mut to) = (server, client);
        let _ = io::copy(&mut from, &mut to);
        let _ = client.shutdown(Shutdown::Both);
    });
}

#[test]
fn a_socks_proxy_is_given_the_name_by_either_scheme() {
    for (variable, proxy, who) in [
        ("all_proxy", "socks5://", ""),
        ("https_proxy", "socks5h://", ""),
        ("https_proxy", "socks5://me:hunter2@", "me:hunter2@"),
    ] {
        let authority = Authority::new("the tests");
        let registry = Registry::start_with_tls(authority.server_named("registry.test"));
        let directory = tempfile::tempdir().unwrap();
        let ca = tempfile::tempdir().unwrap();
        let blob = noise(100_000);
        let digest = digest(&blob);
        registry.on(get(blob_path("app", &digest)), Answer::ok(blob.clone()));
        let (address, asked) = socks(registry.name());
        layer(&digest, "https://registry.test/v2/", &directory)
            .env(variable, format!("{proxy}{address}"))
            .env("SSL_CERT_FILE", authority.write(ca.path()))
            .run()
            .done()
            .never_says("hunter2");
        assert!(fs::read(directory.path().join("layer")).unwrap() == blob);
        assert_eq!(*asked.lock().unwrap(), [format!("{who}registry.test:443")]);
    }
}

#[test]
fn a_proxy_that_cannot_be_used_is_no_error_for_loopback() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let blob = noise(1000);
    let digest = digest(&blob);
    registry.on(get(blob_path("app", &digest)), Answer::ok(blob));
    layer(&digest, &registry.url(), &directory)
        .env("all_proxy", "socks4://proxy.invalid")
        .run()
        .done();
}

#[test]
fn plain_http_goes_through_the_proxy_that_the_environment_names() {
    for variable in ["http_proxy", "HTTP_PROXY"] {
        let proxy = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        let blob = noise(100_000);
        let digest = digest(&blob);
        proxy.on(
            get(format!(
                "http://registry.invalid{}",
                blob_path("app", &digest)
            ))
            .with("Host", "registry.invalid"),
            Answer::ok(blob.clone()),
        );
        layer(&digest, "http://registry.invalid/v2/", &directory)
            .env(variable, proxy.at(""))
            .run()
            .done();
        assert!(fs::read(directory.path().join("layer")).unwrap() == blob);
    }
}

#[test]
fn https_goes_through_a_tunnel_whose_keeper_learns_the_host_alone() {
    for (variable, password) in [
        ("https_proxy", ""),
        ("HTTPS_PROXY", "me:hunter2@"),
        ("all_proxy", ""),
    ] {
        let authority = Authority::new("the tests");
        let registry = Registry::start_with_tls(authority.server_named("registry.test"));
        let directory = tempfile::tempdir().unwrap();
        let ca = tempfile::tempdir().unwrap();
        let blob = noise(100_000);
        let digest = digest(&blob);
        registry.on(
            get(blob_path("app", &digest))
                .with("Authorization", format!("Bearer {TOKEN}"))
                .without("Proxy-Authorization"),
            Answer::ok(blob.clone()),
        );
        let proxy = Tunnels::start(registry.name());
        layer(&digest, "https://registry.test/v2/", &directory)
            .env(variable, format!("http://{password}{}", proxy.address))
            .env("SSL_CERT_FILE", authority.write(ca.path()))
            .run()
            .done()
            .never_says("hunter2");
        assert!(fs::read(directory.path().join("layer")).unwrap() == blob);
        let heads = proxy.heads();
        assert_eq!(heads.len(), 1, "{heads:?}");
        assert!(
            heads[0].starts_with("CONNECT registry.test:443 HTTP/1.1\r\n"),
            "{heads:?}"
        );
        assert!(!heads[0].contains(TOKEN), "the proxy was told the token");
        // "me:hunter2"
        assert_eq!(
            heads[0].contains("Basic bWU6aHVudGVyMg=="),
            !password.is_empty(),
            "{heads:?}"
        );
    }
}

#[test]
fn loopback_and_what_no_proxy_names_are_reached_directly() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let blob = noise(1000);
    let digest = digest(&blob);
    registry.on(get(blob_path("app", &digest)), Answer::ok(blob));
    // Nobody listens there.
    layer(&digest, &registry.url(), &directory)
        .env("http_proxy", "http://127.0.0.1:1")
        .run()
        .done();
    for (variable, except) in [
        ("no_proxy", "registry.invalid"),
        ("NO_PROXY", "example.org,.invalid"),
        ("no_proxy", "*"),
    ] {
        // It expects no request.
        let proxy = Registry::start();
        let directory = tempfile::tempdir().unwrap();
        layer(&digest, "http://registry.invalid/v2/", &directory)
            .env("http_proxy", proxy.at(""))
            .env(variable, except)
            .env("HOCKER_RETRIES", "0")
            .run()
            .failed(6);
        assert_eq!(proxy.connections(), 0, "{except}: the proxy was asked");
    }
}

#[test]
fn a_variable_that_names_no_proxy_is_an_error_that_does_not_show_it() {
    for url in ["ftp://me:hunter2@proxy", "http://", "://hunter2"] {
        let directory = tempfile::tempdir().unwrap();
        let outcome = layer(&digest(b"x"), "https://registry.invalid/v2/", &directory)
            .env("https_proxy", url)
            .run()
            .never_says("hunter2");
        assert!(
            outcome.code.is_some_and(|code| [1, 2].contains(&code)),
            "{url}: {outcome}"
        );
        outcome.says("proxy");
    }
}

#[test]
fn an_empty_variable_is_unset() {
    let registry = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let blob = noise(1000);
    let digest = digest(&blob);
    registry.on(get(blob_path("app", &digest)), Answer::ok(blob));
    let mut run = layer(&digest, &registry.url(), &directory);
    for variable in ["http_proxy", "https_proxy", "all_proxy", "no_proxy"] {
        run = run.env(variable, "");
    }
    run.run().done();
}

#[test]
fn a_proxy_that_opens_no_tunnel_is_told_and_not_taken_for_the_registry() {
    let digest = digest(b"x");
    for (status, reason) in [(403, "Forbidden"), (407, "Proxy Authentication Required")] {
        let directory = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for mut client in listener.incoming().flatten() {
                let _ = client.read(&mut [0; 4096]);
                let _ = write!(client, "HTTP/1.1 {status} {reason}\r\n\r\n");
            }
        });
        layer(&digest, "https://registry.invalid/v2/", &directory)
            .env("https_proxy", format!("http://me:hunter2@{address}"))
            .env("HOCKER_RETRIES", "0")
            .run()
            .failed(6)
            .says("no connection through the proxy")
            .says("hint: check the proxy that https_proxy or all_proxy names")
            .never_says("hunter2");
    }
    let directory = tempfile::tempdir().unwrap();
    layer(&digest, "https://registry.invalid/v2/", &directory)
        .env("https_proxy", "http://127.0.0.1:1")
        .env("HOCKER_RETRIES", "0")
        .run()
        .failed(6)
        .says("no connection through the proxy");
}

#[test]
fn a_proxy_that_refuses_is_told_and_not_taken_for_the_registry() {
    // A proxy's challenge is not the registry's: no credentials are for it.
    let proxy = Registry::start();
    let directory = tempfile::tempdir().unwrap();
    let digest = digest(b"x");
    proxy.on(
        get(format!(
            "http://registry.invalid{}",
            blob_path("app", &digest)
        ))
        .repeatedly(),
        Answer::error(407, "PROXY").header("Proxy-Authenticate", "Basic realm=\"proxy\""),
    );
    let outcome = layer(&digest, "http://registry.invalid/v2/", &directory)
        .env("http_proxy", proxy.at(""))
        .run()
        .says("407")
        .never_says(TOKEN);
    assert_ne!(outcome.code, Some(0), "{outcome}");
    assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
}
