// What a RUN must not be able to do, tried by system call. Prints a line for
// each that worked; silent and 0 where none did. Built statically by the end to
// end tests and run inside a RUN only: it does what it can. Refuses to run in the
// namespaces of the machine's first process. Arguments: an abstract socket of the
// host, pids of the host to go for.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
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
  refused("process_vm_readv", process_vm_readv(pid, &mine, 1, &theirs, 1, 0));
  const int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
  refused("pidfd_open of the host's process", pidfd);
  refused("pidfd_getfd", syscall(SYS_pidfd_getfd, pidfd, 0, 0));
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
  if (getpid() != 1) {  // a RUN's command is the first of its namespace
    fputs("only for a RUN\n", stderr);
    return 2;
  }
  look_for_descriptors();
  join_namespaces();
  use_keyrings();
  use_the_kernel();
  if (argc > 1) connect_abstract(argv[1]);
  for (int i = 2; i < argc; ++i)
    if (atoi(argv[i]) > 64) attack_process(atoi(argv[i]));
  return escaped;
}
