/*
  What the functions of nix/ give, and the message of each error. Every other file here is the table of the function in
  the file of the same name in nix/. Nothing is built, so any directory does as the program.

      nix-instantiate --eval --strict --json tests/nix/functions

  prints the cases in order: whether the case holds, what was seen where it does not, and which error must come. Nix can
  catch an error, but not its message. So `throw` writes its message to standard error here, where the name of the case
  comes first.
*/
let
  nix = ../../../nix;

  note = value: builtins.trace (builtins.toJSON value);
  scope = {
    throw = message: note { inherit message; } (throw message);
    import = builtins.scopedImport scope;
  };
  # A file of nix/, in which these names have other meanings.
  loadWith = names: file: builtins.scopedImport (scope // names) (nix + "/${file}");
  load = loadWith { };

  fixtures = import ../fixtures.nix {
    inherit load loadWith;
    hocker = load "" {
      hocker = nix;
      system = "x86_64-linux";
    };
  };

  tables = builtins.filter (file: file != "default.nix") (builtins.attrNames (builtins.readDir ./.));

  run =
    file: case:
    let
      caught = builtins.tryEval (builtins.deepSeq case.seen case.seen);
      throws = case.throws or null;
      holds = if throws != null then !caught.success else caught.success && caught.value == case.expected;
      name = "${file}: ${case.name}";
    in
    note { case = name; } {
      inherit name throws holds;
      seen = if holds || !caught.success then null else caught.value;
    };
in
builtins.concatMap (file: map (run file) (import (./. + "/${file}") fixtures)) tables
