#!/usr/bin/env bash
# What somebody would write who knows QEMU well: a copy of the disk, QEMU, ssh until it answers, the steps, power off, a rename.
# Usage: qemu-by-hand.sh <disk> <key> <shells> <port>
set -euo pipefail
disk=$1 key=$2 shells=$3 port=$4
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp --reflink=auto "$disk" "$work/disk.qcow2"
qemu-system-x86_64 -nodefaults -machine q35 -accel tcg -cpu max,la57=off -m 256 -smp 1 -display none -device virtio-rng-pci \
  -drive "file=$work/disk.qcow2,if=virtio,format=qcow2,cache=unsafe,discard=unmap" \
  -netdev "user,id=n,hostfwd=tcp:127.0.0.1:$port-:22" -device virtio-net-pci,netdev=n -serial "file:$work/serial.log" &
qemu=$!
options=(-F /dev/null -i "$key" -p "$port" -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -o ConnectTimeout=1 -o "ControlPath=$work/ssh" root@127.0.0.1)
until ssh -o ControlMaster=yes -o ControlPersist=yes "${options[@]}" true 2>/dev/null; do sleep 0.1; done
for ((i = 0; i < shells; i++)); do ssh "${options[@]}" true; done
ssh "${options[@]}" poweroff
wait "$qemu"
mv "$work/disk.qcow2" "$(dirname "$work")/by-hand.qcow2"
sha256sum "$(dirname "$work")/by-hand.qcow2" > /dev/null
