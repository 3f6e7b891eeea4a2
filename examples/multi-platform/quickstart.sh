#!/usr/bin/env bash
# Sets up what is missing on a Debian machine that has git and Node, then bakes examples/multi-platform: nginx with a page, as
# an OCI image without any daemon, as a Docker image where a daemon answers, and as a virtual machine's disk where QEMU is.
set -euo pipefail
cd "$(dirname "$0")/../.."
[ -d node_modules ] && [ node_modules/.package-lock.json -nt package-lock.json ] || npm install --no-audit --no-fund --no-save
[ -f dist/bin/bake.js ] || npm run --silent build
bake="$PWD/dist/bin/bake.js"
cd examples/multi-platform
docker=false
if command -v docker >/dev/null && docker version >/dev/null 2>&1; then docker=true; fi
qemu=false
if node "$bake" doctor qemu >/dev/null && command -v qemu-system-x86_64 >/dev/null && [ -d /usr/lib/grub/i386-pc ]; then qemu=true; fi
node "$bake" setup rootfs --yes
node "$bake" run -c docker="$docker" -c qemu="$qemu"
echo
echo 'Baked. To see the page:'
if [ "$docker" = true ]; then
  echo '  docker run --rm -p 8080:80 bake-quickstart   # then open http://localhost:8080'
else
  echo '  examples/multi-platform/bake.artifacts/Web-Rootfs.oci is an OCI image: skopeo, podman and containerd read it'
fi
if [ "$qemu" = true ]; then
  echo '  qemu-system-x86_64 -m 768 -nographic -snapshot -drive file=examples/multi-platform/bake.artifacts/Web-Qemu.qcow2,if=virtio \'
  echo '    -nic user,model=virtio-net-pci,hostfwd=tcp::8081-:80   # then open http://localhost:8081'
else
  echo '  for a virtual machine too: node dist/bin/bake.js setup qemu --optional, and this again'
fi
