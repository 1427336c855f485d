#!/bin/sh
# A stand-in for the server: says where it listens, notes each start, and waits; stops when told to.
trap 'exit 0' TERM
while [ $# -gt 1 ]; do
  case "$1" in --listen) players=$2 ;; --admin-listen) admin=$2 ;; --data-dir) data=$2 ;; esac
  shift
done
echo "$$ $players" >> "$data/starts"
echo secret > "$data/admin.token"
echo "{\"players\":\"$players\",\"admin\":\"$admin\"}" > "$data/addresses.json"
while :; do sleep 0.05; done
