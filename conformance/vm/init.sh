#!/bin/sh
# Process 1 of the guest on its root: mounts, a unified cgroup hierarchy with every controller, then the job, alone or as a service of systemd.
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root
cd /run/guest || exit
. ./settings # SYSTEMD, MODULES
mount -t sysfs sysfs /sys

# A new /tmp, since an overlay can lie on a tmpfs but not on this root. What the job needs of the old one is carried over.
number=0
while read -r path; do
  mkdir -p "carried/$number" && mount --bind "$path" "carried/$number"
  number=$((number + 1))
done <carried-paths
mount -t tmpfs -o mode=1777,size=75% tmp /tmp
number=0
while read -r path; do
  mkdir -p "$path" && mount --move "carried/$number" "$path"
  number=$((number + 1))
done <carried-paths

mkdir -p /dev/pts /dev/shm /dev/mqueue /run/lock /lib/modules
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 shm /dev/shm
mount -t mqueue mqueue /dev/mqueue
ln -sfn /proc/self/fd /dev/fd
ln -sfn /proc/self/fd/0 /dev/stdin
ln -sfn /proc/self/fd/1 /dev/stdout
ln -sfn /proc/self/fd/2 /dev/stderr
mount -t cgroup2 -o nsdelegate,memory_recursiveprot cgroup2 /sys/fs/cgroup
for controller in $(cat /sys/fs/cgroup/cgroup.controllers); do echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control; done
mount --make-rshared /
hostname guest
busybox ip link set lo up
ln -sfn "$MODULES" "/lib/modules/$(uname -r)"

while read -r tag kind path; do
  case $kind in
    live) mkdir -p "$path" && mount -t virtiofs "$tag" "$path" ;;
    covered)
      mkdir -p "lower/$tag" "/dev/shm/.$tag/files" "/dev/shm/.$tag/work" "$path" && mount -t virtiofs -o ro "$tag" "lower/$tag" &&
        mount -t overlay -o "lowerdir=/run/guest/lower/$tag,upperdir=/dev/shm/.$tag/files,workdir=/dev/shm/.$tag/work" overlay "$path" ;;
  esac
done <shares

for port in /sys/class/virtio-ports/*; do
  case $(cat "$port/name") in
    guest.out) out=/dev/${port##*/} ;;
    guest.err) err=/dev/${port##*/} ;;
    guest.status) status=/dev/${port##*/} ;;
  esac
done
# By way of pipes: such a port is opened once only, and programs open /dev/stdout again. Processes that the command leaves behind may keep them open:
# for those nobody waits.
cat >job.sh <<END
cd /run/guest
mkfifo out err
cat <out >$out &
copies=\$!
cat <err >$err &
copies="\$copies \$!"
/bin/sh command.sh </dev/null >out 2>err
echo \$? >status
for copy in \$copies; do
  for tenth in 1 2 3 4 5 6 7 8 9 10; do [ ! -e /proc/\$copy/fd/0 ] || sleep 0.1; done
done
cat status >$status
exec busybox reboot -f
END
[ "$SYSTEMD" = yes ] || exec /bin/sh job.sh

# Where systemd's packages were not installed on the host, their user is not there.
grep -q '^messagebus:' /etc/passwd || echo 'messagebus:x:101:65534::/nonexistent:/usr/sbin/nologin' >>/etc/passwd
mkdir -p /run/systemd/system
cat >/run/systemd/system/guest-job.service <<'END'
[Unit]
Requires=dbus.socket
After=dbus.socket
[Service]
ExecStart=/bin/sh /run/guest/job.sh
Delegate=yes
END
exec /lib/systemd/systemd --unit=guest-job.service
