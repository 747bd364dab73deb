// CONTEXT and --file: directories, URLs, and what comes on standard input.
#include "cli/build_context.h"

#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "builder/unpack_archive.h"
#include "store/stream.h"

namespace cbuild::cli {
namespace {

constexpr std::size_t kLooked = 1024;  // bytes that tell an archive
constexpr const char* kInput = "standard input";

// "-": an archive that is the context, or a Dockerfile that needs none.
void read_input(const std::string& file, builder::BuildRequest& request) {
  if (file == "-")
    throw UsageError(
        "invalid argument: can't use stdin for both build context and "
        "dockerfile");
  std::string start(kLooked, '\0');
  start.resize(store::read_full(store::file_source(STDIN_FILENO, kInput),
                                start.data(), start.size()));
  request.context.clear();
  request.dockerfile = file;
  if (builder::starts_like_archive(start)) {
    request.context_stream = {STDIN_FILENO, std::move(start)};
    return;
  }
  if (!file.empty())
    throw UsageError(
        "ambiguous Dockerfile source: both stdin and flag correspond to "
        "Dockerfiles");
  request.dockerfile_text = start + read_all(STDIN_FILENO, kInput);
}

}  // namespace

void read_context(const std::string& context, const std::string& file,
                  builder::BuildRequest& request) {
  if (context == "-") return read_input(file, request);
  request.context = context;
  if (file == "-")
    request.dockerfile_text = read_all(STDIN_FILENO, kInput);
  else
    request.dockerfile = file;
}

}  // namespace cbuild::cli
