/**
  What `scripts/test` needs, but for the daemons that a system has to run.
*/
{
  mkShell,
  hocker,
  cargo-nextest,
  clippy,
  rustfmt,
  shellcheck,
  skopeo,
}:
mkShell {
  inputsFrom = [ hocker ];
  packages = [
    cargo-nextest
    clippy
    rustfmt
    shellcheck
    skopeo
  ];
}
