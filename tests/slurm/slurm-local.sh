#!/usr/bin/env bash
# slurm-local.sh - a throw-away Slurm on one host, for tests (Debian, root, no systemd).
#
#   slurm-local.sh start  STATE_DIR   install if missing, configure, start munged + slurmctld + slurmd
#   slurm-local.sh away   STATE_DIR   end slurmctld, leaving the nodes and their jobs; `start` brings it back
#   slurm-local.sh stop   STATE_DIR   cancel all jobs, stop only the daemons started from STATE_DIR
#   slurm-local.sh status STATE_DIR   daemons and nodes; exit 0 only if everything is up
#
# Everything lives in STATE_DIR, except /etc/slurm/slurm.conf, a symlink into STATE_DIR: the jobstep
# plugin drops SLURM_CONF before srun, so the default path is needed. Exits with 77 where no Slurm can
# be had: not root, another Slurm's configuration, no Debian packages.
# Settings (environment, read by start): SLURM_LOCAL_NODES=2, SLURM_LOCAL_CPUS=2 and SLURM_LOCAL_MEM=8000
# (MB), both per node and allowed to exceed the hardware, SLURM_LOCAL_GPUS=2 (fake GPUs per node, at
# least 1), SLURM_LOCAL_PORT=16817 (slurmctld; the nodes use the ports after it).
# Partitions: main (default), gpu. Listens on 127.0.0.1 only. STATE_DIR/scratch is another directory on
# each node, as a disk of its own is, where this host lets root mount (else it is one). Test use only.
set -euo pipefail

cmd=${1:-}; D=${2:-}
case $D in '') cmd=help ;; /*) ;; *) D=$PWD/$D ;; esac
NODES=${SLURM_LOCAL_NODES:-2} CPUS=${SLURM_LOCAL_CPUS:-2} MEM=${SLURM_LOCAL_MEM:-8000}
GPUS=${SLURM_LOCAL_GPUS:-2} PORT=${SLURM_LOCAL_PORT:-16817}
CONF=/etc/slurm/slurm.conf

die() { echo "slurm-local: $*" >&2; exit 1; }
impossible() { echo "slurm-local: $*" >&2; exit 77; }

# is the pid in PIDFILE alive AND still that program? (/proc/PID/exe is unreadable for zombies)
alive() { # PIDFILE PROGRAM
  local pid; pid=$(cat "$1" 2>/dev/null) || return 1
  [[ -n $pid && $(readlink "/proc/$pid/exe") == */"$2"* ]]
}
dead() { ! alive "$@"; }

wait_for() { # SECONDS COMMAND...
  local end=$((SECONDS + $1)); shift
  until "$@"; do ((SECONDS < end)) || return 1; sleep 0.2; done
}

install_packages() {
  local c missing=
  for c in munged slurmctld slurmd sbatch; do command -v $c >/dev/null || missing=1; done
  [[ -n $missing ]] || return 0
  command -v apt-get >/dev/null || impossible "Slurm is not installed, and there is no apt-get"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq || impossible "apt-get update failed"
  # policy-rc.d keeps the packages from starting their own services
  local policy=/usr/sbin/policy-rc.d made=
  [[ -e $policy ]] || { printf '#!/bin/sh\nexit 101\n' >$policy; chmod +x $policy; made=1; }
  apt-get install -y -qq --no-install-recommends slurm-wlm munge >/dev/null || { [[ -z $made ]] || rm $policy; impossible "apt-get cannot install slurm-wlm and munge"; }
  [[ -z $made ]] || rm $policy
}

configure() {
  local i host; host=$(hostname -s)
  mkdir -p "$D"/{munge,ctld,log,run,scratch}
  for ((i = 1; i <= NODES; i++)); do mkdir -p "$D/spool.n$i"; done
  chmod 755 "$D" "$D/munge"
  [[ -s $D/munge/munge.key ]] || (umask 077; head -c 1024 /dev/urandom >"$D/munge/munge.key")
  {
    cat <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$PORT
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$D/munge/munge.socket
StateSaveLocation=$D/ctld
SlurmctldPidFile=$D/run/slurmctld.pid
SlurmctldLogFile=$D/log/slurmctld.log
SlurmdPidFile=$D/run/%n.pid
SlurmdSpoolDir=$D/spool.%n
SlurmdLogFile=$D/log/%n.log
# no cgroups, no systemd: track processes through /proc, enforce memory by polling
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=2
JobAcctGatherParams=OverMemoryKill
# more CPUs and memory than the hardware has
SlurmdParameters=config_overrides
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
DefMemPerCPU=100
# no database: finished jobs stay visible to squeue for MinJobAge (slurm-status-command: squeue)
AccountingStorageType=accounting_storage/none
MinJobAge=900
KillWait=2
ReturnToService=2
SlurmctldTimeout=30
SlurmdTimeout=60
MpiDefault=none
# listen on 127.0.0.1 only
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
MailProg=/bin/true
SchedulerParameters=sched_interval=2,bf_interval=5,batch_sched_delay=0
GresTypes=gpu
CONF
    for ((i = 1; i <= NODES; i++)); do
      echo "NodeName=n$i NodeHostname=$host NodeAddr=127.0.0.1 Port=$((PORT + i)) CPUs=$CPUS RealMemory=$MEM Gres=gpu:fake:$GPUS State=UNKNOWN"
    done
    echo "PartitionName=main Nodes=ALL Default=YES DefaultTime=10 MaxTime=120"
    echo "PartitionName=gpu Nodes=ALL DefaultTime=10 MaxTime=120"
  } >"$D/slurm.conf"
  # fake GPUs need one (any) device file each; nothing is restricted without cgroups
  for ((i = 0; i < GPUS; i++)); do
    [[ -e $D/gpu$i ]] || mknod "$D/gpu$i" c 1 3
  done
  echo "Name=gpu Type=fake File=$D/gpu[0-$((GPUS - 1))]" >"$D/gres.conf"
  # Slurm 22.05 loads a cgroup plugin even when nothing uses it; v1 needs neither systemd nor dbus
  printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >"$D/cgroup.conf"
  mkdir -p /etc/slurm; ln -sfn "$D/slurm.conf" $CONF
}

