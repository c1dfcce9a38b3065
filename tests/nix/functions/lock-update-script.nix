{
  load,
  casesOf,
  ...
}:
let
  message = "lockUpdateScript: the lock file must be a relative path as a string, like \"pkgs/app/docker-images.lock.json\"";
in
casesOf (load "lock-update-script.nix" { program = "/bin/hocker"; }) [
  {
    given = "pkgs/app/docker-images.lock.json";
    gives = [
      "/bin/hocker"
      "lock"
      "update"
      "--lock-file"
      "pkgs/app/docker-images.lock.json"
    ];
  }
  {
    name = "a path value, which would be copied into the store";
    given = ./lock-update-script.nix;
    throws = message;
  }
  {
    given = "/etc/lock.json";
    throws = message;
  }
  {
    given = "--lock-file";
    throws = message;
  }
  {
    given = "";
    throws = message;
  }
]
