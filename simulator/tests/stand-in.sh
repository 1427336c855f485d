#!/bin/sh
# A stand-in for the server: says where it listens, notes each start, and waits; stops when told to.
trap 'exit 0' TERM
while [ $# -gt 1 ]; do
  case "$1" in --listen) players=$2 ;; --admin-listen) admin=$2 ;; --data-dir) data=$2 ;; esac
  shift
done
echo "$$ $players" >> "$data/starts"
echo secret > "$data/admin.token"
[ "$players" = 127.0.0.1:0 ] && players=127.0.0.1:4001 && admin=127.0.0.1:4002
echo "{\"players\":\"$players\",\"admin\":\"$admin\"}" > "$data/addresses.json"
while :; do sleep 0.05; done
