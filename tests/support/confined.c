// What a RUN does on every day, where a confinement that is too narrow would stop
// it. Prints a line for each that failed; silent and 0 where none did. Built
// statically as /confined, setuid root, and run in an image of nothing else.
// Argument: "queues" where POSIX message queues are to work.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <mqueue.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int broken;

static void works(const char* what, int ok) {
  if (ok) return;
  printf("BROKEN: %s: %s\n", what, strerror(errno));
  broken = 1;
}

static int status_of(pid_t child) {
  int status = -1;
  return waitpid(child, &status, 0) == child ? status : -1;
}

static void move_files(void) {
  works("mkdir", mkdir("/a", 0755) == 0 && mkdir("/b", 0755) == 0);
  const int fd = open("/a/f", O_CREAT | O_RDWR, 0644);
  works("write", write(fd, "text", 4) == 4);
  works("rename to another directory", rename("/a/f", "/b/f") == 0);
  works("link in another directory", link("/b/f", "/a/g") == 0);
  works("exchange", renameat2(-1, "/a/g", -1, "/b/f", RENAME_EXCHANGE) == 0);
  works("rename a directory", rename("/a", "/b/a") == 0);
  works("truncate", truncate("/b/f", 1) == 0 && ftruncate(fd, 2) == 0);
  works("symlink", symlink("/b", "/l") == 0 && mkfifo("/p", 0600) == 0);
}

static void use_devices(void) {
  const int fd = open("/dev/null", O_RDWR);
  int n;
  works("open of /dev/null", fd != -1);
  works("ioctl", ioctl(fd, FIONREAD, &n) == 0 || errno == ENOTTY);
  works("mknod", mknod("/n", S_IFCHR | 0600, makedev(1, 3)) == 0);
}

static void use_processes(void) {
  const pid_t child = fork();
  if (child == 0) pause();
  works("kill", kill(child, 0) == 0);
  works("ptrace", ptrace(PTRACE_SEIZE, child, 0, 0) == 0);
  struct rlimit limit;
  works("prlimit", prlimit(child, RLIMIT_CORE, 0, &limit) == 0 &&
                       setrlimit(RLIMIT_CORE, &limit) == 0);
  works("signal", kill(child, SIGKILL) == 0 && status_of(child) == SIGKILL);
}

static void use_abstract_sockets(void) {
  struct sockaddr_un name = {.sun_family = AF_UNIX, .sun_path = "\0confined"};
  const int a = socket(AF_UNIX, SOCK_STREAM, 0);
  const int b = socket(AF_UNIX, SOCK_STREAM, 0);
  works("bind", bind(a, (struct sockaddr*)&name, 12) == 0 && listen(a, 1) == 0);
  works("connect", connect(b, (struct sockaddr*)&name, 12) == 0);
}

// `fd` as another user: what a setuid file gives.
static void execute(const char* what, int fd, unsigned uid) {
  const pid_t child = fork();
  if (child == 0) {
    if (setresuid(uid, uid, uid) == 0)
      fexecve(fd, (char*[]){"confined", "is-root", 0}, (char*[]){0});
    _exit(2);
  }
  works(what, status_of(child) == 0);
}

int main(int argc, char** argv) {
  if (argc > 1 && strcmp(argv[1], "is-root") == 0) return geteuid() != 0;
  move_files();
  use_devices();
  use_processes();
  use_abstract_sockets();
  const int self = open("/confined", O_RDONLY);
  const int memory = memfd_create("program", 0);
  struct stat st;
  fstat(self, &st);
  works("copy", sendfile(memory, self, 0, (size_t)st.st_size) == st.st_size);
  execute("a program in memory", memory, 0);
  execute("a setuid program", self, 1000);
  if (argc > 1 && strcmp(argv[1], "queues") == 0)
    works("message queue", mq_open("/confined", O_CREAT | O_RDWR, 0600, 0) != -1 &&
                               mq_unlink("/confined") == 0);
  return broken;
}
