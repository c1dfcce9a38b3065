# The real `lib`, which tests put beside this. Nix before 2.14 lacks a builtin that its `fileset` needs.
let
  scope = {
    import = builtins.scopedImport scope;
    builtins = builtins // {
      # Pure evaluation cannot read the directory of the store.
      readFileType =
        path:
        if toString (dirOf path) == builtins.storeDir then
          "directory"
        else
          (builtins.readDir (dirOf path)).${baseNameOf path};
    };
  };
in
if builtins ? readFileType then import ./lib else builtins.scopedImport scope ./lib
