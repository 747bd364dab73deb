#include "tests/registry/client_fixture.h"

#include <fcntl.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstring>
#include <random>

#include "base/fd.h"
#include "base/text.h"

namespace cbuild::registry {
namespace {

void write_file(const std::string& path, const std::string& text) {
  const Fd out = open_path(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  write_all(out.get(), text, path);
}

std::string octal(std::size_t value, std::size_t digits) {
  std::string text(digits, '0');
  for (; value != 0; value /= 8)
    text[--digits] = static_cast<char>('0' + value % 8);
  return text;
}

// A ustar archive of the file "file" (POSIX pax, "ustar Interchange Format").
std::string tar_of(const std::string& content) {
  std::string header(512, '\0');
  const auto put = [&](std::size_t at, const std::string& text) {
    header.replace(at, text.size(), text);
  };
  put(0, "file");
  put(100, octal(0644, 7));
  put(108, octal(0, 7));
  put(116, octal(0, 7));
  put(124, octal(content.size(), 11));
  put(136, octal(0, 11));
  put(148, "        ");
  put(156, "0");
  put(257, std::string("ustar\00000", 8));
  std::size_t sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  put(148, octal(sum, 6) + std::string("\0 ", 2));
  const std::string padding((512 - content.size() % 512) % 512, '\0');
  return header + content + padding + std::string(1024, '\0');
}

// The distribution's own before one of a version manager, which starts slowly.
std::string python() {
  const char* own = "/usr/bin/python3";
  return ::access(own, X_OK) == 0 ? own : "python3";
}

}  // namespace

void Workplace::write_config(const std::string& json) {
  write_file(directory.path() + "/config.json", json);
}

store::Image make_image(store::Store& store,
                        const std::vector<std::string>& files,
                        const store::Platform& platform) {
  store::ImageConfig config;
  config.platform = platform;
  config.config.cmd = std::vector<std::string>{"/file"};
  std::vector<store::Descriptor> layers;
  for (const std::string& content : files) {
    const std::string tar = tar_of(content);
    const store::Digest digest = store.blobs.put(tar);
    store.layers.add_blob(digest, digest, tar.size(), store::Compression::none);
    config.diff_ids.push_back(digest);
    config.history.push_back({.created_by = "test"});
    layers.push_back({.media_type = store::media::kOciLayer,
                      .digest = digest,
                      .size = tar.size()});
  }
  const std::string config_text = store::to_json(config);
  const store::Manifest manifest{
      .media_type = store::media::kOciManifest,
      .config = {.media_type = store::media::kOciConfig,
                 .digest = store.blobs.put(config_text),
                 .size = config_text.size()},
      .layers = layers};
  const std::string text = store::to_json(manifest);
  return {{.media_type = manifest.media_type,
           .digest = store.blobs.put(text),
           .size = text.size()},
          manifest,
          config};
}

std::string noise(std::size_t size) {
  std::mt19937_64 random(size);
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i + 8 <= size; i += 8) {
    const std::uint64_t block = random();
    std::memcpy(&bytes[i], &block, 8);
  }
  return bytes;
}

ClientOptions quick() {
  ClientOptions options;
  options.retry_pause = std::chrono::milliseconds(1);
  return options;
}

bool FaultServer::available() {
  if (test::has_program("python3")) return true;
  WARN("SKIPPED: no python3 here");
  return false;
}

FaultServer::FaultServer(const nlohmann::json& options) {
  const std::string file = directory_.path() + "/options.json";
  write_file(file, options.dump());
  server_ = std::make_unique<test::Server>(
      std::vector<std::string>{
          python(), CBUILD_SOURCE_DIR "/tests/registry/fault_server.py", file},
      directory_.path() + "/log");
  host_ = "127.0.0.1:" + server_->wait_for("port ", "0123456789");
}

std::vector<nlohmann::json> FaultServer::requests(
    const std::string& match) const {
  std::vector<nlohmann::json> found;
  for (const std::string& line : split(server_->log(), '\n')) {
    nlohmann::json request = nlohmann::json::parse(line, nullptr, false);
    if (!request.is_object() || !request.contains("method")) continue;
    const std::string what = request["method"].get<std::string>() + " " +
                             request["path"].get<std::string>();
    if (what.find(match) != std::string::npos)
      found.push_back(std::move(request));
  }
  return found;
}

std::vector<nlohmann::json> FaultServer::tokens() const {
  std::vector<nlohmann::json> found;
  for (const std::string& line : split(server_->log(), '\n')) {
    nlohmann::json entry = nlohmann::json::parse(line, nullptr, false);
    if (entry.is_object() && entry.contains("token"))
      found.push_back(std::move(entry));
  }
  return found;
}

void push_to(store::Store& store, const store::Image& image,
             const Reference& to) {
  ClientOptions one_by_one = quick();
  one_by_one.parallel = 1;
  Client(one_by_one).push(store, image, to);
}

}  // namespace cbuild::registry
