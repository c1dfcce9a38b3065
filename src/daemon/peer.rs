//! The process that listens at a Unix socket. The kernel names it at once, while podman needs a quarter of a second to
//! describe its machine where it asks a package manager for versions (seen with podman 4.3 and 5.4 on Debian).

use std::path::Path;

use tokio::net::UnixStream;

/// The process that creates the sockets of services.
const INIT: i32 = 1;
/// The names of processes that listen for podman on this machine. Others may forward to another machine.
const NAMES: [&str; 2] = ["podman", "systemd"];

/// Returns whether podman certainly listens at the socket, and on this machine. A process in another PID namespace, such
/// as that of a host outside of this container, has no number here.
pub(super) async fn is_podman(socket: &Path) -> bool {
    let Ok(stream) = UnixStream::connect(socket).await else {
        return false;
    };
    match stream.peer_cred().ok().and_then(|peer| peer.pid()) {
        Some(INIT) => true,
        Some(pid) if pid > INIT => {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            NAMES.contains(&name.trim_end())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::net::UnixListener;

    #[tokio::test]
    async fn another_program_is_not_podman() {
        let directory = tempfile::tempdir().unwrap();
        let socket = directory.path().join("socket");
        assert!(!is_podman(&socket).await, "nothing listens");
        let _listener = UnixListener::bind(&socket).unwrap();
        assert!(!is_podman(&socket).await);
    }
}
