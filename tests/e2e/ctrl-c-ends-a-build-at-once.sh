. "$(dirname "$0")/common.sh"
busybox_base
dockerfile <<'D'
FROM busybox
RUN echo ready; sleep 555
D
for signal in INT TERM; do
  # A shell starts background jobs with SIGINT ignored; setsid's child has not.
  python3 - "$CBUILD" "$t" $signal <<'P'
import signal, subprocess, sys, time
cbuild, t, name = sys.argv[1:]
p = subprocess.Popen([cbuild, "--root", t + "/store", "build", "-t", "app", t + "/context"], stderr=subprocess.PIPE,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler))
while b"0." not in p.stderr.readline() : pass
p.send_signal(getattr(signal, "SIG" + name))
start = time.time()
rest = p.stderr.read().decode()
assert p.wait() == 130, p.returncode
assert time.time() - start < 60, time.time() - start  # the RUN would take 555
assert "interrupted" in rest, rest
P
  not pgrep -f 'sleep 55[5]'
  [ "$(grep -c "$t" /proc/self/mountinfo)" = 0 ]
done
exits 1 cbuild inspect app
