export CBUILD_ISOLATION=chroot
network=host rounds=100
. "$(dirname "$0")/races-for-a-mount-lead-nowhere.sh"
