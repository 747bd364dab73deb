#include "cli/build_flags.h"

#include "cli/command.h"

namespace cbuild::cli {
namespace {

constexpr Flag kFlags[] = {
    {"What to build", "--secret", Takes::many, "id=ID[,src=FILE|,env=NAME]",
     "Secret for RUN --mount=type=secret; never kept"},
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
    {"Cache", "--pull", Takes::nothing, "",
     "Ask registries whether base images changed"},
    {"Cache", "--store-max", Takes::one, "SIZE",
     "Prune the store down to this after the build (20g, 50%; also "
     "CBUILD_STORE_MAX)"},

    {"How commands run", "--network", Takes::one, "MODE",
     "default (private, with a way out), none, or host"},
    {"How commands run", "--add-host", Takes::many, "HOST:IP",
     "Line in /etc/hosts of every RUN"},
    {"How commands run", "--shm-size", Takes::one, "BYTES",
     "Size of /dev/shm (default 64m)"},
    {"How commands run", "--ulimit", Takes::many, "NAME=SOFT[:HARD]",
     "Resource limit: nofile, nproc, core, ..."},
    {"How commands run", "--allow", Takes::many, "WHAT",
     "network.host or security.insecure, for RUNs that ask for it"},
    {"How commands run", "--jobs", Takes::one, "N",
     "Steps at a time (default: one per core)"},

    {"Accepted, and already so", "--load", Takes::nothing, "",
     "The image is always kept in the store"},
    {"Accepted, and already so", "--rm", Takes::nothing, "",
     "No container is ever left"},
    {"Accepted, and already so", "--force-rm", Takes::nothing, "",
     "No container is ever left"},
};

constexpr RefusedFlag kRefused[] = {
    {"-o,--output", Takes::many, "use --push, or save"},
    {"--ssh", Takes::many, "no agent is forwarded"},
    {"--sbom", Takes::one, "no attestations are made", "false"},
    {"--provenance", Takes::one, "no attestations are made", "false"},
    {"--attest", Takes::many, "no attestations are made"},
    {"--squash", Takes::nothing, "layers are kept as they are made"},
    {"--compress", Takes::nothing, "there is no daemon to send a context to"},
    {"--builder", Takes::one, "there are no builders but this program"},
    {"--policy", Takes::many, "no policies are read"},
    {"--resource", Takes::many, "no limits of memory or CPU are set"},
    {"-m,--memory", Takes::one, "no limits of memory or CPU are set"},
    {"--memory-swap", Takes::one, "no limits of memory or CPU are set"},
    {"-c,--cpu-shares", Takes::one, "no limits of memory or CPU are set"},
    {"--cpu-period", Takes::one, "no limits of memory or CPU are set"},
    {"--cpu-quota", Takes::one, "no limits of memory or CPU are set"},
    {"--cpuset-cpus", Takes::one, "no limits of memory or CPU are set"},
    {"--cpuset-mems", Takes::one, "no limits of memory or CPU are set"},
    {"--cgroup-parent", Takes::one, "no control groups are made"},
    {"--security-opt", Takes::many, "the profile of RUNs is fixed"},
    {"--disable-content-trust", Takes::nothing, "signatures are not read"},
};

}  // namespace

const FlagTable kBuildFlags = {
    {kSourceFlags, kFlags, kRegistryFlags, kGlobalFlags}, kRefused};

}  // namespace cbuild::cli
