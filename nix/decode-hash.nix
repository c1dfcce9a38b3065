/**
  Decodes a SHA-256 hash in any form that Nix accepts as `outputHash`: hex, nix32 or base 64, with or without `sha256:`,
  or SRI. Returns it in hex, the form of registries' digests. Nix has a builtin for this only since 2.19.

  # Type

  ```
  decodeHash :: String -> String -> String
  ```

  # Inputs

  `context`
  : the object of the hash, for error messages

  `text`
  : the hash
*/
context: text:
let
  inherit (builtins)
    elemAt
    foldl'
    genList
    match
    stringLength
    substring
    ;

  printable = import ./printable.nix;
  fail = reason: throw "${context}: `${printable text}` is not a SHA-256 hash: ${reason}";

  digitsOf =
    alphabet:
    builtins.listToAttrs (
      genList (value: {
        name = substring value 1 alphabet;
        inherit value;
      }) (stringLength alphabet)
    );
  # nix32 has no e, o, t and u.
  nix32Digits = digitsOf "0123456789abcdfghijklmnpqrsvwxyz";
  base64Digits = digitsOf "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

  # The number that `length` digits from `start` on denote; the first digit is the most significant.
  number =
    digits: base: body: start: length:
    foldl' (sum: index: sum * base + digits.${substring (start + index) 1 body}) 0 (
      genList (index: index) length
    );

  remainder = dividend: divisor: dividend - (dividend / divisor) * divisor;

  hexDigit = value: substring value 1 "0123456789abcdef";
  hexByte = value: hexDigit (value / 16) + hexDigit (remainder value 16);
  # The lowest `count` bytes of a number, the lowest first.
  littleEndian =
    count: value:
    if count == 0 then "" else hexByte (remainder value 256) + littleEndian (count - 1) (value / 256);
  bigEndian =
    count: value:
    if count == 0 then "" else bigEndian (count - 1) (value / 256) + hexByte (remainder value 256);

  fromHex =
    body: builtins.replaceStrings [ "A" "B" "C" "D" "E" "F" ] [ "a" "b" "c" "d" "e" "f" ] body;

  # The last digit is the lowest. Eight digits are five bytes. So the 52 digits are six groups from the end, and four
  # digits at the beginning, which may denote at most two bytes.
  fromNix32 =
    body:
    let
      group = index: littleEndian 5 (number nix32Digits 32 body (44 - 8 * index) 8);
      top = number nix32Digits 32 body 0 4;
    in
    if top >= 65536 then
      fail "the text denotes more than 32 bytes"
    else
      builtins.concatStringsSep "" (genList group 6) + littleEndian 2 top;

  # 42 characters are 30 bytes. The next three characters are two bytes, and two bits that must be zero.
  fromBase64 =
    body:
    let
      group = index: bigEndian 3 (number base64Digits 64 body (4 * index) 4);
      last = number base64Digits 64 body 40 3;
    in
    if remainder last 4 != 0 then
      fail "the text denotes more than 32 bytes"
    else
      builtins.concatStringsSep "" (genList group 10) + bigEndian 2 (last / 4);

  matched = match "(([a-z0-9]+)([:-]))?(.*)" text;
  algorithm = elemAt matched 1;
  isSri = elemAt matched 2 == "-";
  body = elemAt matched 3;
  length = stringLength body;
in
if !builtins.isString text then
  throw "${context}: the hash must be a string"
else if text == "" then
  fail "the hash is empty; copy it from the registry's manifest"
else if matched == null then
  fail "the text contains a line break"
else if algorithm != null && algorithm != "sha256" then
  fail "the algorithm is ${printable algorithm}"
else if isSri && match "[A-Za-z0-9+/]{43}=" body == null then
  fail "base 64 of 32 bytes is 43 characters and `=`"
else if isSri then
  fromBase64 body
else if length == 64 && match "[0-9a-fA-F]+" body != null then
  fromHex body
else if length == 52 && match "[0-9a-df-np-sv-z]+" body != null then
  fromNix32 body
else if length == 44 && match "[A-Za-z0-9+/]{43}=" body != null then
  fromBase64 body
else
  fail "a hash is 64 hex digits, 52 nix32 digits, or base 64 of 32 bytes"