nodes() { sed -n 's/^NodeName=\([^ ]*\).*/\1/p' "$D/slurm.conf" 2>/dev/null; }

start() {
  [[ $(id -u) == 0 ]] || impossible "must run as root"
  [[ ! -e $CONF || $(readlink $CONF) == "$D/slurm.conf" ]] || impossible "$CONF belongs to another Slurm: stop that one first"
  status >/dev/null 2>&1 && { echo "already running in $D"; return; }
  install_packages
  configure
  export SLURM_CONF=$D/slurm.conf
  alive "$D/run/munged.pid" munged || munged --key-file="$D/munge/munge.key" \
    --socket="$D/munge/munge.socket" --pid-file="$D/run/munged.pid" \
    --log-file="$D/log/munged.log" --seed-file="$D/munge/munged.seed"
  alive "$D/run/slurmctld.pid" slurmctld || slurmctld -i
  wait_for 15 sh -c 'scontrol ping 2>/dev/null | grep -q "is UP"' || die "slurmctld did not come up, see $D/log"
  local n
  for n in $(nodes); do alive "$D/run/$n.pid" slurmd || start_node "$n"; done
  wait_for 30 status >/dev/null 2>&1 || { status || true; die "nodes did not come up, see $D/log"; }
  status
}

start_node() { # NAME
  unshare --mount sh -c 'mount -t tmpfs scratch "$0/scratch" && exec slurmd -N "$1"' "$D" "$1" || slurmd -N "$1"
}

stop_one() { # PIDFILE PROGRAM
  alive "$1" "$2" || { rm -f "$1"; return 0; }
  local pid; pid=$(cat "$1")
  kill "$pid"
  wait_for 15 dead "$@" || kill -9 "$pid"
  rm -f "$1"
}

away() { stop_one "$D/run/slurmctld.pid" slurmctld; }

stop() {
  export SLURM_CONF=$D/slurm.conf
  if alive "$D/run/slurmctld.pid" slurmctld; then
    timeout 10 scancel --user="$(id -un)" || true
    wait_for 15 sh -c '[ -z "$(squeue -h 2>/dev/null)" ]' || echo "slurm-local: some jobs did not end" >&2
  fi
  local f   # by pid file, not by slurm.conf: the number of nodes may have changed since
  for f in "$D"/run/n[0-9]*.pid; do [[ ! -e $f ]] || stop_one "$f" slurmd; done
  stop_one "$D/run/slurmctld.pid" slurmctld
  stop_one "$D/run/munged.pid" munged
  [[ $(readlink $CONF 2>/dev/null) != "$D/slurm.conf" ]] || rm -f $CONF
  echo "stopped ($D kept; remove it for a clean state)"
}

status() {
  local rc=0 n p
  for p in munged slurmctld $(nodes); do
    case $p in munged | slurmctld) n=$p ;; *) n=slurmd ;; esac
    if alive "$D/run/$p.pid" $n; then echo "$p: running, pid $(cat "$D/run/$p.pid")"
    else echo "$p: not running"; rc=1; fi
  done
  [[ $rc == 0 ]] || return 1
  export SLURM_CONF=$D/slurm.conf
  timeout 10 sinfo -N -o '%N %P %t %c CPUs %m MB %G' || return 1
  # every node idle, mixed or allocated
  ! timeout 10 sinfo -h -N -o '%t' | grep -qvE '^(idle|mix|alloc|comp)$'
}

case $cmd in
  start) start ;;
  away) away ;;
  stop) stop ;;
  status) status ;;
  *) sed -n '2,17s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
