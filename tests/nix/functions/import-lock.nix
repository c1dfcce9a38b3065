{
  hocker,
  indexOf,
  manifestFile,
  noCredentials,
  refuses,
  repeat,
  ...
}@fixtures:
let
  inherit (import ../locked.nix fixtures)
    lockFile
    lockText
    lockedImages
    base
    web
    web2
    database
    copy
    ;

  locked = hocker.importLock { inherit lockFile; };
  lockedForArm = hocker.importLock {
    inherit lockFile;
    platform = "linux/arm64";
    mirrors = [ "https://mirror.example" ];
  };
  lockValue = builtins.fromJSON (builtins.readFile lockFile);
  app = lockValue.images.app.platforms."linux/amd64";

  # The lock file with changes of one image, and of its manifest.
  withImage = image: lockText (lockValue // { images.app = lockValue.images.app // image; });
  withManifest =
    manifest:
    withImage {
      platforms."linux/amd64" = app // {
        inherit manifest;
      };
    };
  # An image with another list of layers beside its manifest.
  withLayers =
    change:
    web
    // {
      platforms."linux/amd64" =
        let
          one = web.platforms."linux/amd64";
        in
        one // { layers = change one.layers; };
    };

  derivationOf = file: builtins.head (builtins.attrNames (builtins.getContext file.path));
  layerDerivations = image: map derivationOf image.imageSpec.layers;
  blobPaths = image: map (file: file.path) (image.imageSpec.layers ++ [ image.imageSpec.config ]);

  manifestOfApp = "importLock: the manifest of `app` in docker-images.lock.json for linux/amd64";
  noBrace = "${manifestOfApp} is not a manifest: the text does not begin with `{`";
  noText = "${manifestOfApp} must be the text that `hocker manifest IMAGE` prints";
  noLock = "importLock: docker-images.lock.json is not a lock file; create one with `hocker lock add IMAGE`";

  alone = [
    {
      name = "the names";
      seen = builtins.attrNames locked;
      expected = [
        "app"
        "debian"
        "nested"
        "pinned"
      ];
    }
    {
      name = "the names under which images are loaded";
      seen = map (name: locked.${name}.image) (builtins.attrNames locked);
      expected = [
        "ghcr.io/team/app:1"
        "debian:12"
        "a.example/app:1"
        "ghcr.io/team/app:2"
      ];
    }
    {
      name = "another platform is another manifest";
      seen = locked.app.manifestDigest != lockedForArm.app.manifestDigest;
      expected = true;
    }
    {
      name = "the same as what fetchdocker makes of the manifest";
      seen = locked.app.drvPath;
      expected =
        (hocker.fetchdocker {
          image = "ghcr.io/team/app:1";
          imageManifest = app.manifest;
        }).drvPath;
    }
    {
      name = "a registry behind a path is asked there";
      seen =
        builtins.match ".*nexus.*" (builtins.toJSON locked.nested.drvAttrs.imageSpec.reference) == null;
      expected = true;
    }
    {
      name = "an image that is not locked for the platform leaves the others alone";
      seen = lockedForArm.app.image;
      expected = "ghcr.io/team/app:1";
    }
    {
      name = "a registry that is null is none";
      seen = (withImage { registry = null; }).app.drvPath;
      expected = (withImage { }).app.drvPath;
    }
  ];

  several = [
    {
      name = "images of different repositories have one derivation of a layer that they share";
      seen =
        let
          images = lockedImages { inherit web web2 database; };
          layers = builtins.mapAttrs (_: layerDerivations) images;
          base = map (name: builtins.head layers.${name}) (builtins.attrNames layers);
        in
        [
          (builtins.all (one: one == builtins.head base) base)
          (builtins.elemAt layers.web 1 == builtins.elemAt layers.web2 1)
        ];
      expected = [
        true
        false
      ];
    }
    {
      name = "one image in two registries has one derivation of each blob";
      seen =
        let
          images = lockedImages { inherit web copy; };
        in
        [
          (layerDerivations images.web == layerDerivations images.copy)
          (derivationOf images.web.imageSpec.config == derivationOf images.copy.imageSpec.config)
          (images.web.drvPath == images.copy.drvPath)
        ];
      expected = [
        true
        true
        false
      ];
    }
    {
      name = "a further image changes derivations and no path";
      seen =
        let
          before = lockedImages { inherit web; };
          after = lockedImages { inherit web database; };
        in
        [
          (builtins.head (layerDerivations before.web) == builtins.head (layerDerivations after.web))
          (builtins.elemAt (layerDerivations before.web) 1 == builtins.elemAt (layerDerivations after.web) 1)
          (blobPaths before.web == blobPaths after.web)
        ];
      expected = [
        false
        true
        true
      ];
    }
    {
      name = "the names of images, and others of a repository, make no difference";
      seen =
        let
          before = lockedImages { inherit web database; };
          after = lockedImages {
            a = database;
            z = web;
            inherit web2;
          };
        in
        layerDerivations before.web == layerDerivations after.z;
      expected = true;
    }
    {
      name = "images for other platforms are asked too, and have the same derivation";
      seen =
        let
          arm = {
            inherit (database) reference;
            platforms."linux/arm64" = database.platforms."linux/amd64";
          };
          images = lockedImages { inherit web arm; };
          both = lockedImages { inherit web database; };
        in
        layerDerivations images.web == layerDerivations both.web;
      expected = true;
    }
    {
      name = "a broken manifest leaves images alone that share nothing with it";
      seen =
        (lockedImages {
          inherit web;
          broken = {
            inherit (database) reference;
            platforms."linux/amd64" = {
              manifest = "{";
              config = {
                digest = "sha256:${repeat 64 "3"}";
                size = 1;
              };
              layers = [
                {
                  digest = "sha256:${repeat 64 "d"}";
                  size = 1;
                }
              ];
            };
          };
        }).web.image;
      expected = "web:1";
    }
    {
      name = "layers without a digest leave other images alone";
      seen =
        (lockedImages {
          inherit web;
          broken = database // {
            platforms."linux/amd64" = database.platforms."linux/amd64" // {
              layers = [
                { size = 1; }
                1
              ];
            };
          };
        }).web.drvPath;
      expected = (lockedImages { inherit web; }).web.drvPath;
    }
  ];

  manifestDigestOf =
    image: "sha256:${builtins.hashString "sha256" image.platforms."linux/amd64".manifest}";
  indexDigestOf = text: "sha256:${builtins.hashString "sha256" text}";
  index = indexOf [ (manifestDigestOf web) ];
  indexed = web // {
    indexText = index;
    index.digest = indexDigestOf index;
  };

  disagreeing = lockedImages {
    inherit web;
    database = database // {
      platforms."linux/amd64" = builtins.fromJSON (
        builtins.replaceStrings [ "\"size\":1" "\\\"size\\\":1" ] [ "\"size\":2" "\\\"size\\\":2" ] (
          builtins.toJSON database.platforms."linux/amd64"
        )
      );
    };
  };

  wrong = [
    (refuses "a platform that is not locked"
      "importLock: `debian` in docker-images.lock.json is locked for linux/amd64, but not for linux/arm64; add it with `hocker lock add --platform linux/arm64 …`"
      lockedForArm.debian.drvPath
    )
    (refuses "a newer version"
      "importLock: docker-images.lock.json has the unknown version 4; this hocker reads versions 1, 2, 3"
      (lockText (lockValue // { version = 4; }))
    )
    (refuses "an index whose text is not that of its digest"
      "importLock: the index of `web` in docker-images.lock.json has the digest ${indexDigestOf index}, which is not the one in its `index`"
      (lockedImages {
        web = indexed // {
          index.digest = "sha256:${base}";
        };
      }).web.drvPath
    )
    (refuses "an index that does not name the manifest"
      "fetchdocker: `imageIndex` does not name ${manifestDigestOf web}, which is the digest of `imageManifest`"
      (lockedImages {
        web =
          let
            text = indexOf [ "sha256:${base}" ];
          in
          indexed
          // {
            indexText = text;
            index.digest = indexDigestOf text;
          };
      }).web.drvPath
    )
    (refuses "another file" noLock (lockText {
      name = "package-lock";
    }))
    (refuses "a list" noLock (lockText [ ]))
    (refuses "a lock file whose images are a list" noLock (lockText {
      version = 1;
      images = [ ];
    }))
    (refuses "credentials in a registry's URL" noCredentials
      (withImage { registry = "https://me:pw@ghcr.io/v2/"; }).app.drvPath
    )
    (refuses "credentials in the URL of another registry that has the layer" noCredentials
      (lockedImages {
        inherit web;
        database = database // {
          registry = "https://me:pw@ghcr.io/v2/";
        };
      }).web.drvPath
    )
    (refuses "a registry that is another one than the reference names"
      "importLock: the `registry` of `app` in docker-images.lock.json is not the one in its `reference`"
      (withImage { registry = "https://r.example/v2/"; }).app.drvPath
    )
    (refuses "a reference that leads out of the registry"
      "hocker: `ghcr.io/../../etc:1` is not the name of an image: `../../etc` is not a repository"
      (withImage { reference = "ghcr.io/../../etc:1"; }).app.drvPath
    )
    (refuses "a digest that is a path"
      "${manifestOfApp} has a layer with the digest `sha256:../../x`; hocker supports only sha256"
      (withManifest (
        builtins.replaceStrings [ (builtins.head app.layers).digest ] [ "sha256:../../x" ] app.manifest
      )).app.drvPath
    )
  ]
  ++
    map
      (row: refuses "a manifest that is ${row.name}" row.throws (withManifest row.manifest).app.drvPath)
      [
        {
          name = "the absolute path of a file";
          manifest = toString manifestFile;
          throws = noBrace;
        }
        {
          name = "the relative path of a file";
          manifest = "./manifest.json";
          throws = noBrace;
        }
        {
          name = "the URL of a file";
          manifest = "file://${toString manifestFile}";
          throws = noBrace;
        }
        {
          name = "an object with a path";
          manifest = {
            outPath = toString manifestFile;
          };
          throws = noBrace;
        }
        {
          name = "a list";
          manifest = [ ];
          throws = noText;
        }
        {
          name = "null";
          manifest = null;
          throws = noText;
        }
        {
          name = "a number";
          manifest = 1;
          throws = noText;
        }
      ]
  ++
    map
      (
        row:
        refuses "layers that are not the manifest's: ${row.name}"
          "importLock: the manifest of `web` in docker-images.lock.json for linux/amd64 has other blobs than the `config` and `layers` beside it"
          (lockedImages { web = withLayers row.change; }).web.drvPath
      )
      [
        {
          name = "none";
          change = _: [ ];
        }
        {
          name = "twice as many";
          change = layers: layers ++ layers;
        }
        {
          name = "another digest";
          change = map (layer: layer // { digest = "sha256:${repeat 64 "9"}"; });
        }
        {
          name = "another size";
          change = map (layer: layer // { size = 2; });
        }
        {
          name = "no digest";
          change = map (layer: builtins.removeAttrs layer [ "digest" ]);
        }
        {
          name = "no size of the last one";
          change = layers: [
            (builtins.head layers)
            (builtins.removeAttrs (builtins.elemAt layers 1) [ "size" ])
          ];
        }
        {
          name = "half a byte";
          change = map (layer: layer // { size = 1.5; });
        }
      ]
  ++ map (
    name:
    refuses "images that disagree about the size of a layer that they share: ${name}"
      "hocker: the images give different sizes for sha256:${base}: 2 and 1 bytes"
      disagreeing.${name}.drvPath
  ) (builtins.attrNames disagreeing)
  ++
    map
      (
        version:
        refuses "the version ${builtins.toJSON version}"
          "importLock: docker-images.lock.json has the unknown version ${builtins.toJSON version}; this hocker reads versions 1, 2, 3"
          (lockText (lockValue // { inherit version; }))
      )
      [
        1.5
        "1"
        { }
      ];
  followed = [
    {
      name = "how an image is followed changes nothing";
      seen =
        let
          images = lockText (
            lockValue
            // {
              version = 3;
              minAge = "3d";
              images.app = lockValue.images.app // {
                follow = "1.*";
                minAge = "7d";
                pending = [
                  {
                    tag = "9.9";
                    digest = "sha256:${base}";
                    firstSeen = "2026-11-30T04:00:00Z";
                  }
                ];
              };
            }
          );
        in
        [
          images.app.drvPath
          images.app.image
        ];
      expected = [
        (withImage { }).app.drvPath
        (withImage { }).app.image
      ];
    }
  ];
  withIndex = [
    {
      name = "the text of an index reaches the image";
      seen =
        let
          image = (lockedImages { web = indexed; }).web;
        in
        [
          image.indexDigest
          image.imageSpec.index
        ];
      expected = [
        (indexDigestOf index)
        index
      ];
    }
    {
      name = "an image without the text of its index has no digest of one";
      seen = locked.app.indexDigest;
      expected = null;
    }
  ];
in
alone ++ several ++ followed ++ withIndex ++ wrong
