//! Servers with which TLS cannot be agreed on, and what the error says then.

use std::fs;

use crate::machine::docker_registry::DockerRegistry;
use crate::machine::nginx::Nginx;
use crate::support::tls::Authority;
use crate::transport::{image_by_tls, image_from};

#[test]
fn a_server_of_old_versions_of_tls_is_told() {
    let authority = Authority::new("a company");
    for version in ["TLSv1", "TLSv1.1"] {
        let nginx = Nginx::start_with_tls(
            &authority.identity(&["localhost"]),
            &format!("ssl_protocols {version}; ssl_ciphers DEFAULT@SECLEVEL=0; return 200;"),
        );
        image_by_tls(&nginx, &authority)
            .failed(6)
            .says("hint: configure the server for TLS 1.2 or 1.3");
        assert!(nginx.requests().is_empty());
    }
}

#[test]
fn a_server_of_gos_that_demands_a_certificate_is_told_with_where_to_put_it() {
    let authority = Authority::new("a company");
    let registry = DockerRegistry::start_with_client_certificates(&authority);
    let url = format!("https://localhost:{}/v2/", registry.port());
    let home = tempfile::tempdir().unwrap();
    let directory = tempfile::tempdir().unwrap();
    let bundle = authority.write(home.path());
    let run = || {
        image_from(&url, directory.path(), "image")
            .env("HOME", home.path())
            .env("SSL_CERT_FILE", &bundle)
            .run()
    };
    let hint = "hint: if the server requires a client certificate, or another one";
    run().failed(6).says(hint);
    let own = format!(".config/containers/certs.d/localhost:{}", registry.port());
    let own = home.path().join(own);
    fs::create_dir_all(&own).unwrap();
    let show = |authority: &Authority| {
        let client = authority.identity(&["client.example"]);
        fs::write(own.join("client.cert"), client.certificate).unwrap();
        fs::write(own.join("client.key"), client.key).unwrap();
    };
    show(&Authority::new("another"));
    run().failed(6).says(hint);
    show(&authority);
    // It is let in, and asks for what is not there.
    run().failed(3);
}
