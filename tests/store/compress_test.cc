#include "store/compress.h"

#include <catch2/catch.hpp>
#include <random>

#include "base/error.h"
#include "scratch.h"
#include "store/tar.h"

using namespace cbuild;
using namespace cbuild::store;

namespace {

std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string data;
  while (data.size() < size) {
    data += "some text that repeats ";
    data += std::to_string(random());
  }
  data.resize(size);
  return data;
}

std::string compress(const std::string& data, Compression compression,
                     bool fast, unsigned threads) {
  std::string out;
  Compressor compressor([&](std::string_view d) { out += d; }, compression,
                        fast, threads);
  for (std::size_t at = 0; at < data.size(); at += 100000)
    compressor.write(std::string_view(data).substr(at, 100000));
  compressor.finish();
  return out;
}

// Gives `data` in pieces of at most `piece` bytes.
ByteSource source_of(const std::string& data, std::size_t piece = 1 << 16) {
  auto at = std::make_shared<std::size_t>(0);
  return [&data, at, piece](char* buffer, std::size_t size) {
    const std::size_t n = std::min({size, piece, data.size() - *at});
    data.copy(buffer, n, *at);
    *at += n;
    return n;
  };
}

std::string drain(const ByteSource& source, std::size_t piece = 77777) {
  std::string out;
  std::string buffer(piece, '\0');
  while (const std::size_t n = source(buffer.data(), buffer.size()))
    out.append(buffer, 0, n);
  return out;
}

constexpr Compression kBoth[] = {Compression::gzip, Compression::zstd};

}  // namespace

TEST_CASE("what was compressed comes back, in any number of chunks",
          "[compress]") {
  for (const std::size_t size :
       {0ul, 1ul, 1ul << 20, (1ul << 20) + 1, (9ul << 20) + 12345}) {
    const std::string data = sample(size);
    for (const Compression compression : kBoth)
      for (const bool fast : {false, true}) {
        const std::string packed = compress(data, compression, fast, 2);
        CHECK(sniff(packed) == compression);
        CHECK(drain(decompressed(source_of(packed))) == data);
      }
    CHECK(drain(decompressed(source_of(data))) == data);
  }
}

TEST_CASE("the bytes do not depend on the number of threads", "[compress]") {
  const std::string data = sample((13ul << 20) + 5);
  for (const Compression compression : kBoth)
    for (const bool fast : {false, true}) {
      const std::string one = compress(data, compression, fast, 1);
      CHECK(one == compress(data, compression, fast, 2));
      CHECK(one == compress(data, compression, fast, 7));
    }
}

TEST_CASE("a stream that trickles or is read in small bits is the same",
          "[compress]") {
  const std::string data = sample(300000);
  for (const Compression compression : kBoth) {
    const std::string packed = compress(data, compression, false, 1);
    CHECK(drain(decompressed(source_of(packed, 1)), 1000) == data);
    CHECK(drain(decompressed(source_of(packed)), 1) == data);
    CHECK(drain(filtered(source_of(packed))) == data);
  }
}

TEST_CASE("what cannot be compressed is stored, what can is not",
          "[compress]") {
  constexpr std::size_t chunk = 1 << 20;
  std::mt19937 random(1);
  std::string noise;
  while (noise.size() < chunk) noise += static_cast<char>(random());
  const auto size = [](const std::string& data) {
    const std::string packed = compress(data, Compression::gzip, false, 1);
    CHECK(drain(decompressed(source_of(packed))) == data);
    return packed.size();
  };
  CHECK(size(noise) < chunk + 200);
  // A little of it at any place, and what repeats farther away than the short
  // pieces reach.
  CHECK(size(noise.substr(0, chunk / 2) + std::string(chunk / 2, 'x')) <
        chunk * 51 / 100);
  std::string repeated;
  while (repeated.size() < chunk) repeated += noise.substr(0, 20000);
  repeated.resize(chunk);
  CHECK(size(repeated) < chunk / 10);
}

TEST_CASE("a stream that is cut short or damaged is an error", "[compress]") {
  const std::string data = sample(300000);
  for (const Compression compression : kBoth) {
    const std::string packed = compress(data, compression, false, 1);
    for (const std::size_t keep :
         {packed.size() - 1, packed.size() / 2, 20ul}) {
      const std::string cut = packed.substr(0, keep);
      CHECK_THROWS_AS(drain(decompressed(source_of(cut))), Error);
    }
  }
  std::string packed = compress(data, Compression::gzip, false, 1);
  packed[packed.size() - 6] ^= 1;  // the check sum
  CHECK_THROWS_AS(drain(decompressed(source_of(packed))), Error);
  packed[packed.size() - 6] ^= 1;
  CHECK(drain(decompressed(source_of(packed + std::string(512, '\0')))) ==
        data);
  CHECK_THROWS_WITH(drain(decompressed(source_of(packed + "junk"))),
                    Catch::Contains("garbage"));
}

TEST_CASE("gzip and zstd themselves read what is written", "[compress]") {
  Scratch scratch;
  const std::string data = sample((5ul << 20) + 3);
  write_file(scratch.dir.path() + "/plain", data);
  for (const auto& [compression, tool] :
       {std::pair{Compression::gzip, "gzip"}, {Compression::zstd, "zstd"}}) {
    if (!have_tool(tool)) {
      WARN("SKIPPED: no " << tool);
      continue;
    }
    const std::string file = scratch.dir.path() + "/packed";
    write_file(file, compress(data, compression, false, 2));
    int code = -1;
    run(std::string(tool) + " -dc < " + file + " | cmp - " +
            scratch.dir.path() + "/plain",
        &code);
    CHECK(code == 0);
  }
}

TEST_CASE("a failing sink stops the compressor", "[compress]") {
  const std::string data = sample(5ul << 20);
  for (const unsigned threads : {1u, 3u}) {
    Compressor compressor([](std::string_view) { throw Error("disk full"); },
                          Compression::gzip, true, threads);
    CHECK_THROWS_WITH(
        [&] {
          compressor.write(data);
          compressor.finish();
        }(),
        "disk full");
  }
}
