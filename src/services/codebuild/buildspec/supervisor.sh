# The build container's main process. It runs the phases' commands through the user's shell (driver.sh), prints the log
# as CodeBuild's agent does, and reports on standard error, one line an event: NONCE {"event":…}. The user's shell never
# sees the nonce: it is in no environment, no argument and no file by the time user code runs.
#
# Descriptors: 8 messages from the user's shell, 9 orders to it. Both are FIFOs held open in both directions, so that
# neither side ever waits for the other to open one.

# Sets $now to the time in UTC as in CodeBuild's logs. busybox's date knows no fractions of a second.
stamp() {
  now=$(date -u "$date_format")
}

choose_date_format() {
  date_format='+%Y/%m/%d %H:%M:%S.%6N'
  stamp
  case $now in
    *.[0-9][0-9][0-9][0-9][0-9][0-9]) ;;
    *) date_format='+%Y/%m/%d %H:%M:%S.000000' ;;
  esac
}

# say TEXT: one line of the agent's in the build log.
say() {
  stamp
  printf '[Container] %s %s\n' "$now" "$1"
}

# emit EVENT FIELDS: FIELDS is JSON members, each with its leading comma.
emit() {
  printf '%s {"event":"%s","time":"%s"%s}\n' "$nonce" "$1" "$now" "$2" >&2
}

# Standard input as hexadecimal digits: the one encoding that needs no escaping in JSON.
hexadecimal() {
  head -c 65536 | od -An -v -tx1 | tr -d ' \n'
}

# --- the user's shell -------------------------------------------------------------------------------------------------

# open_fifo PATH
open_fifo() {
  rm -f "$1"
  mkfifo "$1"
  [ "$switches_user" = 0 ] || chmod 0666 "$1"
}

