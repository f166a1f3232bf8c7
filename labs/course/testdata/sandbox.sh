#!/bin/sh
# A make-believe sandbox for the tests of the lessons: containers are directories under $WORLD, and only as much is
# imitated as the exercises of the lessons use. A program that would stay is not run: it is said to be running.

write() { printf '%s\n' "$2" > "$WORLD/$name/$1"; }
read_() { cat "$WORLD/$name/$1" 2>/dev/null; }
must_exist() { [ -d "$WORLD/$name" ] || { echo "Error: no such container: $name" >&2; exit 1; }; }

create() {
	name=unnamed host= net=bridge shared= detach=
	while :; do
		case $1 in
		-d) detach=1; shift ;;
		--rm) shift ;;
		--name) name=$2; shift 2 ;;
		-h) host=$2; shift 2 ;;
		--network | --net) net=$2; shift 2 ;;
		--ipc | --uts | --pid) shared="$shared ${1#--}"; shift 2 ;;
		*) break ;;
		esac
	done
	shift # the image
	[ -d "$WORLD/$name" ] && { echo "Error: the name $name is taken" >&2; exit 125; }
	mkdir -p "$WORLD/$name"
	write status created; write exit 0; write hostname "${host:-3f2a61b09c1d}"; write net "$net"; write shared "$shared "; write pid 0
	: > "$WORLD/$name/log"; : > "$WORLD/$name/shm"
	[ "$1" = sh ] && [ $# = 3 ] && shift 2 || set -- "$*"
	printf '%s' "$1" | sed "s|/note|$WORLD/$name/note|g" > "$WORLD/$name/command"
}

start() {
	case $(read_ command) in
	'') write status exited ;;
	sleep*) write status running; write pid $$ ;;
	while*) write status running; write pid $$; echo "Fri Jan  7 15:54:08 UTC 2022" >> "$WORLD/$name/log" ;;
	*)
		sh "$WORLD/$name/command" >> "$WORLD/$name/log" 2>&1
		write exit $?; write status exited
		;;
	esac
}

inspect() {
	format=$2; shift 2
	for name; do
		must_exist
		running=false; [ "$(read_ status)" = running ] && running=true
		printf '%s\n' "$format" | sed \
			-e "s|{{.State.Status}}|$(read_ status)|" -e "s|{{.State.ExitCode}}|$(read_ exit)|" \
			-e "s|{{.State.Pid}}|$(read_ pid)|" -e "s|{{.State.Running}}|$running|" \
			-e "s|{{.Config.Hostname}}|$(read_ hostname)|" -e "s|{{.Name}}|/$name|"
	done
}

inside() {
	must_exist
	[ "$(read_ status)" = running ] || { echo "Error: $name is not running" >&2; exit 126; }
	case "$*" in
	hostname) read_ hostname ;;
	'readlink /proc/self/ns/net') [ "$(read_ net)" = host ] && readlink /proc/self/ns/net || echo 'net:[1]' ;;
	'readlink /proc/self/ns/'*)
		case $(read_ shared) in
		*" ${2##*/} "*) readlink "$2" ;;
		*) echo "own:[2]" ;;
		esac
		;;
	'ip -4 addr')
		echo '    inet 127.0.0.1/8 scope host lo'
		[ "$(read_ net)" = none ] || echo '    inet 172.17.0.2/16 scope global eth0'
		;;
	'ipcmk -M '*) echo "0x1 $(wc -l < "$WORLD/$name/shm") root 644 $3 0" >> "$WORLD/$name/shm" ;;
	'ipcs -m') echo 'key shmid owner perms bytes nattch status'; read_ shm ;;
	'ipcrm -m '*) sed -i "/^0x1 *$3 /d" "$WORLD/$name/shm" ;;
	*) echo "make-believe exec knows no: $*" >&2; exit 127 ;;
	esac
}

verb=$1; shift
case $verb in
create) create "$@" ;;
run) create "$@"; start; [ -n "$detach" ] || { read_ log; exit "$(read_ exit)"; } ;;
start) name=$1; must_exist; start ;;
wait) name=$1; must_exist; read_ exit ;;
logs) name=$1; must_exist; read_ log ;;
inspect) [ "$1" = -f ] || set -- -f '' "$@"; inspect "$@" ;;
exec) name=$1; shift; inside "$@" ;;
stop) name=$1; must_exist; write status exited; write exit 137; write pid 0 ;;
rm) [ "$1" = -f ] && shift; for name; do rm -rf "${WORLD:?}/$name"; done ;;
*) echo "make-believe sandbox knows no: $verb" >&2; exit 125 ;;
esac
