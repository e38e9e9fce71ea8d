# The user's shell: runs one command after the other on the supervisor's word, so that folders, variables and functions
# last from command to command. Started as: SHELL driver.sh AGENT-FOLDER ISOLATED STATE-FILE RUN-AS
# Every name of its own begins with slipway_; user code shares the process and may do anything to it. Whatever it does
# (exit, exec, set -e, a syntax error), the supervisor sees this process end and starts a new one from the saved state.
slipway_agent=$1 slipway_isolated=$2 slipway_state=$3 slipway_user=$4 slipway_home=${HOME-}
shift 4

# Variables, functions and the folder, as a program that restores them.
slipway_save() {
  slipway_directory=$PWD
  slipway_turn=$((${slipway_turn:-0} + 1))
  slipway_saved=$slipway_agent/state.$$.$((slipway_turn % 2))
  if [ -n "${BASH_VERSION-}" ]; then
    { declare -p && declare -f; } >"$slipway_saved"
  else
    { set && export -p; } >"$slipway_saved"
  fi
}

# Not in a function: bash would make the restored variables local. Read-only variables complain and stay as they are.
. "$slipway_state" 2>/dev/null
if [ -n "$slipway_user" ]; then
  HOME=$slipway_home USER=$slipway_user
  export HOME USER
fi
cd "$slipway_directory" || exit 1

if [ "$slipway_isolated" = 0 ]; then
  trap '{ slipway_save; printf "state %s\n" "$slipway_saved" >"$slipway_agent/status"; } 2>/dev/null' EXIT
fi
printf 'ready\n' >"$slipway_agent/status"

# Standard error is put aside around the driver's own steps: a user's `set -x` must not show them.
while { IFS=' ' read -r slipway_verb CODEBUILD_BUILD_SUCCEEDING CODEBUILD_LAST_EXIT <"$slipway_agent/next"; } 2>/dev/null; do
  { export CODEBUILD_BUILD_SUCCEEDING CODEBUILD_LAST_EXIT; } 2>/dev/null
  case $slipway_verb in
    run)
      if [ "$slipway_isolated" = 1 ]; then
        (. "$slipway_agent/script.sh")
      else
        . "$slipway_agent/script.sh"
      fi
      {
        slipway_status=$?
        [ "$slipway_isolated" = 1 ] || slipway_save
        printf 'done %s %s\n' "$slipway_status" "${slipway_saved-}" >"$slipway_agent/status"
      } 2>/dev/null
      ;;
    capture)
      {
        slipway_status=0
        (. "$slipway_agent/script.sh") >"$slipway_agent/value" || slipway_status=$?
        printf 'done %s %s\n' "$slipway_status" "${slipway_saved-}" >"$slipway_agent/status"
      } 2>/dev/null
      ;;
    quit)
      exit 0
      ;;
  esac
done