# start_shell USER: false, with $status, when it ended before it was ready.
start_shell() {
  open_fifo "$agent/next"
  exec 9<>"$agent/next"
  shell_user=$1
  launching=1
  (
    set -- "$user_shell" "$agent/driver.sh" "$agent" "$isolated" "$state" "$shell_user"
    if [ -n "$shell_user" ]; then
      # su wants a path; busybox names its own shell without one.
      shell_path=$(command -v "$user_shell")
      case $shell_path in
        /*) ;;
        *) shell_path=/bin/$user_shell ;;
      esac
      shift
      set -- su -s "$shell_path" "$shell_user" -- "$@"
    fi
    # A group of its own, to be stopped as a whole; and the signals that a shell ignores for its background jobs.
    if command -v setsid >/dev/null 2>&1; then
      set -- setsid "$@"
    fi
    if env --default-signal=INT,QUIT true 2>/dev/null; then
      set -- env --default-signal=INT,QUIT "$@"
    fi
    "$@" </dev/null 2>&1 8>&- 9>&- &
    printf 'group %s\n' "$!" >&8
    wait "$!"
    printf 'exit %s\n' "$?" >&8
  ) &
  await_shell
  [ "$shell_running" = 1 ]
}

# Reads the next message from the user's shell, or from the signal handler, into $verb, $first and $second. The FIFO never
# ends, since this process holds it open: a read that fails was interrupted by a signal before it had read anything.
read_message() {
  until IFS=' ' read -r verb first second <&8; do
    :
  done
  case $verb in
    group)
      shell_group=$first
      launching=0
      ;;
    state) state=$first ;;
    stop) [ "$ending" = 1 ] || stop_build ;;
  esac
}

# Reads messages until the shell is ready, has done its command, or has ended. Sets $status; an ended shell's exit
# status is the status of the command that ended it.
await_shell() {
  while read_message; do
    case $verb in
      ready)
        shell_running=1
        return
        ;;
      done)
        status=$first
        [ -z "$second" ] || state=$second
        break
        ;;
      exit)
        status=$first
        shell_running=0
        break
        ;;
    esac
  done
  case $status in
    '' | *[!0-9]*) status=1 ;;
  esac
}

stop_shell() {
  [ "$shell_running" = 1 ] || return 0
  printf 'quit\n' >&9
  while [ "$shell_running" = 1 ]; do
    await_shell
  done
}

# in_shell VERB SCRIPT: has the user's shell run the script; sets $status.
in_shell() {
  printf '%s\n' "$2" >"$agent/script.sh"
  if [ "$shell_running" = 1 ] && [ "$shell_user" != "$phase_user" ]; then
    stop_shell
  fi
  if [ "$shell_running" = 1 ] || start_shell "$phase_user"; then
    printf '%s %s %s\n' "$1" "$succeeding" "$last_exit" >&9
    await_shell
  fi
}

# --- phases -----------------------------------------------------------------------------------------------------------

# begin_phase NAME USER
begin_phase() {
  stop_if_asked
  phase=$1
  phase_user=$2
  phase_status=0
  finally_status=0
  failed_command=
  say "Entering phase $phase"
  emit phase-started ",\"phase\":\"$phase\""
}

# run_command TEXT: nothing after the first that failed.
run_command() {
  [ "$phase_status" = 0 ] || return 0
  execute "$1"
  phase_status=$status
}

# run_finally TEXT: whatever became of the phase's commands.
run_finally() {
  [ "$finally_status" = 0 ] || return 0
  execute "$1"
  finally_status=$status
}

execute() {
  stop_if_asked
  say "Running command $1"
  in_shell run "$1"
  printf '\n'
  last_exit=$status
  if [ "$status" != 0 ]; then
    say "Command did not exit successfully $1 exit status $status"
    succeeding=0
    if [ "$phase_status" = 0 ]; then
      failed_command=$1
    fi
  fi
}

# end_phase ON-FAILURE: a failed install or pre_build ends the build, a failed build still goes on to post_build, unless
# the phase says otherwise.
end_phase() {
  [ "$phase_status" != 0 ] || phase_status=$finally_status
  if [ "$phase_status" = 0 ]; then
    say "Phase complete: $phase State: SUCCEEDED"
    printf '[Container] %s Phase context status code:  Message: \n' "$now"
    emit phase-ended ",\"phase\":\"$phase\",\"status\":\"SUCCEEDED\",\"exitStatus\":0"
  else
    say "Phase complete: $phase State: FAILED"
    printf '[Container] %s Phase context status code: COMMAND_EXECUTION_ERROR Message: Error while executing command: %s. Reason: exit status %s\n' \
      "$now" "$failed_command" "$phase_status"
    emit phase-ended ",\"phase\":\"$phase\",\"status\":\"FAILED\",\"exitStatus\":$phase_status,\"command\":\"$(printf '%s' "$failed_command" | hexadecimal)\""
    case $1:$phase in
      CONTINUE:* | DEFAULT:BUILD | DEFAULT:POST_BUILD) ;;
      *) aborted=1 ;;
    esac
  fi
  phase=
}

# --- what the runner needs from the user's shell at the end -----------------------------------------------------------

# capture SCRIPT: its output as hexadecimal digits in $captured; false when the script failed.
capture() {
  rm -f "$agent/value"
  in_shell capture "$1"
  [ "$status" = 0 ] && [ -f "$agent/value" ] && captured=$(hexadecimal <"$agent/value")
}

# export_variable NAME: one that is not set is not reported.
export_variable() {
  if capture "[ -n \"\${$1+set}\" ] && printf '%s' \"\$$1\""; then
    emit exported-variable ",\"name\":\"$1\",\"value\":\"$captured\""
  fi
}

# expand HEXADECIMAL-TEXT SCRIPT: a text of the buildspec with the shell's expansions done.
expand() {
  if capture "$2"; then
    emit expanded ",\"text\":\"$1\",\"value\":\"$captured\""
  fi
}

# --- Docker in privileged mode ----------------------------------------------------------------------------------------

docker_answers() {
  if command -v docker >/dev/null 2>&1; then
    docker --host "$docker_host" info >/dev/null 2>&1
  else
    [ -S "${docker_host#unix://}" ]
  fi
}

# start_docker ARGUMENTS…: as the managed images' entry point does. An image without dockerd gets none.
start_docker() {
  command -v dockerd >/dev/null 2>&1 || return 0
  docker_log=$agent/docker.log
  # Under cgroup v1 the container sees the host's hierarchy: its own place there, so that what runs inside counts
  # against the build's limits. Version 2 names no controller here, and its namespace does the same by itself.
  cgroup=$(sed -n 's/^[0-9]*:memory://p' /proc/self/cgroup)
  [ -z "$cgroup" ] || set -- --cgroup-parent="$cgroup" "$@"
  dockerd --host="$docker_host" "$@" </dev/null >"$docker_log" 2>&1 8>&- 9>&- &
  docker_pid=$!
  attempts=600
  until docker_answers; do
    stop_if_asked
    attempts=$((attempts - 1))
    if [ "$attempts" = 0 ] || ! kill -0 "$docker_pid" 2>/dev/null; then
      say "The Docker daemon did not start. The last lines of $docker_log:"
      tail -n 20 "$docker_log"
      emit docker ',"state":"failed"'
      return 0
    fi
    sleep 0.1
  done
  stamp
  emit docker ',"state":"ready"'
}

# end_process TENTHS PID: SIGTERM, and SIGKILL after so many tenths of a second. A negative PID is a group.
end_process() {
  kill -TERM -- "$2" 2>/dev/null || return 0
  tenths=$1
  while kill -0 -- "$2" 2>/dev/null; do
    if [ "$tenths" = 0 ]; then
      kill -KILL -- "$2" 2>/dev/null
      return 0
    fi
    tenths=$((tenths - 1))
    sleep 0.1
  done
}

# --- beginning and end ------------------------------------------------------------------------------------------------

begin_build() {
  # Without a nonce nothing could be reported; the file is gone before any user code runs.
  if ! IFS= read -r nonce <"$nonce_file" || [ -z "$nonce" ]; then
    printf 'The build cannot start: %s is missing or empty\n' "$nonce_file" >&2
    exit 70
  fi
  rm -f "$nonce_file"
  succeeding=1
  last_exit=0
  aborted=0
  phase=
  phase_user=
  shell_running=0
  shell_group=
  launching=0
  docker_pid=
  docker_host=unix:///var/run/docker.sock
  state=$agent/state.initial
  status=0
  choose_date_format
  mkdir -p "$agent"
  [ "$switches_user" = 0 ] || chmod 1777 "$agent"
  open_fifo "$agent/status"
  exec 8<>"$agent/status"
  # A signal becomes a message, so that it is acted upon between two steps and never in the middle of one.
  stopping=0
  ending=0
  trap 'stopping=1; printf "stop\n" >&8' TERM INT HUP
}

stop_if_asked() {
  [ "$stopping" = 0 ] || stop_build
}

# SIGTERM: StopBuild, or a timeout. The end of this process ends the container and all that is left in it.
stop_build() {
  trap '' TERM INT HUP
  ending=1
  stamp
  [ -z "$phase" ] || emit phase-ended ",\"phase\":\"$phase\",\"status\":\"STOPPED\",\"exitStatus\":143"
  emit build-ended ',"status":"STOPPED","uploadArtifacts":false'
  # A shell that is just being started has not said its group yet; it will.
  while [ "$launching" = 1 ]; do
    read_message
  done
  if [ -n "$shell_group" ]; then
    # The process too: it may not have become a group yet.
    kill -TERM "$shell_group" 2>/dev/null
    end_process 10 "-$shell_group"
  fi
  [ -z "$docker_pid" ] || end_process 10 "$docker_pid"
  exit 143
}

end_build() {
  stop_if_asked
  stop_shell
  [ -z "$docker_pid" ] || end_process 50 "$docker_pid"
  stamp
  upload=true
  [ "$aborted" = 0 ] || upload=false
  if [ "$succeeding" = 1 ]; then
    emit build-ended ",\"status\":\"SUCCEEDED\",\"uploadArtifacts\":$upload"
    exit 0
  fi
  emit build-ended ",\"status\":\"FAILED\",\"uploadArtifacts\":$upload"
  exit 1
}
