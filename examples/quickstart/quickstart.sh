#!/usr/bin/env bash
# Sets up what is missing on a Debian machine that has git and Node, then bakes examples/quickstart: nginx with a page, as
# an OCI image without any daemon, and as a Docker image where a daemon answers.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm install --no-audit --no-fund --no-save
[ -f dist/bin/bake.js ] || npm run --silent build
bake="$PWD/dist/bin/bake.js"
cd examples/quickstart
docker=false
if command -v docker >/dev/null && docker version >/dev/null 2>&1; then docker=true; fi
node "$bake" setup rootfs --yes
node "$bake" run -c docker="$docker"
echo
echo 'Baked. To see the page:'
if [ "$docker" = true ]; then
  echo '  docker run --rm -p 8080:80 bake-quickstart   # then open http://localhost:8080'
else
  echo '  examples/quickstart/bake.artifacts/Web-Rootfs.oci is an OCI image: skopeo, podman and containerd read it'
fi
