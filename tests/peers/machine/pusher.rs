//! Pushes images to a registry, many small ones quickly: one connection, and no second program.
//!
//! Source: OCI distribution specification, section "Push".

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;

use crate::support::image::{Image, OCI_INDEX, digest, index};

/// A connection to a registry.
pub(crate) struct Pusher {
    stream: BufReader<TcpStream>,
}

impl Pusher {
    /// To a registry on a port of this machine.
    pub(crate) fn to(port: u16) -> Self {
        let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self {
            stream: BufReader::new(stream),
        }
    }

    /// Pushes images for several platforms under one tag, and gives the digest of their index. Layers that the
    /// repository `shared` has are taken from there.
    pub(crate) fn push_index(
        &mut self,
        repository: &str,
        tag: &str,
        images: &[Image],
        shared: &str,
    ) -> String {
        for image in images {
            for layer in &image.layers {
                self.blob(repository, &layer.blob, Some(shared));
            }
            self.blob(repository, &image.config, None);
            self.manifest(
                repository,
                &image.digest(),
                image.media_type,
                &image.manifest,
            );
        }
        let entries: Vec<_> = images.iter().map(Image::descriptor).collect();
        let index = index(&entries);
        self.manifest(repository, tag, OCI_INDEX, &index);
        digest(&index)
    }

    /// Pushes a blob that the repository does not have.
    pub(crate) fn blob(&mut self, repository: &str, blob: &[u8], from: Option<&str>) {
        let digest = digest(blob);
        let uploads = format!("/v2/{repository}/blobs/uploads/");
        let mount = from.map(|from| format!("?mount={digest}&from={from}"));
        let (status, location) = self.request(
            "POST",
            &format!("{uploads}{}", mount.unwrap_or_default()),
            "",
            &[],
        );
        if status == 201 {
            return;
        }
        assert_eq!(status, 202, "an upload of {repository}");
        let location = location.unwrap();
        let path = location
            .find("/v2/")
            .map(|start| &location[start..])
            .unwrap();
        let separator = if path.contains('?') { '&' } else { '?' };
        let target = format!("{path}{separator}digest={digest}");
        let (status, _) = self.request("PUT", &target, "application/octet-stream", blob);
        assert_eq!(status, 201, "a blob of {repository}");
    }

    /// Pushes a manifest or index, whose parts must be there.
    pub(crate) fn manifest(
        &mut self,
        repository: &str,
        reference: &str,
        media_type: &str,
        bytes: &[u8],
    ) {
        let target = format!("/v2/{repository}/manifests/{reference}");
        let (status, _) = self.request("PUT", &target, media_type, bytes);
        assert_eq!(status, 201, "{target}");
    }

    /// The status and the location of the answer.
    fn request(
        &mut self,
        method: &str,
        target: &str,
        media_type: &str,
        body: &[u8],
    ) -> (u16, Option<String>) {
        let mut request = format!(
            "{method} {target} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {media_type}\r\nContent-Length: {}\r\n\r\n",
            body.len()
        )
        .into_bytes();
        request.extend_from_slice(body);
        self.stream.get_mut().write_all(&request).unwrap();
        let mut line = String::new();
        self.stream.read_line(&mut line).unwrap();
        let status = line.split(' ').nth(1).unwrap().parse().unwrap();
        let (mut location, mut length) = (None, 0);
        loop {
            line.clear();
            self.stream.read_line(&mut line).unwrap();
            let Some((name, value)) = line.trim_end().split_once(": ") else {
                break;
            };
            match name.to_ascii_lowercase().as_str() {
                "location" => location = Some(value.to_owned()),
                "content-length" => length = value.parse().unwrap(),
                _ => {}
            }
        }
        let mut rest = vec![0; length];
        self.stream.read_exact(&mut rest).unwrap();
        (status, location)
    }
}
