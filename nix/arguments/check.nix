/**
  Refuses arguments that a function does not have. The message names the argument that is most similar, or what replaces
  an argument of a function of nixpkgs.

  # Inputs

  `caller`
  : the name of the function, for error messages

  `function`
  : the function, a set pattern with `...`

  `ignored`
  : arguments that have no effect; classic expressions contain them

  `replaced`
  : arguments of similar functions, each with a sentence about its replacement

  The second argument is the set that the caller gives. The third argument is the result of the function, which is returned.

  # Type

  ```
  checkArguments :: { caller :: String, function :: AttrSet -> Any, ignored :: [ String ], replaced :: AttrSet }
    -> AttrSet -> Any -> Any
  ```
*/
{
  caller,
  function,
  ignored ? [ ],
  replaced,
}:
let
  inherit (builtins)
    attrNames
    concatStringsSep
    elemAt
    foldl'
    functionArgs
    genList
    head
    length
    sort
    stringLength
    substring
    ;
  printable = import ../printable.nix;
  known = attrNames (functionArgs function);
  accepted = known ++ ignored;

  min = a: b: if a < b then a else b;

  # The edit distance (Levenshtein), one row of the matrix after the other.
  distance =
    from: to:
    let
      size = stringLength to;
      next =
        row: index:
        foldl' (
          cells: column:
          let
            same = substring index 1 from == substring column 1 to;
            replace = elemAt row column + (if same then 0 else 1);
            add = elemAt cells column + 1;
            remove = elemAt row (column + 1) + 1;
          in
          cells ++ [ (min replace (min add remove)) ]
        ) [ (index + 1) ] (genList (column: column) size);
    in
    elemAt (foldl' next (genList (cell: cell) (size + 1)) (
      genList (index: index) (stringLength from)
    )) size;

  lower = builtins.replaceStrings (genList (
    index: substring index 1 "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
  ) 26) (genList (index: substring index 1 "abcdefghijklmnopqrstuvwxyz") 26);

  describe =
    name:
    let
      # A longer text is no misspelling.
      written = lower (substring 0 40 name);
      ranked = sort (a: b: a.distance < b.distance) (
        map (candidate: {
          name = candidate;
          distance = distance written (lower candidate);
        }) known
      );
      nearest = head ranked;
    in
    "unknown argument `${printable name}`"
    + (
      if replaced ? ${name} then
        ": ${replaced.${name}}"
      else if nearest.distance * 2 <= stringLength nearest.name then
        "; the most similar one is `${nearest.name}`"
      else
        "; the arguments are ${concatStringsSep ", " known}"
    );
in
given: result:
let
  unknown = attrNames (builtins.removeAttrs given accepted);
in
if unknown == [ ] then
  result
else
  throw "${caller}: ${concatStringsSep "; " (map describe unknown)}"
