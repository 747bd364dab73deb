#include <algorithm>

#include "registry/answer.h"
#include "registry/client_state.h"

// One blob, from a registry into the store.
//
// Its bytes are hashed as they come and published only if the hash is the one
// asked for. Where the connection breaks, the next try asks for the rest with
// Range; a server that sends all of it again has the known part skipped.

namespace cbuild::registry {
namespace {

constexpr std::uint64_t kReportEvery = 256 * 1024;
// Less than this is no progress: a server that breaks off at once each time
// must not be asked for ever.
constexpr std::uint64_t kProgress = 1024 * 1024;

class BlobFetch {
 public:
  BlobFetch(Session& session, store::Store& store,
            const store::Descriptor& blob, TransferProgress report,
            const TransferSink& sink)
      : session_(session),
        store_(store),
        blob_(blob),
        report_(std::move(report)),
        sink_(sink),
        writer_(store.blobs.writer()) {}

  // All tries. 404 comes back as false.
  bool run(const Call& call) {
    Retry retry(session_.retry());
    tell(TransferProgress::State::started);
    const bool found = retry.run([&] {
      const std::uint64_t before = writer_->written();
      try {
        return attempt(call);
      } catch (const HttpFailure&) {
        if (writer_->written() >= before + kProgress) retry.progressed();
        throw;
      }
    });
    if (!found) return false;
    writer_->commit(blob_.digest);
    tell(TransferProgress::State::finished);
    return true;
  }

  bool resumed() const { return resumed_; }

 private:
  bool attempt(const Call& model) {
    Call call = model;
    const std::uint64_t had = writer_->written();
    if (had != 0) {
      call.headers.push_back("Range: bytes=" + std::to_string(had) + "-");
      resumed_ = true;
    }
    bool first = true;
    call.on_body = [&](const HttpResponse& head, std::string_view data) {
      if (first) skip_ = known_bytes(head, had);
      first = false;
      take(data);
    };
    call.answers = {404, 416};
    const HttpResponse response = session_.send_once(call);
    if (response.status == 404) return false;
    if (response.status == 416) writer_.emplace(store_.blobs.writer());
    if (writer_->written() < blob_.size || response.status == 416)
      throw HttpFailure(response.url.authority() + " sent " +
                            std::to_string(writer_->written()) + " of " +
                            std::to_string(blob_.size) + " bytes",
                        Fault::broken);
    return true;
  }

  // How many of the bytes that come now are here already.
  std::uint64_t known_bytes(const HttpResponse& head, std::uint64_t had) {
    if (head.status != 206) return had;
    const std::string range = head.header("content-range");
    if (range.starts_with("bytes " + std::to_string(had) + "-")) return 0;
    throw RegistryError(head.url.authority() + " sent another part (" + range +
                            ") than the one asked for",
                        head.status, "");
  }

  void take(std::string_view data) {
    const auto skipped =
        static_cast<std::size_t>(std::min<std::uint64_t>(skip_, data.size()));
    skip_ -= skipped;
    data.remove_prefix(skipped);
    if (writer_->written() + data.size() > blob_.size)
      throw RegistryError("more bytes came than the " +
                              std::to_string(blob_.size) +
                              " that the manifest promises",
                          0, "");
    writer_->write(data);
    if (writer_->written() >= report_.done + kReportEvery)
      tell(TransferProgress::State::moving);
  }

  void tell(TransferProgress::State state) {
    report_.done = writer_->written();
    report_.state = state;
    if (sink_) sink_(report_);
  }

  Session& session_;
  store::Store& store_;
  const store::Descriptor& blob_;
  TransferProgress report_;
  const TransferSink& sink_;
  std::optional<store::BlobWriter> writer_;  // never empty
  std::uint64_t skip_ = 0;
  bool resumed_ = false;
};

// A part that came in a second try may stem from other content than the first
// (a cache in between): one try from the start tells.
bool fetch_from(Session& session, store::Store& store,
                const store::Descriptor& blob, const TransferProgress& report,
                const TransferSink& sink, const Call& call) {
  BlobFetch fetch(session, store, blob, report, sink);
  try {
    return fetch.run(call);
  } catch (const store::DigestMismatch&) {
    if (!fetch.resumed()) throw;
  }
  return BlobFetch(session, store, blob, report, sink).run(call);
}

}  // namespace

void fetch_blob(Session& session, const Reference& from, store::Store& store,
                const store::Descriptor& blob, const std::string& what,
                const TransferSink& progress) {
  TransferProgress report{what, blob.digest, 0, blob.size, {}, false};
  if (store.blobs.hold(blob.digest)) {
    report.done = blob.size;
    report.state = TransferProgress::State::exists;
    if (progress) progress(report);
    return;
  }
  in_context(what + " " + blob.digest.short_text(), [&] {
    Call call;
    call.target = v2_target(from.path(), "blobs/" + blob.digest.text());
    call.scopes = pull_scope(from.path());
    if (fetch_from(session, store, blob, report, progress, call)) return;
    for (const std::string& text : blob.urls) {
      call.location = Url::parse(text);
      if (call.location &&
          fetch_from(session, store, blob, report, progress, call))
        return;
    }
    throw RegistryError(session.domain() + " does not have it", 404,
                        "BLOB_UNKNOWN");
  });
}

}  // namespace cbuild::registry
