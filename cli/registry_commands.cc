// cbuild pull and cbuild push.
#include <mutex>
#include <set>

#include "base/text.h"
#include "cli/command.h"
#include "cli/find_image.h"
#include "cli/output.h"
#include "registry/reference.h"

namespace cbuild::cli {
namespace {

using registry::Reference;
using registry::TransferProgress;

constexpr Flag kPullFlags[] = {
    {"Options", "--platform", Takes::one, "OS/ARCH",
     "Platform to take from an index (default: this machine's)"},
    {"Options", "-q,--quiet", Takes::nothing, "", "Print only the name"},
};
constexpr FlagTable kPullTable = {{kPullFlags, kRegistryFlags, kGlobalFlags}};

constexpr Flag kPushFlags[] = {
    {"Options", "-q,--quiet", Takes::nothing, "", "Print only the name"},
};
constexpr FlagTable kPushTable = {{kPushFlags, kRegistryFlags, kGlobalFlags}};

// Prints how each layer went, once, as docker does without a terminal.
class LayerLines {
 public:
  LayerLines(bool quiet, const char* done, const char* exists)
      : quiet_(quiet), done_(done), exists_(exists) {}

  void operator()(const TransferProgress& progress) {
    using State = TransferProgress::State;
    if (quiet_ || progress.what != "layer") return;
    if (progress.state != State::finished && progress.state != State::exists)
      return;
    const std::lock_guard lock(mutex_);
    if (!seen_.insert(progress.digest.hex()).second) return;
    print(progress.digest.hex().substr(0, 12) + ": " +
          (progress.state == State::exists ? exists_ : done_) + "\n");
  }

 private:
  bool quiet_;
  const char* done_;
  const char* exists_;
  std::mutex mutex_;
  std::set<std::string> seen_;
};

store::Platform wanted_platform(const Arguments& args) {
  const std::string text = args.value("platform");
  if (text.empty()) return store::host_platform();
  try {
    return store::parse_platform(text);
  } catch (const Error& e) {
    throw UsageError("invalid argument " + go_quote(text) +
                     " for --platform: " + e.what());
  }
}

void announce_pull(const Reference& asked, const Reference& reference) {
  if (!asked.tag() && !asked.digest()) print("Using default tag: latest\n");
  const std::string what = reference.digest() ? reference.digest()->text()
                                              : reference.tag().value_or("");
  print(what + ": Pulling from " + reference.path() + "\n");
}

void run_pull(Session& session) {
  const Arguments& args = session.args();
  const Reference asked = Reference::parse(args.words().front());
  const Reference reference = asked.with_default_tag();
  const store::Platform platform = wanted_platform(args);
  const bool quiet = args.has("quiet");
  if (!quiet) announce_pull(asked, reference);

  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  registry::Client client(session.client_options());
  LayerLines lines(quiet, "Pull complete", "Already exists");
  const auto sink = [&](const TransferProgress& p) { lines(p); };
  const store::Image image = client.resolve(store, reference, platform, sink);
  client.fetch_layers(store, reference, image, sink);
  store.sync();

  const auto before = store.images.find(reference.text());
  const bool same = before && before->digest == image.descriptor.digest;
  store.images.remember(reference.text(), platform, image.descriptor);
  store.images.tag(
      reference.digest() && !reference.tag()
          ? std::vector<store::ImageStore::Name>{}
          : std::vector<store::ImageStore::Name>{{reference.text(),
                                                  reference.familiar()}},
      image.descriptor);
  if (!quiet) {
    print("Digest: " + image.descriptor.digest.text() + "\n");
    print(same
              ? "Status: Image is up to date for " + reference.familiar() + "\n"
              : "Status: Downloaded newer image for " + reference.familiar() +
                    "\n");
  }
  print(reference.text() + "\n");
}

void run_push(Session& session) {
  const Arguments& args = session.args();
  const Reference asked = Reference::parse(args.words().front());
  if (asked.digest())
    throw UsageError("cannot push by digest: " + asked.familiar());
  const Reference reference = asked.with_default_tag();
  store::Store& store = session.store();
  const store::Lease lease = store.lease();
  const auto found = store.images.find(reference.text());
  if (!found)
    throw Error("An image does not exist locally with the tag: " +
                reference.familiar());
  const bool quiet = args.has("quiet");
  if (!quiet) {
    if (!asked.tag()) print("Using default tag: latest\n");
    print("The push refers to repository [" + reference.name() + "]\n");
  }
  registry::Client client(session.client_options());
  LayerLines lines(quiet, "Pushed", "Layer already exists");
  const store::Image image = store.images.load(*found);
  const store::Digest digest = client.push(
      store, image, reference, [&](const TransferProgress& p) { lines(p); });
  if (quiet)
    print(reference.text() + "\n");
  else
    print(*reference.tag() + ": digest: " + digest.text() +
          " size: " + std::to_string(image.descriptor.size) + "\n");
}

}  // namespace

const Command kPullCommand = {
    "pull",
    "[OPTIONS] NAME[:TAG|@DIGEST]",
    "Fetch an image from a registry",
    R"(Examples:
  cbuild pull debian:bookworm-slim
  cbuild pull --tls-ca ca.pem registry.example:5000/app
)",
    kPullTable,
    1,
    1,
    run_pull,
};

const Command kPushCommand = {
    "push",
    "[OPTIONS] NAME[:TAG]",
    "Send an image to a registry",
    R"(Layers that the registry has are not sent again.

Examples:
  cbuild tag app localhost:5000/app:1 && cbuild push localhost:5000/app:1
)",
    kPushTable,
    1,
    1,
    run_push,
};

}  // namespace cbuild::cli
