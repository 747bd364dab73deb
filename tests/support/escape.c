// What a RUN must not be able to do, tried by system call. Prints a line for
// each that worked; silent and 0 where none did. Built statically by the end to
// end tests and run inside a RUN only: it does what it can. Refuses to run where
// the root directory is more than an image of nothing else. Arguments: an abstract
// socket of the host, or "-"; "devices" where none may be opened, or "-"; pids of
// the host to go for.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int escaped;

static void gets_out(const char* how) {
  printf("ESCAPED: %s\n", how);
  escaped = 1;
}

static void refused(const char* how, long result) {
  if (result != -1) gets_out(how);
}

// Of another process than this and its parents in the namespace.
static void attack_process(int pid) {
  if (ptrace(PTRACE_SEIZE, pid, 0, 0) == 0) {
    ptrace(PTRACE_DETACH, pid, 0, 0);
    gets_out("ptrace");
  }
  char byte;
  struct iovec mine = {&byte, 1}, theirs = {(void*)0x400000, 1};
  if (process_vm_readv(pid, &mine, 1, &theirs, 1, 0) != -1 || errno == EFAULT)
    gets_out("process_vm_readv");
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  refused("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
  refused("pidfd_send_signal", syscall(SYS_pidfd_send_signal, pidfd, 0, 0, 0));
  refused("kill", kill(pid, 0));
  refused("sigqueue", sigqueue(pid, 0, (union sigval){0}));
  struct rlimit limit;
  if (prlimit(pid, RLIMIT_CORE, 0, &limit) == 0)
    refused("prlimit", prlimit(pid, RLIMIT_CORE, &limit, 0));
}

// As a user whom the host has a process of, who is refused by fewer checks.
static void attack_as(unsigned uid, int count, char** pids) {
  const pid_t child = fork();
  if (child == 0) {
    escaped = 0;
    if (setresgid(uid, uid, uid) == 0 && setresuid(uid, uid, uid) == 0)
      for (int i = 0; i < count; ++i) attack_process(atoi(pids[i]));
    _exit(escaped);
  }
  int status = 1;
  waitpid(child, &status, 0);
  if (status != 0) gets_out("as another user");
}

// Out of a chroot by a second one, which leaves the working directory above it.
static void climb(void) {
  mkdir("/below", 0700);
  const int chrooted = chroot("/below") == 0;
  for (int i = 0; i < 64 && chdir("..") == 0; ++i) {
  }
  if (access("escape", F_OK) != 0) gets_out("the directory above");
  if (chrooted && chroot(".") == -1) gets_out("no way back");
  rmdir("/below");
}

static void open_device(mode_t type, unsigned major, unsigned minor) {
  mknod("/node", type | 0600, makedev(major, minor));
  refused("a device", open("/node", O_RDONLY | O_CLOEXEC));
  refused("a device", open("/node", O_WRONLY | O_CLOEXEC));
  unlink("/node");
}

static void open_devices(void) {
  const unsigned disks[] = {8, 253, 254, 259};
  for (unsigned i = 0; i < sizeof disks / sizeof *disks; ++i)
    open_device(S_IFBLK, disks[i], 0);
  open_device(S_IFCHR, 1, 1);   // memory
  open_device(S_IFCHR, 1, 11);  // the kernel's log
}

// Its own namespaces are the most it can see, and cannot be joined either.
static void join_namespaces(void) {
  const char* names[] = {"mnt", "pid", "net", "ipc", "uts", "user", "cgroup"};
  for (unsigned i = 0; i < sizeof names / sizeof *names; ++i) {
    char path[64];
    snprintf(path, sizeof path, "/proc/1/ns/%s", names[i]);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd == -1) continue;
    refused(path, setns(fd, 0));
    close(fd);
  }
}

static void use_keyrings(void) {
  refused("keyctl", syscall(SYS_keyctl, 0, -3, 1));  // session keyring, make
  refused("add_key", syscall(SYS_add_key, "user", "k", "v", 1L, -3));
  refused("request_key", syscall(SYS_request_key, "user", "k", 0L, -3));
}

// Only the three streams, none of which is a directory (CVE-2024-21626).
static void look_for_descriptors(void) {
  DIR* dir = opendir("/proc/self/fd");
  for (const struct dirent* e; dir && (e = readdir(dir));) {
    const int fd = atoi(e->d_name);
    struct stat st;
    if (e->d_name[0] == '.' || fd == dirfd(dir)) continue;
    if (fd > 2) gets_out("a descriptor was left open");
    if (fstat(fd, &st) == 0 && S_ISDIR(st.st_mode)) gets_out("a directory");
  }
  char cwd[4096];
  if (!getcwd(cwd, sizeof cwd) || cwd[0] != '/') gets_out("working directory");
}

static void use_the_kernel(void) {
  char handle[64] = {8};
  refused("open_by_handle_at",
          syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY));
  refused("bpf", syscall(SYS_bpf, 0, handle, sizeof handle));
  refused("perf_event_open", syscall(SYS_perf_event_open, handle, 0, -1, -1, 0));
  refused("fsopen", syscall(SYS_fsopen, "tmpfs", 0));
  refused("open_tree", syscall(SYS_open_tree, AT_FDCWD, "/", 1));
  refused("mount", mount("none", "/", "tmpfs", 0, 0));
  refused("pivot_root", syscall(SYS_pivot_root, ".", "."));
  refused("unshare", unshare(CLONE_NEWUSER));
  refused("init_module", syscall(SYS_init_module, handle, 1L, ""));
  refused("iopl", syscall(SYS_iopl, 3));
  refused("sethostname", sethostname("x", 1));
}

static void connect_abstract(const char* name) {
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path + 1, name, sizeof address.sun_path - 2);
  refused("the host's abstract socket",
          connect(fd, (struct sockaddr*)&address,
                  (socklen_t)(3 + strlen(name))));
  close(fd);
}

int main(int argc, char** argv) {
  if (argc < 3 || access("/escape", F_OK) != 0 || access("/usr", F_OK) == 0 ||
      access("/bin", F_OK) == 0 || access("/root", F_OK) == 0) {
    fputs("only for a RUN\n", stderr);
    return 2;
  }
  setvbuf(stdout, 0, _IONBF, 0);
  look_for_descriptors();
  join_namespaces();
  use_keyrings();
  use_the_kernel();
  climb();
  if (strcmp(argv[1], "-") != 0) connect_abstract(argv[1]);
  if (strcmp(argv[2], "devices") == 0) open_devices();
  for (int i = 3; i < argc; ++i) attack_process(atoi(argv[i]));
  attack_as(65534, argc - 3, argv + 3);
  return escaped;
}
