{
  load,
  hocker,
  vectors,
  config,
  config32,
  configHex,
  layer,
  layer32,
  layerHex,
  manifest,
  manifestDigest,
  manifestFile,
  index,
  indexDigest,
  indexOf,
  refuses,
  refusesCredentials,
  repeat,
  escaped,
  ...
}:
let
  inherit (hocker) fetchdocker fetchDockerLayer fetchDockerConfig;

  image = fetchdocker {
    image = "localhost:5000/team/app:1";
    imageManifest = manifest { };
  };
  classic = hocker.callImage ../classic.nix;
  pinned = hocker.callImage (
    { fetchdocker }:
    fetchdocker {
      name = "debian";
      registry = "https://registry-1.docker.io/v2/";
      repository = "library";
      imageName = "debian";
      imageManifest = manifest { };
    }
  );
  names = drv: {
    inherit (drv)
      image
      imageName
      imageTag
      manifestDigest
      indexDigest
      ;
  };
  withoutTag = {
    indexDigest = null;
    image = "debian@${manifestDigest}";
    imageName = "debian";
    imageTag = null;
    inherit manifestDigest;
    repoTags = [ ];
    reference = "docker.io/library/debian@${manifestDigest}";
    tag = null;
  };
  withManifestFile =
    imageManifest:
    fetchdocker {
      image = "a";
      inherit imageManifest;
    };

  misspelt =
    map
      (
        row:
        refuses "arguments ${builtins.toJSON (builtins.attrNames row.given)}"
          "fetchdocker: unknown argument ${row.throws}"
          (fetchdocker (
            {
              image = "a";
              imageManifest = manifest { };
            }
            // row.given
          )).outPath
      )
      [
        {
          given.mirors = [ ];
          throws = "`mirors`; the most similar one is `mirrors`";
        }
        {
          given.imagemanifest = "x";
          throws = "`imagemanifest`; the most similar one is `imageManifest`";
        }
        {
          given.imageManifests = "x";
          throws = "`imageManifests`; the most similar one is `imageManifest`";
        }
        {
          given.doesNotExist = "x";
          throws = "`doesNotExist`; the arguments are image, imageConfig, imageIndex, imageLayers, imageManifest, imageName, meta, mirrors, name, passthru, preferLocalBuild, registry, repository, tag";
        }
        {
          given.${escaped "\\u001b[2J"} = "x";
          throws = "`?[2J`; the arguments are image, imageConfig, imageIndex, imageLayers, imageManifest, imageName, meta, mirrors, name, passthru, preferLocalBuild, registry, repository, tag";
        }
        {
          given.imageDigest = "sha256:${layerHex}";
          throws = "`imageDigest`: `imageManifest` replaces it: the text that `hocker manifest IMAGE@sha256:…` prints";
        }
        {
          given.finalImageName = "b";
          throws = "`finalImageName`: `hocker load --tag NAME` and `services.hocker.images.<name>.tags` add names";
        }
        {
          given.finalImageTag = "1";
          throws = "`finalImageTag`: write the tag into `image`, or use `tag`";
        }
        {
          given.sha256 = layer32;
          throws = "`sha256`: `imageManifest` contains the hashes";
        }
        {
          given.hash = layer32;
          throws = "`hash`: `imageManifest` contains the hashes";
        }
        {
          given = {
            arch = "arm64";
            os = "linux";
          };
          throws = "`arch`: `imageManifest` selects the platform: `hocker manifest --platform linux/arm64 IMAGE` prints it; unknown argument `os`: `imageManifest` selects the platform: `hocker manifest --platform linux/arm64 IMAGE` prints it";
        }
        {
          given.tlsVerify = false;
          throws = "`tlsVerify`: hocker always verifies certificates; `registry = \"http://…/v2/\"` is plain HTTP";
        }
      ];

  # A call of `pullImage`, under the name of `fetchdocker`.
  pulled = [
    (refuses "a call of pullImage"
      "fetchdocker: unknown argument `finalImageName`: `hocker load --tag NAME` and `services.hocker.images.<name>.tags` add names; unknown argument `finalImageTag`: write the tag into `image`, or use `tag`; unknown argument `hash`: `imageManifest` contains the hashes; unknown argument `imageDigest`: `imageManifest` replaces it: the text that `hocker manifest IMAGE@sha256:…` prints"
      (fetchdocker {
        imageName = "quay.io/coreos/etcd";
        imageDigest = "sha256:${layerHex}";
        hash = layer32;
        finalImageName = "etcd";
        finalImageTag = "v3";
      }).outPath
    )
  ];

  # The grammar of the form by parts.
  parts =
    map
      (
        row:
        refuses "the parts ${builtins.toJSON row.given}" "fetchdocker: ${row.throws}"
          (fetchdocker (
            {
              imageName = "a";
              imageManifest = manifest { };
            }
            // row.given
          )).outPath
      )
      (
        map
          (tag: {
            given = { inherit tag; };
            throws = "`${load "printable.nix" tag}` is not a tag";
          })
          [
            "a b"
            ""
            "-x"
            ".x"
            "1\n"
            (repeat 129 "a")
            "a:b"
            1
          ]
        ++ [
          {
            given.imageName = "Debian";
            throws = "`library/Debian` is not a repository: `repository` and `imageName` must be lowercase";
          }
          {
            given.repository = "Team";
            throws = "`Team/a` is not a repository: `repository` and `imageName` must be lowercase";
          }
          {
            given.imageName = "a\nb";
            throws = "`library/a?b`, from `repository` and `imageName`, is not a repository";
          }
          {
            given.imageName = "";
            throws = "`library/`, from `repository` and `imageName`, is not a repository";
          }
          {
            given.repository = "../x";
            throws = "`../x/a` is not a repository; if it contains a registry or a tag, use `image`";
          }
          {
            given = {
              repository = "";
              imageName = "a:1";
            };
            throws = "`a:1`, from `repository` and `imageName`, is not a repository";
          }
          {
            given.imageName = repeat 256 "a";
            throws = "`repository` and `imageName` must be strings of together at most 255 characters";
          }
          {
            given.registry = "https://a b/v2/";
            throws = "`a b` is not a registry";
          }
          {
            given.registry = "a.example:99999";
            throws = "`a.example:99999` is not a registry";
          }
        ]
      );

  wrong =
    map (row: refuses row.name "fetchdocker: ${row.throws}" (fetchdocker row.arguments).outPath)
      [
        {
          name = "no arguments";
          arguments = { };
          throws = "give `image`, or `imageName` with `registry`, `repository` and `tag`";
        }
        {
          name = "no content";
          arguments.image = "a";
          throws = "give `imageManifest`, or both `imageConfig` and `imageLayers`";
        }
        {
          name = "a configuration without layers";
          arguments = {
            image = "a";
            imageConfig = config { };
          };
          throws = "give `imageManifest`, or both `imageConfig` and `imageLayers`";
        }
        {
          name = "a place beside `image`";
          arguments = {
            image = "a";
            imageName = "a";
            imageManifest = manifest { };
          };
          throws = "leave out `registry`, `repository`, `imageName` and `tag`, which `image` contains";
        }
        {
          name = "a tag beside `image`";
          arguments = {
            image = "a";
            tag = null;
            imageManifest = manifest { };
          };
          throws = "leave out `registry`, `repository`, `imageName` and `tag`, which `image` contains";
        }
        {
          name = "neither a tag nor a digest";
          arguments = {
            imageName = "a";
            tag = null;
            imageConfig = config { };
            imageLayers = [ ];
          };
          throws = "an image without a tag needs `imageManifest`, whose digest names the image";
        }
        {
          name = "a configuration that the manifest does not name";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageConfig = config { sha256 = layer32; };
          };
          throws = "`imageConfig` is sha256:${layerHex}, but `imageManifest` has sha256:${configHex}";
        }
        {
          name = "a layer that the manifest does not name";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageLayers = [
              (layer {
                sha256 = config32;
                layerDigest = null;
              })
            ];
          };
          throws = "layer 0 of `imageLayers` is sha256:${configHex}, but `imageManifest` has sha256:${layerHex}";
        }
        {
          name = "fewer layers than the manifest names";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageLayers = [ ];
          };
          throws = "`imageLayers` has 0 layers, but `imageManifest` has 1";
        }
        {
          name = "a manifest that is not what the reference names";
          arguments = {
            image = "a@sha256:${layerHex}";
            imageManifest = manifest { };
          };
          throws = "`image` has the digest sha256:${layerHex}, but `imageManifest` has ${manifestDigest}";
        }
        {
          name = "a digest that is neither that of the index nor that of the manifest";
          arguments = {
            image = "a@sha256:${layerHex}";
            imageManifest = manifest { };
            imageIndex = index;
          };
          throws = "`image` has the digest sha256:${layerHex}, but `imageIndex` has ${indexDigest} and `imageManifest` has ${manifestDigest}";
        }
        {
          name = "an index whose text is not that of the digest";
          arguments = {
            image = "a@${indexDigest}";
            imageManifest = manifest { };
            imageIndex = "${index} ";
          };
          throws = "`image` has the digest ${indexDigest}, but `imageIndex` has sha256:${builtins.hashString "sha256" "${index} "} and `imageManifest` has ${manifestDigest}";
        }
        {
          name = "an index that does not name the manifest";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageIndex = indexOf [ "sha256:${layerHex}" ];
          };
          throws = "`imageIndex` does not name ${manifestDigest}, which is the digest of `imageManifest`";
        }
        {
          name = "an index and no manifest";
          arguments = {
            image = "a";
            imageIndex = index;
          };
          throws = "`imageIndex` needs `imageManifest`";
        }
        {
          name = "a manifest in place of the index";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageIndex = manifest { };
          };
          throws = "`imageIndex` is not an index: it has no list of `manifests`";
        }
        {
          name = "a digest and no manifest";
          arguments = {
            image = "a@sha256:${layerHex}";
            imageConfig = config { };
            imageLayers = [ ];
          };
          throws = "an `image` with a digest needs `imageManifest`";
        }
        {
          name = "an index in place of the manifest";
          arguments = {
            image = "a";
            imageManifest = builtins.toJSON {
              schemaVersion = 2;
              manifests = [ ];
            };
          };
          throws = "`imageManifest` is an index; `hocker manifest --platform linux/amd64 IMAGE` prints the manifest for one platform";
        }
        {
          name = "a file whose hash is none";
          arguments = {
            image = "a";
            imageManifest = manifest { };
            imageLayers = [
              {
                outPath = "/x";
                outputHashAlgo = "sha256";
                outputHash = "x";
              }
            ];
          };
          throws = "layer 0 of `imageLayers`: `x` is not a SHA-256 hash: a hash is 64 hex digits, 52 nix32 digits, or base 64 of 32 bytes";
        }
      ];
