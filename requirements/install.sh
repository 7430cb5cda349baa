#!/usr/bin/env bash
# What `make run` and `make test` stand on: Debian packages, .venv and the pinned requirements.
#   install.sh run     what the program needs
#   install.sh test    that, and what its tests and checks need
# A power cut may fall anywhere: a step's stamp is written last, and a step without its stamp is done again.
set -euo pipefail
what=${1:?run or test}
cd "$(dirname "$0")/.."
stamps=.venv/stamps

# Two commands started at once must not build the same .venv. Children don't inherit the lock: a daemon could keep it.
exec 9<requirements/install.sh
flock 9

missing() { # FILES... : which of the listed packages are not here
  local wanted installed package
  command -v dpkg-query >/dev/null || return 0
  wanted=$(grep -hE '^[a-z0-9]' "$@")
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' $wanted 2>/dev/null | sed -n 's/^installed //p' || true)
  for package in $wanted; do
    if [ "$package" = python3-venv ]; then # a Python that Debian did not bring may have it all the same
      python3 -c 'import ensurepip, venv' 2>/dev/null || echo "$package"
    else
      grep -qx -- "$package" <<<"$installed" || echo "$package"
    fi
  done
}

as_root() {
  local quietly=(env DEBIAN_FRONTEND=noninteractive DEBCONF_NOWARNINGS=yes)
  if [ "$(id -u)" = 0 ]; then "${quietly[@]}" "$@" 9<&-
  else sudo -n "${quietly[@]}" "$@" 9<&-; fi
}

# Root, in somebody's checkout, leaves nothing of root's behind.
as_owner() {
  local owner
  owner=$(stat -c %U .)
  if [ "$(id -u)" = 0 ] && [ "$owner" != root ] && [ "$owner" != UNKNOWN ]; then
    runuser -u "$owner" -- env HOME="$(getent passwd "$owner" | cut -d: -f6)" "$@"
  else "$@"; fi
}

install_packages() { # PACKAGES...
  [ "$(id -u)" = 0 ] || sudo -n true 2>/dev/null || return 1
  echo "正在安装系统软件包：$*"
  local apt=(apt-get -qq -y -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 -o Dpkg::Options::=--force-confold)
  as_root dpkg --configure -a >/dev/null || true # the last time may have ended in a power cut
  as_root "${apt[@]}" update >/dev/null || echo "软件包目录未能更新，仍用原有的目录"
  as_root "${apt[@]}" --fix-broken install >/dev/null || true
  as_root "${apt[@]}" install --no-install-recommends "$@" >/dev/null || echo "系统软件包未能全部装上"
}

lists=(requirements/system.txt)
[ "$what" = run ] || lists+=(requirements/system-test.txt)
lacking=$(missing "${lists[@]}")
if [ -n "$lacking" ]; then
  install_packages $lacking && lacking=$(missing "${lists[@]}")
elif [ ! -f $stamps/made ] && [ -n "$(dpkg --audit 2>/dev/null || true)" ]; then
  install_packages python3-venv || true
fi

if command -v python3 >/dev/null && ! python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
  echo "需要 Python 3.11 或更高版本，现有的是 $(python3 -V)"
  exit 1
fi

packages() { # .venv with what the requirements file says
  local file=requirements/base.txt done=(run)
  [ "$what" = run ] || { file=requirements/dev.txt; done=(run test); }
  local python sum
  python=$(python3 -c 'import sys; print(sys.executable, sys.version)')
  if [ "$(cat $stamps/made 2>/dev/null)" != "$python" ]; then
    echo "正在建立 Python 虚拟环境 .venv"
    as_owner rm -rf .venv
    as_owner python3 -m venv .venv
    as_owner mkdir $stamps
    as_owner sync -f .venv
    as_owner tee $stamps/made <<<"$python" >/dev/null
  fi
  sum=$(sha256sum <$file)
  if [ "$(cat $stamps/"$what" 2>/dev/null)" != "$sum" ]; then
    echo "正在安装 Python 依赖（约半分钟）"
    as_owner rm -f $stamps/run $stamps/test
    as_owner .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input --require-hashes -r $file
    as_owner sync -f .venv
    [ "$what" = run ] || as_owner tee $stamps/run <<<"$(sha256sum <requirements/base.txt)" >/dev/null
    as_owner tee $stamps/"$what" <<<"$sum" >/dev/null
  fi
}
if python3 -c 'import ensurepip, venv' 2>/dev/null; then
  packages
elif [ -z "$lacking" ]; then
  echo "现有的 python3 不带 ensurepip 和 venv，不能建立 .venv"
  exit 1
fi

if [ -n "$lacking" ]; then
  echo "缺少系统软件包。请执行下面这一行，然后再来一次："
  echo "sudo apt-get install -y" $lacking
  # Without a browser the rest can still be tested; where everything must be tested, it cannot.
  needed=$(missing requirements/system.txt)
  [ -z "$needed" ] && [ "${CI:-}" != true ] && exit 0
  exit 1
fi
