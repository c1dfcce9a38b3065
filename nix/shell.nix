/**
  A shell with the programs that `scripts/test` needs, except for the daemons, which the system must run.
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