in
[
  {
    name = "the short form";
    seen = names image;
    expected = {
      image = "localhost:5000/team/app:1";
      imageName = "localhost:5000/team/app";
      imageTag = "1";
      inherit manifestDigest;
      indexDigest = null;
    };
  }
  {
    name = "the classic expression";
    seen = names classic // {
      inherit (classic) name;
      inherit (classic.imageSpec) repoTags reference manifest;
      layers = map (file: file.digest) classic.imageSpec.layers;
      config = classic.imageSpec.config.digest;
    };
    expected = {
      image = "debian:jessie";
      imageName = "debian";
      imageTag = "jessie";
      manifestDigest = null;
      indexDigest = null;
      name = "debian";
      repoTags = [
        "debian:jessie"
        "registry-1.docker.io/v2/library/debian:jessie"
      ];
      reference = "docker.io/library/debian:jessie";
      manifest = null;
      layers = [ layerHex ];
      config = configHex;
    };
  }
  {
    name = "an expression with a manifest has one tag, latest where none is said";
    seen = names pinned // {
      inherit (pinned.imageSpec) repoTags manifest;
      layers = map (file: file.path) pinned.imageSpec.layers;
    };
    expected = {
      image = "debian:latest";
      imageName = "debian";
      imageTag = "latest";
      inherit manifestDigest;
      indexDigest = null;
      repoTags = [ "debian:latest" ];
      manifest = manifest { };
      layers = [ (layer { }).outPath ];
    };
  }
  {
    name = "an image that is known by its digest alone has no tag";
    seen =
      map
        (
          where:
          let
            drv = fetchdocker (where // { imageManifest = manifest { }; });
          in
          names drv // { inherit (drv.imageSpec) repoTags reference tag; }
        )
        [
          { image = "debian@${manifestDigest}"; }
          {
            imageName = "debian";
            tag = null;
          }
        ];
    expected = [
      withoutTag
      withoutTag
    ];
  }
  {
    name = "an index proves its digest in the reference";
    seen =
      map
        (
          given:
          let
            drv = fetchdocker (
              {
                imageManifest = manifest { };
                imageIndex = index;
              }
              // given
            );
          in
          names drv // { inherit (drv.imageSpec) reference index; }
        )
        [
          { image = "debian:12@${indexDigest}"; }
          { image = "debian:12@${manifestDigest}"; }
          { image = "debian@${indexDigest}"; }
        ];
    expected =
      let
        tagged = {
          image = "debian:12";
          imageName = "debian";
          imageTag = "12";
          reference = "docker.io/library/debian:12";
          inherit manifestDigest indexDigest index;
        };
      in
      [
        tagged
        tagged
        (
          tagged
          // {
            image = "debian@${indexDigest}";
            imageTag = null;
            reference = "docker.io/library/debian@${indexDigest}";
          }
        )
      ];
  }
  {
    name = "each file has the attributes of results of streamLayeredImage, and only the stream is a program";
    seen =
      let
        read = file: {
          inherit (file)
            image
            imageName
            imageTag
            isExe
            ;
        };
      in
      {
        result = read image;
        stream = read image.stream;
        archive = read image.archive;
        plainArchive = read image.plainArchive;
        path = "${image.stream}" == image.stream.outPath && image.stream.type == "derivation";
      };
    expected =
      let
        file = {
          image = "localhost:5000/team/app:1";
          imageName = "localhost:5000/team/app";
          imageTag = "1";
          isExe = false;
        };
      in
      {
        result = file;
        stream = file // {
          isExe = true;
        };
        archive = file;
        plainArchive = file;
        path = true;
      };
  }
  {
    name = "the digest in the reference decides which digest names an image without a tag";
    seen =
      map
        (
          arguments:
          let
            drv = fetchdocker (
              arguments
              // {
                imageManifest = manifest { };
                imageIndex = index;
              }
            );
          in
          [
            drv.image
            drv.imageSpec.reference
          ]
        )
        [
          { image = "debian@${indexDigest}"; }
          { image = "debian@${manifestDigest}"; }
          {
            imageName = "debian";
            tag = null;
          }
        ];
    expected =
      map
        (digest: [
          "debian@${digest}"
          "docker.io/library/debian@${digest}"
        ])
        [
          indexDigest
          manifestDigest
          indexDigest
        ];
  }
  {
    name = "without an index, the derivation has no attribute for one";
    seen = image.imageSpec ? index;
    expected = false;
  }
  {
    name = "a tag beside the digest is the name";
    seen = names (fetchdocker {
      image = "debian:12@${manifestDigest}";
      imageManifest = manifest { };
    });
    expected = {
      image = "debian:12";
      imageName = "debian";
      imageTag = "12";
      inherit manifestDigest;
      indexDigest = null;
    };
  }
  {
    name = "the manifest as a file is the manifest as text";
    seen = map (given: (withManifestFile given).outPath) [
      manifestFile
      (toString manifestFile)
    ];
    expected =
      let
        text = (withManifestFile (builtins.readFile manifestFile)).outPath;
      in
      [
        text
        text
      ];
  }
  {
    name = "the sizes of a manifest bound the fetches";
    seen =
      let
        spec = (withManifestFile manifestFile).imageSpec;
      in
      map (file: builtins.head (builtins.attrNames (builtins.getContext file.path))) (
        [ spec.config ] ++ spec.layers
      );
    expected =
      let
        read = load "read-manifest.nix" "test:" (builtins.readFile manifestFile);
      in
      map (drv: builtins.unsafeDiscardStringContext drv.drvPath) (
        [ (fetchDockerConfig ({ imageName = "a"; } // read.config)) ]
        ++ map (layer: fetchDockerLayer ({ imageName = "a"; } // layer)) read.layers
      );
  }
  {
    name = "arguments that agree make no difference";
    seen =
      (fetchdocker {
        image = "localhost:5000/team/app:1@${manifestDigest}";
        imageManifest = manifest { };
        imageConfig = config { };
        imageLayers = [ (layer { }) ];
      }).outPath;
    expected = image.outPath;
  }
  {
    name = "the result of a classic call has the classic attributes";
    seen = {
      inherit (classic)
        registry
        repository
        tag
        ;
    };
    expected = {
      registry = "https://registry-1.docker.io/v2/";
      repository = "library";
      tag = "jessie";
    };
  }
  {
    name = "in a classic call, `image` is an attribute of the result alone";
    seen =
      let
        call =
          changes:
          fetchdocker (
            {
              imageName = "debian";
              tag = "jessie";
              imageConfig = config { };
              imageLayers = [ ];
            }
            // changes
          );
        named = call { image = "registry-1.docker.io/v2//library/debian:jessie"; };
      in
      [
        named.image
        named.imageName
        (named.outPath == (call { }).outPath)
      ];
    expected = [
      "registry-1.docker.io/v2//library/debian:jessie"
      "debian"
      true
    ];
  }
  {
    name = "plain files are hashed by the builder";
    seen =
      let
        spec =
          (fetchdocker {
            imageName = "x";
            imageConfig = ../classic.nix;
            imageLayers = [ ];
          }).imageSpec;
      in
      [
        spec.config.digest
        spec.layers
        (builtins.hasContext spec.config.path)
      ];
    expected = [
      null
      [ ]
      true
    ];
  }
  {
    name = "a repository without a slash";
    seen =
      (fetchdocker {
        registry = "http://localhost:5000/v2/";
        repository = "";
        imageName = "app";
        imageManifest = manifest { };
      }).image;
    expected = "localhost:5000/app:latest";
  }
  {
    name = "the streaming output is a path of its own";
    seen = image.stream.outPath != image.outPath && image.stream.outputName == "stream";
    expected = true;
  }
  {
    name = "meta and passthru are attributes, and no part of a derivation";
    seen =
      let
        described = fetchdocker {
          image = "localhost:5000/team/app:1";
          imageManifest = manifest { };
          meta.description = "x";
          passthru.tests = [ ];
        };
      in
      {
        inherit (described) meta tests;
        same = described.drvPath == image.drvPath;
      };
    expected = {
      meta.description = "x";
      tests = [ ];
      same = true;
    };
  }
]
++ map (reference: {
  name = "the name that Docker prints of ${reference.text}";
  seen =
    (fetchdocker {
      image = "${reference.registry}/${reference.repository}:1";
      imageManifest = manifest { };
    }).imageName;
  expected = reference.familiar;
}) (vectors "references.json").accepted
++ refusesCredentials (
  changes:
  fetchdocker (
    {
      imageName = "debian";
      imageManifest = manifest { };
    }
    // changes
  )
)
++ wrong
++ misspelt
++ parts
++ pulled
