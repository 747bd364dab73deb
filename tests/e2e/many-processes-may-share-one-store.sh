# The same with 32 processes and 200 builds each: tests/stress/one-store.sh 32 200
set -eu
bash "$(dirname "$0")/../stress/one-store.sh" 6 8
