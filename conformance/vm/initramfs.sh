#!/bin/busybox sh
# The first program in the guest: the root is the host's, read-only, under a tmpfs that takes what is written. Then job/init.sh, as process 1 still.
b=/bin/busybox
fail() { echo "guest: $1"; $b reboot -f; }
$b mount -t proc proc /proc
$b mount -t devtmpfs dev /dev
for module in /modules/*.ko; do [ ! -e "$module" ] || $b insmod "$module"; done
$b mkdir /written
$b mount -t tmpfs -o size=75%,mode=755 written /written
lower=
while read -r tag kind _; do
  case $kind in root | packages)
    $b mkdir "/shares/$tag"
    $b mount -t virtiofs -o ro "$tag" "/shares/$tag" || fail "no file system $tag from the host"
    lower=${lower:+$lower:}/shares/$tag ;;
  esac
done </job/shares
$b mkdir /written/files /written/work
$b mount -t overlay -o "lowerdir=$lower,upperdir=/written/files,workdir=/written/work" overlay /root || fail 'no overlay'
$b mount --move /proc /root/proc
$b mount --move /dev /root/dev
$b mkdir -p /root/run
$b mount -t tmpfs -o mode=755 run /root/run
$b cp -r /job /root/run/guest
exec $b switch_root /root /bin/sh /run/guest/init.sh
