#include "cli/build_flags.h"

#include "cli/command.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"What to build", "--secret", Takes::many, "id=ID[,src=FILE|,env=NAME]",
     "Secret for RUN --mount=type=secret; never kept"},
    {"What to build", "--ssh", Takes::many, "default|ID[=SOCKET|KEY,...]",
     "Agent or keys for RUN --mount=type=ssh (default: SSH_AUTH_SOCK)"},
    {"What to build", "--print", Takes::one, "WHAT",
     "Build nothing; print the Dockerfile's tree (ast), the plan (plan), or "
     "the plan as Graphviz text (dot)"},

    {"In place of building", "--check", Takes::nothing, "",
     "Make the build checks and build nothing (see 'cbuild check')"},
    {"In place of building", "--call", Takes::one, "WHAT[,format=json]",
     "check, outline (of the target: arguments, secrets, sockets) or targets"},

    {"Result", "-t,--tag", Takes::many, "NAME[:TAG]",
     "Name of the image; may be given again"},
    {"Result", "--push", Takes::nothing, "", "Push every tag after the build"},
    {"Result", "--label", Takes::many, "NAME=VALUE", "Add a label"},
    {"Result", "--annotation", Takes::many, "NAME=VALUE",
     "Add an OCI annotation to the manifest"},
    {"Result", "--compression", Takes::one, "KIND",
     "Of new layers: gzip (default), zstd or uncompressed"},
    {"Result", "--compression-level", Takes::one, "LEVEL",
     "default, or fast: less time, larger layers"},
    {"Result", "--iidfile", Takes::one, "FILE", "Write the image ID to FILE"},
    {"Result", "--metadata-file", Takes::one, "FILE",
     "Write digests and names as JSON to FILE (keys as buildx)"},
    {"Result", "-q,--quiet", Takes::nothing, "", "Print only the image ID"},
    {"Result", "--progress", Takes::one, "KIND",
     "auto, tty, plain, json, github, gitlab, quiet or none"},

    {"Cache", "--no-cache", Takes::nothing, "", "Execute every step"},
    {"Cache", "--no-cache-filter", Takes::many, "STAGE[,STAGE]",
     "Execute every step of these stages"},
    {"Cache", "--explain", Takes::nothing, "",
     "Say of every step why it was rebuilt (see also 'cbuild why')"},
    {"Cache", "--expect-cached", Takes::optional, "=STAGE",
     "Fail with exit status 8 before a step (of STAGE) would have to run"},
    {"Cache", "--cache-from", Takes::many, "WHERE",
     "Take steps from there too: IMAGE, type=registry,ref=IMAGE, "
     "type=local,src=DIR or type=s3,bucket=..."},
    {"Cache", "--cache-to", Takes::many, "WHERE",
     "Leave steps there: type=registry,ref=IMAGE[,mode=max], "
     "type=local,dest=DIR[,mode=max], type=s3,bucket=... or type=inline"},
    {"Cache", "--cache-timeout", Takes::one, "TIME",
     "Go on without a cache in which nothing moves for so long (default 30s)"},
    {"Cache", "--cache-mount", Takes::many, "id=ID,dir=DIR",
     "Directory for RUN --mount=type=cache of this id; its default id is the "
     "target"},
    {"Cache", "--pull", Takes::nothing, "",
     "Ask registries whether base images changed"},
    {"Cache", "--store-max", Takes::one, "SIZE",
     "Prune the store down to this after the build (20g, 50%; also "
     "CBUILD_STORE_MAX)"},

    {"How commands run", "--network", Takes::one, "MODE",
     "default (private, with a way out), none, or host"},
    {"How commands run", "--add-host", Takes::many, "HOST:IP",
     "Line in /etc/hosts of every RUN; host-gateway is this machine"},
    {"How commands run", "--ca-cert", Takes::many, "FILE",
     "CA certificate (PEM) that RUNs trust; it is in no layer"},
    {"How commands run", "--shm-size", Takes::one, "BYTES",
     "Size of /dev/shm (default 64m)"},
    {"How commands run", "--ulimit", Takes::many, "NAME=SOFT[:HARD]",
     "Resource limit: nofile, nproc, core, ..."},
    {"How commands run", "--allow", Takes::many, "WHAT",
     "network.host, security.insecure, device or device=NAME, for RUNs that "
     "ask for it"},
    {"How commands run", "--cdi-config-dir", Takes::many, "DIR",
     "Where RUN --device finds CDI specs (default: /etc/cdi, /var/run/cdi, "
     "/etc/buildkit/cdi)"},
    {"How commands run", "--refuse-secrets", Takes::nothing, "",
     "Fail where a layer would hold the content of a given secret"},
    {"How commands run", "--on-fail", Takes::one, "WHAT",
     "When a RUN fails: discard what it left (default), keep it for `cbuild "
     "debug`, or open a shell in it"},
    {"How commands run", "--jobs", Takes::one, "N",
     "Steps at a time (default: one per usable core, at least 4)"},

    {"Limits of each RUN", "-m,--memory", Takes::one, "BYTES",
     "Memory, page cache included: 512m, 2g"},
    {"Limits of each RUN", "--memory-swap", Takes::one, "BYTES",
     "Memory and swap together; -1: any swap"},
    {"Limits of each RUN", "--cpus", Takes::one, "NUMBER",
     "Processors' worth of time: 1.5"},
    {"Limits of each RUN", "-c,--cpu-shares", Takes::one, "N",
     "Share of the processors where others want them too (default 1024)"},
    {"Limits of each RUN", "--cpu-period", Takes::one, "MICROSECONDS",
     "What --cpu-quota is of"},
    {"Limits of each RUN", "--cpu-quota", Takes::one, "MICROSECONDS",
     "Processor time in each period"},
    {"Limits of each RUN", "--cpuset-cpus", Takes::one, "LIST",
     "Processors to run on: 0-2,5"},
    {"Limits of each RUN", "--cpuset-mems", Takes::one, "LIST",
     "Memory nodes to use"},
    {"Limits of each RUN", "--pids-limit", Takes::one, "N",
     "Processes and threads (default: half of what the kernel allows); -1: "
     "any number"},
    {"Limits of each RUN", "--resource", Takes::many, "NAME=VALUE[,...]",
     "The same in buildx's way: memory=2g,cpu-quota=50000"},
    {"Limits of each RUN", "--cgroup-parent", Takes::one, "GROUP",
     "Control group to make those of the RUNs in (default: cbuild's own)"},

    {"Accepted, and already so", "--load", Takes::nothing, "",
     "The image is always kept in the store"},
    {"Accepted, and already so", "--rm", Takes::nothing, "",
     "No container is ever left"},
    {"Accepted, and already so", "--force-rm", Takes::nothing, "",
     "No container is ever left"},
};

constexpr RefusedFlag kRefused[] = {
    {"-o,--output", Takes::many, "use --push, or save"},
    {"--sbom", Takes::one, "no attestations are made", "false"},
    {"--provenance", Takes::one, "no attestations are made", "false"},
    {"--attest", Takes::many, "no attestations are made"},
    {"--squash", Takes::nothing, "layers are kept as they are made"},
    {"--compress", Takes::nothing, "there is no daemon to send a context to"},
    {"--builder", Takes::one, "there are no builders but this program"},
    {"--policy", Takes::many, "no policies are read"},
    {"--security-opt", Takes::many, "the profile of RUNs is fixed"},
    {"--disable-content-trust", Takes::nothing, "signatures are not read"},
};

}  // namespace

const FlagTable kBuildFlags = {
    {kSourceFlags, kFlags, kRegistryFlags, kGlobalFlags}, kRefused};

}  // namespace cbuild::cli
