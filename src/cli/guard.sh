# Stands beside a command that `lockstep` runs, so that the command does not outlive it unguarded.
#
#   $1      the grace between TERM and KILL, in tenths of a second
#   stdin   a line with the command's process id; then a further line once the command has ended.
#           The end of input without that line means that `lockstep` was killed.
#
# Until `lockstep` has sent that line it has not reaped the command, or has done so this very instant, so the
# process id is still the command's.
trap '' HUP INT QUIT TERM USR1 USR2
read -r command || exit 0
read -r ended && exit 0
kill -TERM "$command" 2>/dev/null || exit 0
tenths=$1
while [ "$tenths" -gt 0 ]; do
  sleep 0.1
  kill -0 "$command" 2>/dev/null || exit 0
  tenths=$((tenths - 1))
done
kill -KILL "$command" 2>/dev/null
exit 0
