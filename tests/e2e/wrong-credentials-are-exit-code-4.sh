. "$(dirname "$0")/common.sh"
need_root
need htpasswd apache2-utils
export DOCKER_CONFIG=$t/docker
htpasswd -Bbn me right >"$t/htpasswd"
start_registry "" "auth: {htpasswd: {realm: test, path: $t/htpasswd}}"
busybox_base
cbuild tag busybox "$registry/busybox"
exits 4 cbuild push "$registry/busybox"
exits 4 cbuild login -u me -p wrong "$registry"
[ ! -e "$t/docker/config.json" ]
printf right | cbuild login -u me --password-stdin "$registry"
[ "$(stat -c %a "$t/docker/config.json")" = 600 ]
cbuild push "$registry/busybox"
cbuild logout "$registry"
exits 4 cbuild pull "$registry/busybox"
