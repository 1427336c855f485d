#!/bin/sh
# make run: starts a server with a lobby open, says how to join and how to host, and stops it again on Ctrl-C.
#   sh docs/examples/run.sh KLAXON      where KLAXON is the program
# The server's options can be chosen as ever, by KLAXON_* in the environment.
set -eu

klaxon=${1:?"usage: run.sh KLAXON"}
data=${KLAXON_DATA_DIR:-klaxon-data}
token=${KLAXON_ADMIN_TOKEN_FILE:-$data/admin.token}
code=KLAXON

fail() {
    echo "run.sh: $*" >&2
    exit 1
}

# address players|admin: where the server listens.
address() {
    sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" "$data/addresses.json"
}

host() {
    "$klaxon" host --admin "$admin" --token-file "$token" "$@"
}

# A server that was killed leaves this file behind, one that runs answers.
if [ -e "$data/addresses.json" ]; then
    admin=$(address admin)
    if host --list >/dev/null 2>&1; then fail "a server with the data in $data runs already, its admin port is $admin"; fi
    rm -f "$data/addresses.json"
fi

"$klaxon" serve &
server=$!
# Also when the terminal has told the server already: it stops once.
stop() {
    trap '' INT TERM HUP
    trap - EXIT
    kill "$server" 2>/dev/null || :
    status=0
    wait "$server" || status=$?
    exit "$status"
}
trap stop INT TERM HUP
trap 'kill "$server" 2>/dev/null || :' EXIT

until [ -s "$data/addresses.json" ]; do
    kill -0 "$server" 2>/dev/null || fail "the server did not start; its last line says why"
    sleep 0.1
done
players=$(address players)
admin=$(address admin)

# The show is made once. It stays what it is from one run to the next until it has ended.
phase=$(host --list | awk -v code="$code" '$1 == code && $2 != "ended" { print $2 }')
case $phase in
    "") printf 'open\nquit\n' | host --pack bundled --code "$code" --mode points --open-for 20s >/dev/null ;;
    created) printf 'open\nquit\n' | host --code "$code" >/dev/null ;;
    *) echo "The show $code of the last run goes on; it is at: $phase." ;;
esac

cat <<END

The show $code takes players at $players. To join it:

  python3 docs/examples/client.py ${players%:*} ${players##*:} $code Ann

  websocat --ping-interval 20 ws://$players/play      and then type
  {"type":"join","show":"$code","name":"Bob"}
  {"type":"answer","question":1,"choice":0}

  or in a browser's console, on the page about:blank:
  ws = new WebSocket("ws://$players/play"); ws.onmessage = m => console.log(m.data); ws.onopen = () => ws.send('{"type":"join","show":"$code","name":"Cleo"}')
  ws.send('{"type":"answer","question":1,"choice":0}')

To host it, from another terminal in this directory:

  $klaxon host --code $code --admin $admin --token-file $token

Ctrl-C stops the server.

END

# A trap that runs ends the wait, and the script with it.
status=0
wait "$server" || status=$?
trap - EXIT
exit "$status"
